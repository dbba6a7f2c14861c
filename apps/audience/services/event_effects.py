"""What events do to a person, in the order in which they happened: score, visit, touches, consent, inbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.audience.models import EventKind, Person
from apps.audience.services.event_drafts import CheckedEvent

MOST_POINTS = 1_000_000
OPT_OUT = "email_opt_out"
AUTOMATIC = (
    "score",
    "most_recent_visit",
    "first_touch_channel",
    "first_touch_source",
    "last_touch_channel",
    "last_touch_source",
)
"""Columns whose changes Syncline tells Salesforce by itself (E03, E05, E06)."""
STATUSES = ("sequence_status", "inbox_state")
"""Columns that may be translated into Lead Status (E08)."""
WRITTEN = (*AUTOMATIC, *STATUSES, "first_touch_at", "last_touch_at", OPT_OUT, "email_bounced", "is_active")
"""Every column that an event may change."""
_TOUCHES = frozenset({EventKind.FORM_SUBMITTED, EventKind.PAGE_VISITED, EventKind.EMAIL_CLICKED})


@dataclass
class Affected:
    """A person and what became of them; ``before`` holds the columns as they were."""

    person: Person
    before: dict[str, Any] = field(default_factory=dict)
    opted_out_by: str = ""
    has_replied: bool = False
    is_stopped: bool = False

    def __post_init__(self) -> None:
        self.before = {name: getattr(self.person, name) for name in WRITTEN}

    @property
    def changed(self) -> set[str]:
        """The columns that differ from what they were."""
        return {name for name, value in self.before.items() if getattr(self.person, name) != value}


def added_points(score: int, points: int) -> int:
    """What really is added: no score falls below zero or grows without end."""
    return max(-score, min(points, MOST_POINTS - score))


def apply_event(affected: Affected, event: CheckedEvent, points: Mapping[str, int]) -> int:
    """Put what the event does on the person; answers the points that it really added."""
    person = affected.person
    added = added_points(person.score, points.get(event.kind, 0))
    person.score += added
    if event.kind is EventKind.PAGE_VISITED:
        person.most_recent_visit = _later(person.most_recent_visit, event.happened_at)
    if event.kind in _TOUCHES:
        _touch(person, event)
    if event.kind is EventKind.UNSUBSCRIBED:
        _opt_out(affected, event, "Unsubscribed")
    if event.kind is EventKind.EMAIL_BOUNCED and event.text("bounce").lower() == "hard":
        person.email_bounced = True
        _opt_out(affected, event, "Hard bounce")
    if event.kind is EventKind.REPLIED:
        affected.has_replied = True
        person.inbox_state = event.text("inbox_state") or "replied"
    if event.kind is EventKind.FORM_SUBMITTED:
        person.is_active = True
    return added


def _later(known: datetime | None, moment: datetime) -> datetime:
    return moment if known is None else max(known, moment)


def _touch(person: Person, event: CheckedEvent) -> None:
    channel, source = event.text("channel"), event.text("source")
    if not channel and not source:
        return
    if person.first_touch_at is None or event.happened_at < person.first_touch_at:
        person.first_touch_at = event.happened_at
        person.first_touch_channel, person.first_touch_source = channel, source
    if person.last_touch_at is None or event.happened_at >= person.last_touch_at:
        person.last_touch_at = event.happened_at
        person.last_touch_channel, person.last_touch_source = channel, source


def _opt_out(affected: Affected, event: CheckedEvent, words: str) -> None:
    affected.is_stopped = True
    if not affected.person.email_opt_out:
        affected.person.email_opt_out = True
        where = event.text("source") or event.text("email") or event.text("url")
        affected.opted_out_by = f"{words}: {where}" if where else words
