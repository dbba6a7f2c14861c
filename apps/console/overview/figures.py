"""What the overview counts, read in a handful of cheap questions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.audience.selectors.counts import RecordCounts, record_counts
from apps.console.charts import AreaChart, BarChart, area_chart, bar_chart
from apps.domain.remedies import words_for
from apps.integrations.models import ApiUsage, Connection
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunObject, SyncRun
from apps.sync.selectors.progress import Progress, duration_words
from apps.sync.selectors.runs import ObjectView, RunView, object_views, overall, run_view, run_views, sum_of
from apps.sync_errors.selectors import CategoryCount, live_by_category
from apps.sync_settings.budget import standing_of, words_of
from apps.sync_settings.models import SyncSettings

RANGES = (14, 30, 90)
_API_DAYS = 14
_API_HEIGHT = 56
_MOST_CATEGORIES = 6
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
    """Live errors of one category in a marketer's words; ``share`` is the length of its bar in percent."""

    category: str
    title: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Meter:
    """Calls of 24 hours beside their limit."""

    used: int
    allowed: int

    @property
    def percent(self) -> int:
        return self.used * 100 // self.allowed

    @property
    def words(self) -> str:
        return "under 1 %" if self.used and not self.percent else f"{self.percent} %"

    @property
    def tone(self) -> str:
        return "bad" if self.percent >= _SPENT_PERCENT else "warn" if self.percent >= _TIGHT_PERCENT else ""


@dataclass(frozen=True, slots=True)
class ApiUse:
    """The org's calls of the last 24 hours, ours against our share of them, and ours by day."""

    org: Meter
    own: Meter
    share_percent: int
    words: str
    resumes_at: datetime | None
    days: BarChart


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything below the strip."""

    counts: RecordCounts
    live: LiveRun | None
    runs: list[RunView]
    errors: list[ErrorCategory]
    error_count: int
    api: ApiUse | None
    chart: AreaChart


def overview_of(connection: Connection, settings: SyncSettings, days: int) -> Overview:
    """The figures of a connected tenant over so many days."""
    errors = live_by_category()
    latest = list(SyncRun.objects.filter(connection_id=connection.pk).order_by("-queued_at", "-id")[:_LATEST])
    return Overview(
        counts=record_counts(),
        live=live_run(connection),
        runs=run_views(latest, timezone.now()),
        errors=_categories(errors),
        error_count=sum(error.count for error in errors),
        api=_api_use(connection, settings),
        chart=_throughput(days),
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


def _categories(counts: list[CategoryCount]) -> list[ErrorCategory]:
    most = max((one.count for one in counts), default=1)
    return [
        ErrorCategory(
            one.category, words_for(one.category).title, one.count, max(1.5, round(100 * one.count / most, 1))
        )
        for one in counts[:_MOST_CATEGORIES]
    ]


def _api_use(connection: Connection, settings: SyncSettings) -> ApiUse | None:
    if not connection.api_allowed or connection.api_used is None:
        return None
    standing = standing_of(connection, settings, now=timezone.now())
    since = timezone.now().date() - timedelta(days=_API_DAYS - 1)
    used: Any = ApiUsage.objects.filter(connection=connection, hour__date__gte=since)
    by_day = used.annotate(day=TruncDate("hour")).values("day").order_by("day").annotate(n=Sum("calls"))
    calls = _filled(since, _API_DAYS, ((row["day"], int(row["n"])) for row in by_day))
    return ApiUse(
        org=Meter(connection.api_used, connection.api_allowed),
        own=Meter(standing.own_calls, standing.allowance or 1),
        share_percent=settings.api_share_percent,
        words=words_of(standing),
        resumes_at=standing.resumes_at,
        days=bar_chart(calls, height=_API_HEIGHT, unit="calls"),
    )


def _throughput(days: int) -> AreaChart:
    """Rows read from Salesforce and rows written to it, by the day on which they were finished."""
    since = timezone.now().date() - timedelta(days=days - 1)
    done: Any = RunObject.objects.filter(finished_at__date__gte=since).annotate(day=TruncDate("finished_at"))
    pulled = done.exclude(run__kind=RunKind.OUTBOUND).values("day").order_by("day").annotate(n=Sum("fetched"))
    pushed = (
        done.filter(run__kind=RunKind.OUTBOUND)
        .values("day")
        .order_by("day")
        .annotate(n=Sum(F("created") + F("updated")))
    )
    read, written = (_filled(since, days, ((row["day"], int(row["n"])) for row in rows)) for rows in (pulled, pushed))
    return area_chart(
        [label for label, _ in read],
        [("in", "From Salesforce", [n for _, n in read]), ("out", "To Salesforce", [n for _, n in written])],
    )


def _filled(since: date, days: int, found: Iterable[tuple[date, int]]) -> list[tuple[str, int]]:
    """Every day with its number, those without one as zero."""
    numbers = dict(found)
    every = [since + timedelta(days=i) for i in range(days)]
    return [(f"{day.day} {day:%b}", numbers.get(day, 0)) for day in every]
