""" "Sync now" on a record's page: whether it can be pressed, how far its run is, and what came of it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.audience.models import Record
from apps.console.records import place_of
from apps.integrations.services.oauth import live_connection
from apps.sync.models import RunKind, SyncRun
from apps.sync.selectors.record_runs import Progress, open_run_of, progress_of
from apps.sync.selectors.why import why_not_now
from apps.sync.services import CannotStart, sync_now
from apps.tenants.access import MemberRequest, load
from apps.tenants.roles import Right

_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SyncCard:
    """The card of a record's page. ``refusal`` is why the button cannot be pressed."""

    is_connected: bool
    refusal: str
    may_run: bool
    start_url: str
    progress_url: str
    why_url: str
    progress: Progress | None


def sync_card(request: MemberRequest, area: str, local_type: str, record: Record) -> SyncCard:
    """The card as it is now: with the run that is open, or the one that the address names."""
    connection = live_connection()
    run = open_run_of(connection, local_type, record.pk) or _named_run(request, local_type, record.pk)
    return SyncCard(
        is_connected=connection is not None,
        refusal=why_not_now(connection, local_type=local_type, record=record),
        may_run=request.membership.may(Right.RUN_SYNC),
        start_url=reverse(f"console:{area}-sync", args=place_of(record)),
        progress_url=reverse(f"console:{area}-sync-run", args=[*place_of(record), run.pk]) if run is not None else "",
        why_url=reverse(f"console:{area}-why", args=place_of(record)),
        progress=progress_of(run) if run is not None else None,
    )


def start(request: MemberRequest, area: str, local_type: str, record: Record) -> HttpResponse:
    """Queue the record's run and go back to its page, which shows the progress."""
    page = reverse(f"console:{area}-detail", args=place_of(record))
    connection = live_connection()
    refusal = why_not_now(connection, local_type=local_type, record=record)
    if connection is None or refusal:
        messages.error(request, refusal)
        return redirect(page)
    try:
        run = sync_now(connection=connection, local_type=local_type, record_id=record.pk, user=request.user)
    except CannotStart as error:
        messages.error(request, str(error))
        return redirect(page)
    return redirect(f"{page}?run={run.pk}#sync-now")


def show_progress(request: MemberRequest, area: str, local_type: str, record: Record, run_id: int) -> HttpResponse:
    """The card alone while the run is open; then the whole page, so that it shows what was changed."""
    run = load(SyncRun, run_id)
    if (run.kind, run.local_type, run.local_id) != (RunKind.RECORD, local_type, record.pk):
        raise Http404
    page = f"{reverse(f'console:{area}-detail', args=place_of(record))}?run={run.pk}"
    if not request.htmx:
        return redirect(page)
    if not run.is_open:
        answer = HttpResponse()
        answer["HX-Redirect"] = page
        return answer
    card = sync_card(request, area, local_type, record)
    return render(request, "console/records/sync_now.html", {"sync": card})


def _named_run(request: MemberRequest, local_type: str, record_id: int) -> SyncRun | None:
    """The run that the address names, where it is one of this record."""
    text = request.GET.get("run", "")
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:20]) <= _LARGEST_ID:
        return None
    found: SyncRun | None = SyncRun.objects.filter(
        id=int(text), kind=RunKind.RECORD, local_type=local_type, local_id=record_id
    ).first()
    return found
