"""Pieces: what is to be applied next of an object, so that two lanes can work at it at once.

A large page comes in three pieces: SQL decides each half of its rows, and the decider, at its end, what they have left.
Rows of one key (an address) are in the same half whatever page they come with. So the halves have nothing in common
and may go on beside each other; one half goes from page to page in order, and pages end in order. A row whose key an
earlier page has left to its end waits for its own page's end. Whatever the lanes do when, the database ends the same.
"""

from collections.abc import Sequence
from enum import StrEnum

import structlog
from django.db import connection
from django.utils import timezone

from apps.core.queue import wake
from apps.sync.models import ObjectStage, RunLane, RunObject, RunPage, SyncRun
from apps.sync.pull.apply import Halving, apply_half, apply_page, end_page, halving_of
from apps.sync.pull.staging import drop_page, staged_rows

log = structlog.get_logger(__name__)

LARGE = 2_000
"""Rows from which on a page is worth halving."""

_HALVES = (0, 1)
_BOTH = 0b11


class Piece(StrEnum):
    """What came of looking for a piece."""

    APPLIED = "applied"
    HELD = "held"
    """All that can be done now is in the hands of another lane."""
    AWAITED = "awaited"
    """A page has to be fetched again first."""
    NONE = "none"
    """No page waits."""


def apply_piece(run: SyncRun, run_object: RunObject, *, halves_only: bool = False) -> Piece:
    """Apply the next piece of an object, in the open transaction. ``halves_only``: pages that go as a whole are
    nothing for this lane."""
    pages = _waiting(run_object)
    if not pages:
        return Piece.NONE
    if not pages[0].table:
        return Piece.AWAITED
    halving = halving_of(run, run_object) if any(_is_large(page) for page in pages) else None
    if halving is not None and _is_large(pages[0]):
        return _apply_half_or_end(run, run_object, pages, halving)
    if halves_only:
        return Piece.NONE
    page = _take(pages[0])
    if page is None:
        return Piece.HELD
    if _is_lost(run, run_object, page):
        return Piece.AWAITED
    if page.halves_done:  # halved before, which is not allowed any more: what its halves did counts as unchanged now
        page.halves_done = page.created = page.unchanged = 0
        page.left_rows, page.left_keys = [], []
        page.save()
    apply_page(run, run_object, page)
    return Piece.APPLIED


def _waiting(run_object: RunObject) -> list[RunPage]:
    return list(RunPage.objects.filter(run_object=run_object, is_applied=False).order_by("number"))


def _is_large(page: RunPage) -> bool:
    return page.rows >= LARGE


def _take(page: RunPage) -> RunPage | None:
    """The page as it is, held until the transaction ends; None where another lane holds it or has applied it."""
    found: RunPage | None = (
        RunPage.objects.select_for_update(skip_locked=True).filter(id=page.pk, is_applied=False).first()
    )
    return found


def _apply_half_or_end(run: SyncRun, run_object: RunObject, pages: Sequence[RunPage], halving: Halving) -> Piece:
    if pages[0].halves_done == _BOTH:
        page = _take(pages[0])
        if page is not None:
            if _is_lost(run, run_object, page):
                return Piece.AWAITED
            end_page(run, run_object, page, halving)
            return Piece.APPLIED
    for half in _HALVES:
        if _without(pages, half) is None or not _hold(run_object, half):
            continue
        found = _waiting(run_object)  # as it is now that nobody else goes on with this half
        page = _without(found, half)
        if page is None:
            continue
        if _is_lost(run, run_object, page):
            return Piece.AWAITED
        apply_half(run, run_object, page, half, halving, [one for one in found if one.number < page.number])
        return Piece.APPLIED
    return Piece.HELD


def _without(pages: Sequence[RunPage], half: int) -> RunPage | None:
    """The page with which this half goes on; a page that goes as a whole has to end before later ones begin."""
    for page in pages:
        if not _is_large(page) or not page.table:
            return None
        if not page.halves_done & 1 << half:
            return page
    return None


def _hold(run_object: RunObject, half: int) -> bool:
    """Whether this half is ours until the transaction ends."""
    with connection.cursor() as cursor:
        name = f"half {half} of object {run_object.pk}"
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])


def _is_lost(run: SyncRun, run_object: RunObject, page: RunPage) -> bool:
    """Whether a crash of the database has emptied the page's UNLOGGED table; it is then fetched once more, and what
    its halves have done stays."""
    if staged_rows(page.table) == page.rows:
        return False
    log.warning("staging_lost", run=run.pk, page=page.number)
    drop_page(page.table)
    RunPage.objects.filter(id=page.pk).update(table="")
    row = RunObject.objects.select_for_update().get(id=run_object.pk)
    row.fetched -= page.rows
    row.stage = ObjectStage.FETCHING
    row.save(update_fields=["fetched", "stage"])
    RunLane.objects.filter(run=run, name="fetch").update(is_done=False, due_at=timezone.now())
    wake("apps.sync.tasks.fetch_lane", run.tenant_id or 0, run.pk, queue="bulk")
    return True
