"""Runs for the activity log: the list, one run, and how far it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet, Sum

from apps.core.paging import Order
from apps.sync.models import ObjectStage, RunKind, RunObject, RunState, SyncRun
from apps.sync.selectors.progress import Progress, progress

NEWEST = Order("newest", ("queued_at", "id"), (datetime, int), descending=True)

KIND_WORDS: dict[str, str] = {
    RunKind.FULL: "Full sync",
    RunKind.OBJECT: "Object sync",
    RunKind.DIFFERENTIAL: "Differential sync",
    RunKind.SWEEP: "Nightly comparison",
    RunKind.RECORD: "Record sync",
    RunKind.OUTBOUND: "Push to Salesforce",
}
STATE_WORDS: dict[str, str] = {
    RunState.QUEUED: "Waiting to start",
    RunState.RUNNING: "Running",
    RunState.CANCELLING: "Stopping",
    RunState.CANCELLED: "Cancelled",
    RunState.COMPLETED: "Completed",
    RunState.FAILED: "Failed",
}
TRIGGER_WORDS = {"manual": "Started", "schedule": "On schedule", "system": "Started by Syncline"}
SKIP_WORDS = {
    "filtered": "left out by the step's filter",
    "superseded": "a newer version was already here",
    "person_account": "a person account, which comes in through its contact",
    "creating_is_off": "creating records here is off",
    "apart": "unlinked by hand",
    "erased": "erased here on request",
    "missing_parent": "its parent is not synced",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of the rows of a run, or of one of its objects."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the log shows it."""

    run: SyncRun
    kind: str
    state: str
    trigger: str
    totals: Totals
    seconds: float | None

    @property
    def has_warnings(self) -> bool:
        return bool(self.run.warnings)


@dataclass(frozen=True, slots=True)
class ObjectView:
    """One sObject of a run as its page shows it."""

    row: RunObject
    phase: str
    totals: Totals
    progress: Progress
    skips: list[tuple[str, int]] = field(default_factory=list)


_COUNTERS = ("created", "updated", "unchanged", "skipped", "failed")


def runs(*, state: str = "", kind: str = "") -> "QuerySet[SyncRun]":
    """Runs under the filters."""
    rows: QuerySet[SyncRun] = SyncRun.objects.all()
    if state:
        rows = rows.filter(state=state)
    return rows.filter(kind=kind) if kind else rows


def run_views(shown: Sequence[SyncRun], now: datetime) -> list[RunView]:
    """The runs with their totals, in one further question."""
    summed: Any = RunObject.objects.filter(run_id__in=[run.pk for run in shown]).order_by().values_list("run_id")
    totals = {
        run_id: Totals(*(count or 0 for count in counts))
        for run_id, *counts in summed.annotate(*(Sum(name) for name in _COUNTERS))
    }
    return [run_view(run, totals.get(run.pk, Totals()), now) for run in shown]


def run_view(run: SyncRun, totals: Totals, now: datetime) -> RunView:
    """A run in words."""
    seconds = ((run.finished_at or now) - run.started_at).total_seconds() if run.started_at else None
    return RunView(
        run=run,
        kind=KIND_WORDS.get(run.kind, run.kind),
        state=STATE_WORDS.get(run.state, run.state),
        trigger=TRIGGER_WORDS.get(run.trigger, run.trigger),
        totals=totals,
        seconds=seconds,
    )


def object_views(run: SyncRun, now: datetime) -> list[ObjectView]:
    """The objects of a run, parents first, each with its progress."""
    rows = RunObject.objects.filter(run_id=run.pk).defer("columns", "soql").order_by("position")
    return [_object_view(row, run, now) for row in rows]


def _object_view(row: RunObject, run: SyncRun, now: datetime) -> ObjectView:
    totals = Totals(*(getattr(row, name) for name in _COUNTERS))
    reasons = sorted(row.skip_reasons.items(), key=lambda pair: -pair[1])
    return ObjectView(
        row=row,
        phase=phase_words(row, run),
        totals=totals,
        progress=progress(
            fetched=row.fetched,
            applied=totals.read,
            expected=row.fetched if row.is_done else row.expected,
            started_at=row.started_at,
            now=row.finished_at or run.finished_at or now,
        ),
        skips=[(SKIP_WORDS.get(reason, reason.replace("_", " ")), count) for reason, count in reasons],
    )


def phase_words(row: RunObject, run: SyncRun) -> str:
    """What is happening with an object, in words."""
    if row.stage == ObjectStage.SKIPPED:
        return "Left out"
    if row.is_done:
        return "Done"
    if not run.is_open:
        return "Stopped"
    return {
        ObjectStage.WAITING: "Waiting",
        ObjectStage.ASKED: "Salesforce is preparing the rows",
        ObjectStage.FETCHING: "Fetching and saving",
        ObjectStage.FETCHED: "Saving",
    }[ObjectStage(row.stage)]


def sum_of(objects: Sequence[ObjectView]) -> Totals:
    """The totals of a run from those of its objects."""
    return Totals(*(sum(getattr(view.totals, name) for view in objects) for name in _COUNTERS))


def overall(objects: Sequence[ObjectView], run: SyncRun, now: datetime) -> Progress:
    """Progress of the whole run; an object whose size is not known yet leaves the whole unknown."""
    expected = [view.progress.total for view in objects if view.row.stage != ObjectStage.SKIPPED]
    known = None if not expected or None in expected else sum(count or 0 for count in expected)
    return progress(
        fetched=sum(view.row.fetched for view in objects),
        applied=sum(view.totals.read for view in objects),
        expected=known,
        started_at=run.started_at,
        now=run.finished_at or now,
    )
