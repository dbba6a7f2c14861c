"""What happened with people, the newest first, and what it added to their score."""

from datetime import datetime

from django.db.models import QuerySet

from apps.audience.models import Engagement, EventKind, Person
from apps.core.paging import Order

BY_TIME = Order("happened", ("happened_at", "id"), (datetime, int), descending=True)
GROUPS: dict[str, tuple[EventKind, ...]] = {
    "email": (
        EventKind.EMAIL_SENT,
        EventKind.EMAIL_OPENED,
        EventKind.EMAIL_CLICKED,
        EventKind.EMAIL_BOUNCED,
        EventKind.REPLIED,
        EventKind.UNSUBSCRIBED,
    ),
    "web": (EventKind.FORM_SUBMITTED, EventKind.PAGE_VISITED),
    "sales": (EventKind.CALL_LOGGED, EventKind.TASK_LOGGED),
    "here": (
        EventKind.LIST_JOINED,
        EventKind.LIST_LEFT,
        EventKind.SEQUENCE_CHANGED,
        EventKind.SCORE_CHANGED,
        EventKind.PERSON_CREATED,
    ),
}
"""Kinds of events that belong together, for filters."""
POINTS = "points"


def engagements_of(person: Person, show: str = "") -> "QuerySet[Engagement]":
    """A person's events: all, those of a group, or those that changed the score (``points``)."""
    rows: QuerySet[Engagement] = Engagement.objects.filter(person_id=person.pk)
    if show == POINTS:
        return rows.exclude(points=0)
    return rows.filter(kind__in=GROUPS[show]) if show in GROUPS else rows


def latest_engagements(person: Person, limit: int, show: str = "") -> list[Engagement]:
    """The last events of a person."""
    return list(engagements_of(person, show).order_by("-happened_at", "-id")[:limit])
