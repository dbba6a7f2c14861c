"""Runs of one record: the one that is open, and what came of one, in words."""

from dataclasses import dataclass

from apps.integrations.models import Connection
from apps.sync.models import OPEN_RUN_STATES, EntryAction, RunEntry, RunKind, RunObject, RunState, SyncRun
from apps.sync.selectors.entries import Change, changes_of
from apps.sync_errors.models import SyncError

_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """A record's run in words: what it changed here, what it wrote there, what stopped it;
    ``left_out`` is why a row that was asked for by its id was not brought in."""

    run: SyncRun
    words: str
    tone: str
    here: list[Change]
    there: list[Change]
    made_there: bool
    problems: list[str]
    left_out: str = ""


def progress_of(run: SyncRun) -> Progress:
    """A run of one record in words."""
    entries = list(RunEntry.objects.filter(run_id=run.pk).order_by("number")[:_MOST_LINES])
    inward = [entry for entry in entries if entry.way == "in"]
    outward = [entry for entry in entries if entry.way == "out"]
    here = [change for entry in inward for change in changes_of(entry)]
    there = [change for entry in outward for change in changes_of(entry)]
    made = any(entry.action == EntryAction.CREATED for entry in outward)
    problems = [run.failure] if run.failure else []
    errors = SyncError.objects.filter(run_id=run.pk)
    if run.local_id is not None:
        errors = errors.filter(local_type=run.local_type, local_id=run.local_id)
    problems += [error.message for error in errors.order_by("-id")[:5] if error.is_live]
    left_out = _left_out(run)
    words, tone = _words(run, bool(here or there or made or inward), bool(problems), bool(left_out))
    return Progress(run, words, tone, here, there, made, problems, left_out)


def _left_out(run: SyncRun) -> str:
    if not run.remote_id or run.local_id is not None:
        return ""
    notes = RunObject.objects.filter(run=run, sobject=run.remote_sobject).values_list("note", flat=True)
    return str(notes.first() or "")


def _words(run: SyncRun, did_something: bool, has_problems: bool, is_left_out: bool) -> tuple[str, str]:
    if run.state == RunState.QUEUED:
        return run.waiting_reason or "Waiting to start", "busy"
    if run.is_open:
        return run.waiting_reason or run.step or "Comparing with Salesforce", "busy"
    if run.state == RunState.FAILED or has_problems:
        return "It did not go through", "bad"
    if is_left_out:
        return "It was not brought in", "warn"
    if run.state == RunState.CANCELLED:
        return "It was stopped", "warn"
    return ("Synced", "ok") if did_something else ("Nothing to do: both sides agree", "ok")


def open_run_of_row(connection: Connection, remote_id: str) -> SyncRun | None:
    """The run that is open of a row without a record here."""
    found: SyncRun | None = SyncRun.objects.filter(
        connection_id=connection.pk, kind=RunKind.RECORD, remote_id=remote_id, state__in=OPEN_RUN_STATES
    ).first()
    return found


def open_run_of(connection: Connection | None, local_type: str, record_id: int) -> SyncRun | None:
    """The run that is open of a record."""
    if connection is None:
        return None
    found: SyncRun | None = SyncRun.objects.filter(
        connection_id=connection.pk,
        kind=RunKind.RECORD,
        local_type=local_type,
        local_id=record_id,
        state__in=OPEN_RUN_STATES,
    ).first()
    return found
