"""The activity log: runs, one run while it goes on, and what it did to each row."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from apps.console.downloads import csv_download
from apps.console.listing import listing
from apps.console.log.forms import RowFilterForm, RunFilterForm
from apps.integrations.models import ConnectionState
from apps.integrations.services.oauth import live_connection
from apps.sync.models import RunEntry, RunObject, RunState, SyncRun
from apps.sync.selectors.entries import BY_NUMBER, action_words, changes_of, entries_of_run, entry_views
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import instance_urls, record_url
from apps.sync.selectors.merges import MERGE_RULES, MERGED, merge_lines, merged_entries
from apps.sync.selectors.progress import duration_words
from apps.sync.selectors.runs import NEWEST, object_views, overall, run_view, run_views, runs, sum_of
from apps.sync.services import cancel_run
from apps.sync_actions.selectors import rules_of_run
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_RECORD_PAGES = {"person": "people-detail", "company": "companies-detail", "opportunity": "opportunities-detail"}
_TONES: dict[str, str] = {
    RunState.COMPLETED: "ok",
    RunState.FAILED: "bad",
    RunState.CANCELLED: "warn",
    RunState.QUEUED: "busy",
    RunState.RUNNING: "busy",
    RunState.CANCELLING: "warn",
}


@member_page(Right.VIEW)
def log_list(request: MemberRequest) -> HttpResponse:
    """All runs, the newest first."""
    form = RunFilterForm(request.GET)
    chosen = {"state": form.value("state"), "kind": form.value("kind")}
    found = listing(request, runs(**chosen), NEWEST)
    views = run_views(found.rows, timezone.now())
    context = {
        "form": form,
        "found": found,
        "rows": [(view, _TONES.get(view.run.state, "off"), _duration(view.seconds)) for view in views],
        "is_filtered": any(chosen.values()),
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/log/list.html", context)


def _duration(seconds: float | None) -> str:
    return "" if seconds is None else duration_words(seconds)


@member_page(Right.VIEW)
def run_page(request: MemberRequest, run_id: int) -> HttpResponse:
    """One run; its page asks for itself every two seconds until the run has ended."""
    run, now = load(SyncRun, run_id), timezone.now()
    objects = object_views(run, now)
    whole = overall(objects, run, now)
    view = run_view(run, sum_of(objects), now)
    context: dict[str, Any] = {
        "run": run,
        "view": view,
        "tone": _TONES.get(run.state, "off"),
        "duration": _duration(view.seconds),
        "whole": whole,
        "whole_left": _duration(whole.seconds_left),
        "rules": rules_of_run(run.pk),
        "needs_reconnect": _needs_reconnect(run),
        "record_url": _page_of(run.local_type, run.local_id),
        "objects": [(one, _duration(one.progress.seconds_left)) for one in objects],
        "may_cancel": run.state in {RunState.QUEUED, RunState.RUNNING} and request.membership.may(Right.RUN_SYNC),
    }
    return render(request, "console/log/run.html", context)


@require_POST
@member_page(Right.RUN_SYNC)
def cancel(request: MemberRequest, run_id: int) -> HttpResponse:
    """Ask a run to stop."""
    run = load(SyncRun, run_id)
    cancel_run(run=run, user=request.user)
    messages.success(request, "The run is asked to stop. What it has brought in so far stays.")
    return redirect("console:log-run", run.pk)


@member_page(Right.VIEW)
def run_rows(request: MemberRequest, run_id: int) -> HttpResponse:
    """What a run did, row by row."""
    run = load(SyncRun, run_id)
    form = RowFilterForm(request.GET, objects=list(RunObject.objects.filter(run=run).order_by("position")))
    chosen = {"sobject": form.value("object"), "action": form.value("action")}
    found = listing(request, entries_of_run(run.pk, **chosen), BY_NUMBER)
    instance_url = instance_urls().get(run.connection_id, "")
    context = {
        "run": run,
        "form": form,
        "found": found,
        "rows": [(view, record_url(instance_url, view.entry.remote_id)) for view in entry_views(found.rows)],
        "is_filtered": any(chosen.values()),
    }
    return render(request, "console/log/rows.html", context)


@member_page(Right.VIEW)
def run_rows_csv(request: MemberRequest, run_id: int) -> HttpResponse:
    """All rows of a run as CSV: a line for each changed field, one for a row without."""
    run = load(SyncRun, run_id)
    form = RowFilterForm(request.GET, objects=list(RunObject.objects.filter(run=run)))
    chosen = {"sobject": form.value("object"), "action": form.value("action")}
    return csv_download(
        filename=f"syncline-run-{run.pk}.csv",
        header=("Object", "Salesforce id", "Record type", "Record id", "Action", "At", "Changes"),
        tenant_id=request.tenant.pk,
        rows=lambda: entries_of_run(run.pk, **chosen),
        order=BY_NUMBER,
        line=_entry_line,
    )


def _entry_line(entry: RunEntry) -> tuple[object, ...]:
    changes = "; ".join(f"{c.label}: {c.before!r} → {c.after!r} ({c.rule})" for c in changes_of(entry))
    return (
        entry.sobject,
        entry.remote_id,
        entry.local_type,
        entry.local_id,
        action_words(entry.action),
        entry.at.isoformat(),
        changes,
    )


@member_page(Right.VIEW)
def merges(request: MemberRequest) -> HttpResponse:
    """Records that became one, and the rule by which they did (D05)."""
    found = listing(request, merged_entries(), MERGED)
    lines = merge_lines(found.rows)
    context = {
        "rules": MERGE_RULES,
        "found": found,
        "lines": [(line, _page_of(line.local_type, line.local_id)) for line in lines],
    }
    return render(request, "console/log/merges.html", context)


def _needs_reconnect(run: SyncRun) -> bool:
    """Whether the run's connection waits for somebody to log in to Salesforce again."""
    live = live_connection()
    return live is not None and live.pk == run.connection_id and live.state == ConnectionState.NEEDS_RECONNECT


def _page_of(local_type: str, local_id: int | None) -> str:
    page = _RECORD_PAGES.get(local_type)
    return reverse(f"console:{page}", args=[local_id]) if page and local_id else ""
