"""How the sync of a connection stands: what ran last, what comes next, up to when everything is in."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

from apps.integrations.models import Connection
from apps.sync.models import OPEN_RUN_STATES, RunKind, Schedule, SyncRun, Watermark

PULLS = (RunKind.FULL.value, RunKind.DIFFERENTIAL.value, RunKind.OBJECT.value, RunKind.SWEEP.value)


@dataclass(frozen=True, slots=True)
class Standing:
    """``covered_to`` is org time up to which every change of Salesforce is in; None before the first full sync."""

    open_run: SyncRun | None
    last_run: SyncRun | None
    next_at: datetime | None
    covered_to: datetime | None


def standing_of(connection: Connection) -> Standing:
    """The standing of a connection, in four cheap questions."""
    runs = SyncRun.objects.filter(connection_id=connection.pk, kind__in=PULLS)
    schedule = Schedule.objects.filter(connection_id=connection.pk).first()
    marks = Watermark.objects.filter(connection_id=connection.pk).aggregate(at=Min("covered_to"))
    return Standing(
        open_run=runs.filter(state__in=[state.value for state in OPEN_RUN_STATES]).order_by("-id").first(),
        last_run=runs.filter(finished_at__isnull=False).order_by("-queued_at", "-id").first(),
        next_at=schedule.differential_due_at if schedule else None,
        covered_to=marks["at"],
    )
