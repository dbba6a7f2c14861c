"""Linking and unlinking by hand, and settling what could not be matched."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.audience.fields import FIELDS, plain_text
from apps.audience.models import Company, Person
from apps.audience.services.values import value_of
from apps.console.record_lists import number_in
from apps.domain.failures import Category
from apps.integrations.services.oauth import live_connection
from apps.sync.linking import (
    PREFIXES,
    CannotLink,
    candidates_of,
    link_by_hand,
    make_record_of,
    send_as_new,
    unlink,
)
from apps.sync.models import SyncRun
from apps.sync.selectors.links import record_behind, record_url
from apps.sync.services import CannotStart
from apps.sync_errors.models import SyncError
from apps.tenants.access import MemberRequest

_AREAS = {"person": "people", "company": "companies"}
_NOT_CONNECTED = "Salesforce is not connected."
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A field of Salesforce's row beside the candidates: each one's name, value, and whether it differs."""

    label: str
    theirs: str
    cells: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """A row that Salesforce named, and the record here that it is linked with, if any."""

    remote_id: str
    sobject: str
    url: str
    linked_url: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What somebody may choose for an error: one of the records here, or one of the rows there; or a new one."""

    records: list[tuple[Person | Company, str]]
    compared: list[ComparedField]
    rows: list[MatchedRow]
    may_make_new: bool


def settlement_of(error: SyncError, instance_url: str) -> Settlement | None:
    """The choice that an error leaves to a person; None where it leaves none."""
    if not error.is_live or error.local_type not in _AREAS:
        return None
    ids = [one["id"] for one in error.details.get("candidates", []) if isinstance(one, dict) and "id" in one]
    if error.way == "in" and ids:
        found = candidates_of(error.local_type, ids)
        area = _AREAS[error.local_type]
        pages = [(one, reverse(f"console:{area}-detail", args=[one.pk])) for one in found]
        return Settlement(pages, _compared(error, found), [], may_make_new=True)
    known = PREFIXES[error.local_type]
    matched = [str(one) for one in error.details.get("matched_ids", []) if str(one)[:3] in known]
    if error.way == "out" and matched and error.local_id:
        rows = [_matched(error, one, known[one[:3]], instance_url) for one in matched[:20]]
        return Settlement([], [], rows, may_make_new=error.category == Category.AMBIGUOUS_MATCH)
    return None


def _compared(error: SyncError, found: list[Person | Company]) -> list[ComparedField]:
    row: dict[str, Any] = error.details.get("row") or {}
    known = FIELDS[error.local_type]
    lines = []
    for name in (name for name in known if name in row and not known[name].refers_to):
        theirs = str(row[name] or "")
        texts = [plain_text(value_of(one, known[name])) for one in found]
        if theirs or any(texts):
            cells = [(str(one), text, text != theirs) for one, text in zip(found, texts, strict=True)]
            lines.append(ComparedField(known[name].label, theirs, cells))
    return lines


def _matched(error: SyncError, remote_id: str, sobject: str, instance_url: str) -> MatchedRow:
    linked = record_behind(live_connection(), remote_id)
    page = reverse(f"console:{_AREAS[linked[0]]}-detail", args=[linked[1]]) if linked and linked[0] in _AREAS else ""
    is_own = linked == (error.local_type, error.local_id)
    return MatchedRow(remote_id, sobject, record_url(instance_url, remote_id), "" if is_own else page)


def settle(request: MemberRequest, error: SyncError) -> HttpResponse:
    """Carry out what somebody chose for an error."""
    choice, _, value = request.POST.get("choice", "").partition(":")
    back = redirect("console:errors-detail", error.pk)
    settlement = settlement_of(error, "")
    connection = live_connection()
    if settlement is None or connection is None:
        messages.error(request, _NOT_CONNECTED if connection is None else "There is nothing to choose any more.")
        return back
    try:
        if choice == "record" and settlement.records:
            record = next((one for one, _ in settlement.records if one.pk == number_in(value)), None)
            if record is None:
                raise CannotLink("Choose one of the records.")
            run = link_by_hand(connection=connection, record=record, remote_id=error.remote_id, user=request.user)
        elif choice == "row" and any(row.remote_id == value for row in settlement.rows):
            record = _own_record(error)
            run = link_by_hand(connection=connection, record=record, remote_id=value, user=request.user)
        elif choice == "new" and settlement.may_make_new:
            return _new(request, error)
        else:
            raise CannotLink("Choose one of them first.")
    except (CannotLink, CannotStart) as reason:
        messages.error(request, str(reason))
        return back
    return _to_record(error.local_type, record, run)


def _new(request: MemberRequest, error: SyncError) -> HttpResponse:
    """Make a record of its own here, or a row of its own there."""
    connection = live_connection()
    assert connection is not None
    if error.way == "out":
        record = _own_record(error)
        run = send_as_new(connection=connection, record=record, user=request.user)
        return _to_record(error.local_type, record, run)
    run = make_record_of(
        connection=connection, local_type=error.local_type, remote_id=error.remote_id, user=request.user
    )
    messages.success(request, "A new record is made of it.")
    return redirect("console:log-run", run.pk)


def _own_record(error: SyncError) -> Person | Company:
    found = candidates_of(error.local_type, [error.local_id or 0])
    if not found:
        raise CannotLink("The record is not there any more.")
    return found[0]


def _to_record(local_type: str, record: Person | Company, run: SyncRun) -> HttpResponse:
    return redirect(f"{reverse(f'console:{_AREAS[local_type]}-detail', args=[record.pk])}?run={run.pk}#sync-now")


def link(request: MemberRequest, area: str, record: Person | Company) -> HttpResponse:
    """Link a record with the row whose id was typed."""
    connection = live_connection()
    page = reverse(f"console:{area}-detail", args=[record.pk])
    if connection is None:
        messages.error(request, _NOT_CONNECTED)
        return redirect(page)
    try:
        typed = request.POST.get("remote_id", "")[:_LONGEST]
        run = link_by_hand(connection=connection, record=record, remote_id=_last_part(typed), user=request.user)
    except (CannotLink, CannotStart) as reason:
        messages.error(request, str(reason))
        return redirect(page)
    return redirect(f"{page}?run={run.pk}#sync-now")


def take_apart(request: MemberRequest, area: str, record: Person | Company) -> HttpResponse:
    """Unlink a record from one of its rows."""
    connection = live_connection()
    try:
        if connection is None:
            raise CannotLink(_NOT_CONNECTED)
        remote_id = request.POST.get("remote_id", "")[:_LONGEST]
        unlink(connection=connection, record=record, remote_id=remote_id, user=request.user)
        messages.success(request, "Unlinked. Both stay as they are, and no sync brings them together again.")
    except CannotLink as reason:
        messages.error(request, str(reason))
    return redirect(f"console:{area}-detail", record.pk)


def _last_part(typed: str) -> str:
    """An id, or the one in an address of Salesforce: ``…/lightning/r/Lead/00Q…/view``."""
    parts = [part for part in typed.strip().removesuffix("/view").split("?")[0].split("/") if part]
    return parts[-1] if parts else ""
