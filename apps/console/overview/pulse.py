"""Health in one look (G06): how the connection does, when it synced last and will next, how far it lags, what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from apps.integrations.models import Connection, Health
from apps.outbox.models import OutboundChange
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunObject, Schedule, SyncRun, Watermark
from apps.sync.selectors.progress import duration_words
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.sync_settings.models import SyncSettings

_SLACK = timedelta(minutes=10)
_PULLS = (RunKind.FULL.value, RunKind.DIFFERENTIAL.value, RunKind.OBJECT.value)
_OPEN = [state.value for state in OPEN_RUN_STATES]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state in a word or two, the reason, and the one button that helps, if any does."""

    tone: str
    icon: str
    title: str
    words: str
    button: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows or changes on their way, and how many of them cannot go on without somebody."""

    count: int
    stuck: int


@dataclass(frozen=True, slots=True)
class Pulse:
    """Everything that the strip at the top of the overview says."""

    verdict: Verdict
    last: SyncRun | None
    next_at: datetime | None
    next_words: str
    lag: str
    covered_to: datetime | None
    is_late: bool
    incoming: Waiting
    outgoing: Waiting


_HEALTH: dict[str, tuple[str, str, str]] = {
    Health.HEALTHY: ("ok", "circle-check", "Healthy"),
    Health.DELAYED: ("warn", "hourglass", "Delayed"),
    Health.PAUSED: ("warn", "circle-pause", "Paused"),
    Health.NEEDS_YOU: ("bad", "triangle-alert", "Needs you"),
}


@dataclass(frozen=True, slots=True)
class HealthWords:
    """The connection's health with its colour and sign."""

    tone: str
    icon: str
    words: str


def health_words(connection: Connection) -> HealthWords:
    """How the connection itself does, whatever its records do."""
    return HealthWords(*_HEALTH[connection.health])


def pulse_of(connection: Connection, settings: SyncSettings, errors: int) -> Pulse:
    """The state of a connection, in a handful of cheap questions."""
    now = timezone.now()
    runs = SyncRun.objects.filter(connection_id=connection.pk, kind__in=_PULLS)
    last = runs.filter(finished_at__isnull=False).order_by("-finished_at").first()
    is_running = runs.filter(state__in=_OPEN).exists()
    covered_to = Watermark.objects.filter(connection_id=connection.pk).aggregate(at=Min("covered_to"))["at"]
    next_at, next_words = _next_sync(connection, settings, is_running=is_running, has_synced=covered_to is not None)
    return Pulse(
        verdict=_verdict(connection, settings, errors, is_running=is_running, has_synced=covered_to is not None),
        last=last,
        next_at=next_at if next_at and next_at > now else None,
        next_words=f"In {_rounded(next_at - now)}" if next_at and next_at > now else next_words,
        lag=_rounded(now - covered_to) if covered_to else "",
        covered_to=covered_to,
        is_late=_is_late(covered_to, settings, now),
        incoming=_incoming(connection),
        outgoing=_outgoing(),
    )


def _rounded(span: timedelta) -> str:
    """A length of time without seconds, unless there is nothing else."""
    seconds = max(0, round(span.total_seconds()))
    return duration_words(seconds if seconds < 60 else seconds // 60 * 60)


def _verdict(
    connection: Connection, settings: SyncSettings, errors: int, *, is_running: bool, has_synced: bool
) -> Verdict:
    if connection.health == Health.NEEDS_YOU:
        reason = connection.health_reason
        return Verdict("bad", "triangle-alert", "Salesforce needs you", reason, "Open the connection", "salesforce")
    if connection.health == Health.PAUSED:
        return Verdict("warn", "circle-pause", "Syncing is paused", connection.health_reason)
    if connection.health == Health.DELAYED:
        return Verdict("warn", "hourglass", "Salesforce is delayed", connection.health_reason)
    if is_running:
        return Verdict("busy", "refresh-cw", "Syncing now", "Records appear here as they arrive.")
    if not settings.syncs_enabled:
        words = "Nothing moves either way. Changes for Salesforce wait here."
        return Verdict("off", "circle-pause", "Syncs are off", words, "Open the settings", "sync-settings")
    if not has_synced:
        words = "A full sync brings everything in once; from then on, changes follow."
        return Verdict("busy", "cloud-download", "Ready for the first full sync", words)
    if errors:
        words = "Everything else is in line. Each error says what helps."
        title = f"{errors:,} record{'' if errors == 1 else 's'} need{'s' if errors == 1 else ''} you"
        return Verdict("warn", "triangle-alert", title, words, "See what helps", "errors-list")
    return Verdict("ok", "circle-check", "Everything is in line", "No record waits for you.")


def _next_sync(
    connection: Connection, settings: SyncSettings, *, is_running: bool, has_synced: bool
) -> tuple[datetime | None, str]:
    """When the next one is due, or in words why nobody can say."""
    if is_running:
        return None, "Running now"
    if not settings.syncs_enabled:
        return None, "Not while syncs are off"
    if not has_synced:
        return None, "After the first full sync"
    if not settings.frequency_minutes:
        return None, "When you start it"
    schedule = Schedule.objects.filter(connection_id=connection.pk).first()
    if schedule is None or schedule.differential_due_at is None:
        return None, "When you start it"
    return schedule.differential_due_at, "Due now"


def _is_late(covered_to: datetime | None, settings: SyncSettings, now: datetime) -> bool:
    """Whether changes of Salesforce have been missing for longer than the frequency explains."""
    if covered_to is None or not settings.syncs_enabled or not settings.frequency_minutes:
        return False
    return now - covered_to > 2 * timedelta(minutes=settings.frequency_minutes) + _SLACK


def _incoming(connection: Connection) -> Waiting:
    """Rows that were fetched and not saved yet, and those that will be tried again."""
    done = Sum("created") + Sum("updated") + Sum("unchanged") + Sum("skipped") + Sum("failed")
    rows: Any = RunObject.objects.filter(run__connection_id=connection.pk, run__state__in=_OPEN, is_done=False)
    found = rows.exclude(run__kind=RunKind.OUTBOUND).aggregate(fetched=Sum("fetched"), saved=done)
    retried = SyncError.objects.filter(state__in=LIVE_STATES, way="in", next_attempt_at__isnull=False).count()
    return Waiting(max(0, (found["fetched"] or 0) - (found["saved"] or 0)) + retried, retried)


def _outgoing() -> Waiting:
    """Changes for Salesforce, and how many of them are held until somebody decides."""
    held = Count("id", filter=Q(state="held"))
    found = OutboundChange.objects.aggregate(total=Count("id"), held=held)
    return Waiting(found["total"] - found["held"], found["held"])
