"""Steps and field rules as the decider reads them."""

from dataclasses import dataclass, field
from enum import StrEnum

from apps.domain.filters import Filter
from apps.domain.values import FieldType


class Way(StrEnum):
    """What a mapping does in one direction."""

    OFF = "off"
    FILL = "fill"
    OVERWRITE = "overwrite"


class Winner(StrEnum):
    """Who wins when both sides moved."""

    REMOTE = "remote"
    LOCAL = "local"
    LATEST = "latest"


class Direction(StrEnum):
    """Which way a step carries changes."""

    PULL = "pull"
    PUSH = "push"
    TWO_WAY = "two_way"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field pair. ``key`` names it in baselines and entries."""

    remote_field: str
    remote_type: FieldType
    local_field: str
    way_in: Way
    way_out: Way
    winner: Winner = Winner.REMOTE
    scale: int | None = None
    value_map: dict[str, str] = field(default_factory=dict, hash=False)
    is_key: bool = False

    @property
    def key(self) -> str:
        return f"{self.remote_field}>{self.local_field}"

    def inward(self, remote: str) -> str:
        """A remote value in the words of our side."""
        return self.value_map.get(remote, remote)

    def outward(self, local: str) -> str:
        """A local value in the words of Salesforce; the first entry of the map that gives it."""
        return next((theirs for theirs, ours in self.value_map.items() if ours == local), local)


@dataclass(frozen=True, slots=True)
class Step:
    """One sObject bound to one local type. What counts is way ∧ direction ∧ permission. ``zone`` names the sync user's
    time zone where a date of the inbound filter moves with the calendar."""

    sobject: str
    local_type: str
    direction: Direction
    rules: tuple[FieldRule, ...]
    position: int = 0
    create_local: bool = True
    update_local: bool = True
    create_remote: bool = False
    update_remote: bool = False
    inbound_filter: Filter | None = None
    outbound_filter: Filter | None = None
    excludes_updates: bool = False
    zone: str = ""

    @property
    def pulls(self) -> bool:
        return self.direction is not Direction.PUSH

    @property
    def pushes(self) -> bool:
        return self.direction is not Direction.PULL

    def way_in(self, rule: FieldRule) -> Way:
        """The way that counts for an update here."""
        return rule.way_in if self.pulls and self.update_local else Way.OFF

    def brings(self, rule: FieldRule) -> bool:
        """Whether the field is filled when a record is made here."""
        return self.pulls and rule.way_in is not Way.OFF

    def sends(self, rule: FieldRule) -> bool:
        """Whether the field is filled when a row is made there."""
        return self.pushes and rule.way_out is not Way.OFF

    def way_out(self, rule: FieldRule) -> Way:
        """The way that counts for an update there."""
        return rule.way_out if self.pushes and self.update_remote else Way.OFF

    @property
    def key_rule(self) -> FieldRule | None:
        return next((rule for rule in self.rules if rule.is_key), None)
