"""The API budget (B14): what Syncline may still ask of an org, from its own calls by the hour and the org's numbers.

Salesforce counts an org's calls over rolling 24 hours (Salesforce Developer Limits quick reference). Ours are kept by
the hour; an hour counts until its last moment has left the window, so that what is counted is never too little.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

WINDOW = timedelta(hours=24)
COUNTED_FOR = WINDOW + timedelta(hours=1)
"""How long the calls of an hour count, from its beginning."""
PROBE_EVERY = timedelta(minutes=15)
"""An org whose own limit is reached is asked again so often, with one call."""
WARNED_AT, ESSENTIAL_AT, PAUSED_AT = 80, 95, 100
"""Percent of our share."""


class Work(StrEnum):
    """What calls are for, in the order in which it goes without when they get scarce."""

    INTERACTIVE = "interactive"
    """Somebody waits for it: "Sync now" of a record."""
    ESSENTIAL = "essential"
    """It must not wait a day: opt-outs, the end of what has begun."""
    ROUTINE = "routine"
    """Differential syncs and pushes."""
    BACKFILL = "backfill"
    """Full syncs, sweeps, metadata."""


class Level(IntEnum):
    """How much is left; a higher one allows less."""

    FREE = 0
    WARNED = 1
    ESSENTIAL_ONLY = 2
    PAUSED = 3


class Limit(StrEnum):
    """Which limit is the reason."""

    NONE = "none"
    SHARE = "share"
    ORG = "org"


@dataclass(frozen=True, slots=True)
class HourCalls:
    """Our calls of one hour (UTC), named by its beginning."""

    hour: datetime
    calls: int


@dataclass(frozen=True, slots=True)
class OrgUse:
    """What Salesforce last said of the whole org, and whether it has refused calls since a probe last succeeded."""

    used: int | None = None
    allowed: int | None = None
    seen_at: datetime | None = None
    is_refusing: bool = False
    next_probe_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How we stand with an org's calls at one moment. ``allowance`` is None where the org's is not known."""

    own_calls: int
    allowance: int | None
    org_used: int | None
    org_allowed: int | None
    level: Level
    limit: Limit
    paused_until: datetime | None
    """When interactive and essential work may go on; None: now."""
    restricted_until: datetime | None
    """When all work may go on; None: now."""

    @property
    def percent(self) -> int:
        """Own calls as percent of our share, rounded down."""
        return self.own_calls * 100 // self.allowance if self.allowance else 0

    @property
    def resumes_at(self) -> datetime | None:
        """The first moment at which more is allowed than now; None where nothing is refused."""
        return self.paused_until if self.level is Level.PAUSED else self.restricted_until

    def allows(self, work: Work) -> bool:
        """Whether calls for this may be made now."""
        return self.resumes(work) is None

    def resumes(self, work: Work) -> datetime | None:
        """The first moment at which calls for this may be made; None: now."""
        return self.paused_until if work in {Work.INTERACTIVE, Work.ESSENTIAL} else self.restricted_until


def allowance_of(org_allowed: int | None, share_percent: int) -> int | None:
    """Calls that Syncline may make in 24 hours."""
    return max(1, org_allowed * share_percent // 100) if org_allowed else None


def standing(hours: Iterable[HourCalls], *, share_percent: int, org: OrgUse, now: datetime) -> Standing:
    """How we stand: by our share, and by the org's own limit while it is known to be reached."""
    counted = sorted((h for h in hours if h.hour + COUNTED_FOR > now and h.calls), key=lambda h: h.hour)
    own = sum(h.calls for h in counted)
    allowance = allowance_of(org.allowed, share_percent)
    paused = _below(counted, own, allowance, PAUSED_AT)
    restricted = _below(counted, own, allowance, ESSENTIAL_AT)
    level = _level(own, allowance)
    limit = Limit.NONE if level is Level.FREE else Limit.SHARE
    probe = _org_reached_until(org, now)
    if probe is not None:
        if paused is None or probe > paused:
            limit = Limit.ORG
        level = Level.PAUSED
        paused, restricted = max(paused or probe, probe), max(restricted or probe, probe)
    return Standing(own, allowance, org.used, org.allowed, level, limit, paused, restricted)


def _level(own: int, allowance: int | None) -> Level:
    if allowance is None:
        return Level.FREE
    steps = ((PAUSED_AT, Level.PAUSED), (ESSENTIAL_AT, Level.ESSENTIAL_ONLY), (WARNED_AT, Level.WARNED))
    return next((level for percent, level in steps if own * 100 >= allowance * percent), Level.FREE)


def _below(counted: list[HourCalls], own: int, allowance: int | None, percent: int) -> datetime | None:
    """When enough hours have left the window for our calls to be below a percentage; None where they are."""
    if allowance is None or own * 100 < allowance * percent:
        return None
    left = own
    for hour in counted:
        left -= hour.calls
        if left * 100 < allowance * percent:
            return hour.hour + COUNTED_FOR
    return None


def _org_reached_until(org: OrgUse, now: datetime) -> datetime | None:
    """When the org is asked again: after a refusal only a probe tells; a number seen long ago tells nothing."""
    if org.is_refusing:
        return max(org.next_probe_at or now, now)
    if org.used is None or not org.allowed or org.seen_at is None or org.used < org.allowed:
        return None
    again = org.seen_at + PROBE_EVERY
    return again if again > now else None
