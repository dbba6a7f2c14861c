"""What the settings page shows beside the form: the budget as bars with words, what waits, what a full sync is for."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from apps.domain.budget import Level, Limit, Standing
from apps.field_mappings.models import MappingVersion
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.sync.models import SyncRun
from apps.sync_settings.budget import standing_of, words_of
from apps.sync_settings.models import SyncSettings

_TONES = {Level.FREE: "", Level.WARNED: "warn", Level.ESSENTIAL_ONLY: "bad", Level.PAUSED: "bad"}
_MUCH = 80


@dataclass(frozen=True, slots=True)
class Bar:
    """Used of allowed; the tone is said in words, too."""

    title: str
    used: int
    allowed: int
    percent: int
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Budget:
    """Our own use and the org's; no bars before Salesforce has told its allowance."""

    own_calls: int
    bars: list[Bar]
    seen_at: datetime | None
    resumes_at: datetime | None


def budget_of(connection: Connection, settings: SyncSettings) -> tuple[Budget, Standing]:
    """The budget as the page shows it, and the standing behind it."""
    now = timezone.now()
    standing = standing_of(connection, settings, now=now)
    bars = [bar for bar in (_own(standing, settings), _org(standing)) if bar is not None]
    return Budget(standing.own_calls, bars, connection.api_seen_at, standing.resumes_at), standing


def _own(standing: Standing, settings: SyncSettings) -> Bar | None:
    if not standing.allowance:
        return None
    is_ours = standing.limit is not Limit.ORG
    words = words_of(standing) if is_ours else ""
    return Bar(
        title=f"Syncline's share ({settings.api_share_percent} %)",
        used=standing.own_calls,
        allowed=standing.allowance,
        percent=standing.percent,
        tone=_TONES[standing.level] if is_ours else "",
        words=words or f"{standing.percent} % used, by everything Syncline did in the last 24 hours.",
    )


def _org(standing: Standing) -> Bar | None:
    if standing.org_used is None or not standing.org_allowed:
        return None
    percent = standing.org_used * 100 // standing.org_allowed
    words = f"{percent} % used, by everything that calls your org."
    if standing.limit is Limit.ORG:
        words = words_of(standing)
    elif percent >= _MUCH:
        words += " Little is left for anybody."
    tone = "bad" if standing.limit is Limit.ORG or percent >= 100 else "warn" if percent >= _MUCH else ""
    return Bar("Your whole org", standing.org_used, standing.org_allowed, percent, tone, words)


def waiting_changes() -> int:
    """Changes for Salesforce that have not gone out."""
    return OutboundChange.objects.count()


def why_full_sync(connection: Connection, last: SyncRun | None) -> str:
    """Why one is needed now, as far as can be known; empty where nothing speaks for it."""
    if last is None:
        return "None has run yet. Changes follow by themselves once it has."
    latest = MappingVersion.objects.filter(connection=connection).order_by("-number").first()
    if latest is not None and latest.pk != last.mapping_version_id:
        return "The mappings were changed since the last one: run it to apply them to what is already here."
    return ""
