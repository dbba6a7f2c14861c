"""What the overview shows, read in a handful of cheap questions."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.audience.selectors.counts import RecordCounts, record_counts
from apps.console.charts import AreaChart, area_chart
from apps.domain.remedies import words_for
from apps.integrations.models import Connection, Health
from apps.integrations.selectors import own_calls_today
from apps.sync.models import OPEN_RUN_STATES, RunObject, SyncRun
from apps.sync.selectors.progress import Progress, duration_words
from apps.sync.selectors.runs import ObjectView, RunView, object_views, overall, run_view, run_views, sum_of
from apps.sync_errors.selectors import live_by_category

_DAYS = 14
_MOST_CATEGORIES = 5
_LATEST = 6
_TIGHT_PERCENT, _SPENT_PERCENT = 80, 100


@dataclass(frozen=True, slots=True)
class LiveRun:
    """The run that is under way, with its progress."""

    view: RunView
    whole: Progress
    left: str
    objects: list[ObjectView]


@dataclass(frozen=True, slots=True)
class ErrorCategory:
    """Live errors of one category in a marketer's words."""

    category: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class ApiUse:
    """The org's calls of the last 24 hours, and ours among them."""

    used: int
    allowed: int
    own: int
    tone: str

    @property
    def percent(self) -> int:
        return self.used * 100 // self.allowed


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything but the connection itself."""

    counts: RecordCounts
    live: LiveRun | None
    runs: list[RunView]
    errors: list[ErrorCategory]
    error_count: int
    api: ApiUse | None
    chart: AreaChart


HEALTH_WORDS: dict[str, tuple[str, str]] = {
    Health.HEALTHY: ("ok", "Healthy"),
    Health.DELAYED: ("warn", "Delayed"),
    Health.PAUSED: ("warn", "Paused"),
    Health.NEEDS_YOU: ("bad", "Needs you"),
}


def overview_of(connection: Connection) -> Overview:
    """The figures of a connected tenant."""
    errors = live_by_category()
    latest = list(SyncRun.objects.filter(connection_id=connection.pk).order_by("-queued_at", "-id")[:_LATEST])
    return Overview(
        counts=record_counts(),
        live=live_run(connection),
        runs=run_views(latest, timezone.now()),
        errors=[ErrorCategory(e.category, words_for(e.category).title, e.count) for e in errors[:_MOST_CATEGORIES]],
        error_count=sum(error.count for error in errors),
        api=_api_use(connection),
        chart=_throughput(),
    )


def live_run(connection: Connection) -> LiveRun | None:
    """The run under way, if there is one."""
    open_states = [state.value for state in OPEN_RUN_STATES]
    run: SyncRun | None = SyncRun.objects.filter(connection_id=connection.pk, state__in=open_states).first()
    if run is None:
        return None
    now = timezone.now()
    objects = object_views(run, now)
    whole = overall(objects, run, now)
    left = "" if whole.seconds_left is None else duration_words(whole.seconds_left)
    return LiveRun(run_view(run, sum_of(objects), now), whole, left, objects)


def _api_use(connection: Connection) -> ApiUse | None:
    if not connection.api_allowed or connection.api_used is None:
        return None
    percent = connection.api_used * 100 // connection.api_allowed
    tone = "bad" if percent >= _SPENT_PERCENT else "warn" if percent >= _TIGHT_PERCENT else ""
    return ApiUse(connection.api_used, connection.api_allowed, own_calls_today(connection), tone)


def _throughput() -> AreaChart:
    today = timezone.now().date()
    since = today - timedelta(days=_DAYS - 1)
    done = (
        RunObject.objects.filter(finished_at__date__gte=since)
        .annotate(day=TruncDate("finished_at"))
        .values("day")
        .order_by("day")
        .annotate(rows=Sum("fetched"))
    )
    by_day = {row["day"]: int(row["rows"]) for row in done}
    days = [since + timedelta(days=i) for i in range(_DAYS)]
    return area_chart([(f"{day.day} {day:%b}", by_day.get(day, 0)) for day in days])
