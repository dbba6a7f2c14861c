"""One rule at work on one person, and what its actions come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.audience.models import Person
from apps.domain.actions import ActionKind
from apps.sync_actions.models import Rule
from apps.sync_actions.values import values_of

ORIGIN = "rule"


class ActionFailed(Exception):
    """An action that could not be carried out, with the reason in words."""


@dataclass(frozen=True, slots=True)
class RuleActor:
    """A rule, as the timeline and the audit log name it."""

    display_name: str
    pk: None = None

    @property
    def email(self) -> str:
        """What the audit log shows where a member has an address."""
        return self.display_name


@dataclass
class Acting:
    """One rule at work on one person. ``key`` names the event, ``why`` says it in words."""

    rule: Rule
    person: Person
    key: str
    why: str
    now: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    chain: list[int] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = values_of(self.person, self.details)

    @property
    def actor(self) -> RuleActor:
        return RuleActor(f"Rule “{self.rule.name}”")

    def refresh(self) -> None:
        """Read the person anew: the next action sees what this one did."""
        self.person = Person.objects.get(id=self.person.pk)
        self.values = values_of(self.person, self.details)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action did. Without ``is_done`` there was nothing to do."""

    words: str
    before: str = ""
    after: str = ""
    is_done: bool = True
    has_failed: bool = False

    def to_dict(self, kind: ActionKind) -> dict[str, Any]:
        """Plain data for the effect log."""
        return {
            "kind": kind.value,
            "words": self.words,
            "before": self.before[:500],
            "after": self.after[:500],
            "done": self.is_done,
            "failed": self.has_failed,
        }


def whole(text: str) -> int:
    """The whole number that an action is told. Raises ActionFailed."""
    try:
        return int(text)
    except ValueError as error:
        raise ActionFailed("The action is incomplete: open the rule and save it again.") from error
