"""The decider: baseline, local, remote, ways and policy → what each side shall hold, and why.

Pure. It knows values in canonical text only; ``None`` is unknown. See the table in ``docs/architecture.md``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from apps.domain.mapping import FieldRule, Step, Way, Winner

LATEST_TOLERANCE = timedelta(seconds=5)
"""Within it Salesforce wins: its clock and ours are not to be compared more closely."""


class Reason(StrEnum):
    """The rule that decided a field."""

    OFF = "off"
    UNKNOWN = "unknown"
    AGREED = "agreed"
    REMOTE_RULES = "remote_rules"
    LOCAL_RULES = "local_rules"
    REMOTE_MOVED = "remote_moved"
    LOCAL_MOVED = "local_moved"
    CONFLICT_REMOTE = "conflict_remote"
    CONFLICT_LOCAL = "conflict_local"
    CONFLICT_LATEST = "conflict_latest"
    FIRST_CONTACT = "first_contact"
    FILLED = "filled"
    KEPT = "kept"
    BLANK_HELD_BACK = "blank_held_back"
    AUTOMATION = "automation"


REASON_WORDS: dict[Reason, str] = {
    Reason.OFF: "This field is not synced.",
    Reason.UNKNOWN: "Salesforce did not show this field, so nothing was changed.",
    Reason.AGREED: "Both sides agree.",
    Reason.REMOTE_RULES: "Salesforce rules this field.",
    Reason.LOCAL_RULES: "Syncline rules this field.",
    Reason.REMOTE_MOVED: "Only Salesforce had changed it.",
    Reason.LOCAL_MOVED: "Only Syncline had changed it.",
    Reason.CONFLICT_REMOTE: "Both sides had changed it; Salesforce wins.",
    Reason.CONFLICT_LOCAL: "Both sides had changed it; Syncline wins.",
    Reason.CONFLICT_LATEST: "Both sides had changed it; the later change wins (judged by row).",
    Reason.FIRST_CONTACT: "Seen for the first time on both sides.",
    Reason.FILLED: "It was empty and has been filled.",
    Reason.KEPT: "It already has a value, and this field is only filled when empty.",
    Reason.BLANK_HELD_BACK: "The other side is empty, and empty values are not written here.",
    Reason.AUTOMATION: "Automation in your org changed our value back several times, so it is no longer sent.",
}


@dataclass(frozen=True, slots=True)
class BlankPolicy:
    """Whether an empty value may overwrite, for each way."""

    into_local: bool = True
    into_remote: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """When each side last changed, in org time; None: not known."""

    remote: datetime | None = None
    local: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldDecision:
    """What one field comes to. ``local`` and ``remote`` are the values to write, None for none.

    ``base`` is what both sides held at this agreement. While a write to Salesforce is pending it is still the old
    one; ``base_after_write`` takes its place once that write has succeeded.
    """

    reason: Reason
    base: tuple[str | None, str | None]
    local: str | None = None
    remote: str | None = None
    base_after_write: tuple[str | None, str | None] | None = None
    lost: str | None = None

    @property
    def is_quiet(self) -> bool:
        return self.local is None and self.remote is None


def decide_field(
    rule: FieldRule,
    *,
    way_in: Way,
    way_out: Way,
    base: tuple[str | None, str | None],
    remote: str | None,
    local: str | None,
    blanks: BlankPolicy,
    times: Times | None = None,
) -> FieldDecision:
    """Decide one field; ``base`` is (remote, local) at the last agreement, each possibly unknown."""
    if way_in is Way.OFF and way_out is Way.OFF:
        return FieldDecision(Reason.OFF, base)
    if remote is None or local is None:
        return FieldDecision(Reason.UNKNOWN, base)
    if rule.inward(remote) == local:
        return FieldDecision(Reason.AGREED, (remote, local))
    if way_in is Way.OVERWRITE and way_out is Way.OVERWRITE:
        return _two_way(rule, base, remote, local, blanks, times or Times())
    if way_in is Way.OVERWRITE:
        return _inward(rule, base, remote, local, blanks, way_out)
    if way_out is Way.OVERWRITE:
        return _outward(rule, base, remote, local, blanks, way_in)
    return _fill(rule, base, remote, local, way_in, way_out)


def _to_local(rule: FieldRule, reason: Reason, remote: str, local: str, lost: str | None = None) -> FieldDecision:
    value = rule.inward(remote)
    return FieldDecision(reason, (remote, value), local=value, lost=lost)


def _to_remote(
    rule: FieldRule,
    reason: Reason,
    base: tuple[str | None, str | None],
    local: str,
    lost: str | None = None,
) -> FieldDecision:
    value = rule.outward(local)
    return FieldDecision(reason, base, remote=value, base_after_write=(value, local), lost=lost)


def _inward(
    rule: FieldRule,
    base: tuple[str | None, str | None],
    remote: str,
    local: str,
    blanks: BlankPolicy,
    way_out: Way,
) -> FieldDecision:
    """Salesforce rules; its blanks are held back where policy says so, or filled from here."""
    if remote == "":
        if way_out is Way.FILL and local != "":
            return _to_remote(rule, Reason.FILLED, base, local)
        if not blanks.into_local:
            return FieldDecision(Reason.BLANK_HELD_BACK, (remote, local))
    return _to_local(rule, Reason.REMOTE_RULES, remote, local)


def _outward(
    rule: FieldRule,
    base: tuple[str | None, str | None],
    remote: str,
    local: str,
    blanks: BlankPolicy,
    way_in: Way,
) -> FieldDecision:
    """Syncline rules; its blanks are held back where policy says so, or filled from there."""
    if local == "":
        if way_in is Way.FILL and remote != "":
            return _to_local(rule, Reason.FILLED, remote, local)
        if not blanks.into_remote:
            return FieldDecision(Reason.BLANK_HELD_BACK, (remote, local))
    return _to_remote(rule, Reason.LOCAL_RULES, base, local)


def _fill(
    rule: FieldRule,
    base: tuple[str | None, str | None],
    remote: str,
    local: str,
    way_in: Way,
    way_out: Way,
) -> FieldDecision:
    if way_in is Way.FILL and local == "":
        return _to_local(rule, Reason.FILLED, remote, local)
    if way_out is Way.FILL and remote == "":
        return _to_remote(rule, Reason.FILLED, base, local)
    return FieldDecision(Reason.KEPT, (remote, local))


def _two_way(
    rule: FieldRule,
    base: tuple[str | None, str | None],
    remote: str,
    local: str,
    blanks: BlankPolicy,
    times: Times,
) -> FieldDecision:
    base_remote, base_local = base
    if base_remote is None or base_local is None:
        return _first_contact(rule, base, remote, local, times)
    remote_moved, local_moved = remote != base_remote, local != base_local
    if not remote_moved and not local_moved:
        # They differ and did when last judged: agreed to differ.
        return FieldDecision(Reason.AGREED, base)
    if remote_moved and local_moved:
        reason, remote_wins = _winner(rule, times)
    else:
        reason, remote_wins = (Reason.REMOTE_MOVED, True) if remote_moved else (Reason.LOCAL_MOVED, False)
    lost = (local if remote_wins else remote) if remote_moved and local_moved else None
    if remote_wins:
        if remote == "" and not blanks.into_local:
            return FieldDecision(Reason.BLANK_HELD_BACK, (remote, local))
        return _to_local(rule, reason, remote, local, lost)
    if local == "" and not blanks.into_remote:
        return FieldDecision(Reason.BLANK_HELD_BACK, (remote, local))
    return _to_remote(rule, reason, base, local, lost)


def _first_contact(
    rule: FieldRule, base: tuple[str | None, str | None], remote: str, local: str, times: Times
) -> FieldDecision:
    """Without a baseline the side with a value gives it; where both have one, the winner does."""
    if remote == "":
        return _to_remote(rule, Reason.FIRST_CONTACT, base, local)
    if local == "":
        return _to_local(rule, Reason.FIRST_CONTACT, remote, local)
    _, remote_wins = _winner(rule, times)
    if remote_wins:
        return _to_local(rule, Reason.FIRST_CONTACT, remote, local, lost=local)
    return _to_remote(rule, Reason.FIRST_CONTACT, base, local, lost=remote)


def _winner(rule: FieldRule, times: Times) -> tuple[Reason, bool]:
    if rule.winner is Winner.REMOTE:
        return Reason.CONFLICT_REMOTE, True
    if rule.winner is Winner.LOCAL:
        return Reason.CONFLICT_LOCAL, False
    if times.remote is None or times.local is None:
        return Reason.CONFLICT_LATEST, True
    return Reason.CONFLICT_LATEST, times.remote >= times.local - LATEST_TOLERANCE


@dataclass(frozen=True, slots=True)
class Baseline:
    """What each side held at the last agreement, by field key; a missing key is unknown."""

    remote: Mapping[str, str | None]
    local: Mapping[str, str | None]

    def of(self, key: str) -> tuple[str | None, str | None]:
        return self.remote.get(key), self.local.get(key)


def decide_fields(
    step: Step,
    *,
    base: Baseline,
    remote: Mapping[str, str | None],
    local: Mapping[str, str | None],
    blanks: BlankPolicy,
    remote_at: datetime | None = None,
    local_at: Mapping[str, datetime] | None = None,
) -> dict[str, FieldDecision]:
    """Decide every field of a linked pair under its step; keyed by field key.

    ``remote`` is by remote field, ``local`` by local field. ``remote_at`` is when a user last changed the row,
    ``local_at`` when each local field was changed, in org time.
    """
    changed = local_at or {}
    return {
        rule.key: decide_field(
            rule,
            way_in=step.way_in(rule),
            way_out=step.way_out(rule),
            base=base.of(rule.key),
            remote=remote.get(rule.remote_field),
            local=local.get(rule.local_field),
            blanks=blanks,
            times=Times(remote_at, changed.get(rule.local_field)),
        )
        for rule in step.rules
    }
