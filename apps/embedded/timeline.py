"""The timeline in the panel: what the person did, what was done with them here, and what syncs changed."""

from dataclasses import dataclass, field
from datetime import datetime

from apps.audience.fields import local_label
from apps.audience.models import Engagement, EventKind, ListKind, ListMembership, Person
from apps.audience.selectors.changes import changes_of_record
from apps.sync.models import EntryAction
from apps.sync.selectors.entries import Change, history_of

_MOST = 30
_ICONS: dict[str, str] = {
    EventKind.FORM_SUBMITTED: "clipboard-list",
    EventKind.EMAIL_SENT: "send",
    EventKind.EMAIL_OPENED: "mail-open",
    EventKind.EMAIL_CLICKED: "mouse-pointer-click",
    EventKind.EMAIL_BOUNCED: "mail-x",
    EventKind.UNSUBSCRIBED: "bell-off",
    EventKind.PAGE_VISITED: "globe",
    EventKind.CALL_LOGGED: "phone",
    EventKind.TASK_LOGGED: "square-check",
    EventKind.REPLIED: "reply",
    EventKind.LIST_JOINED: "list-plus",
    EventKind.LIST_LEFT: "list-minus",
    EventKind.SCORE_CHANGED: "gauge",
    EventKind.SEQUENCE_CHANGED: "list-ordered",
    EventKind.PERSON_CREATED: "user-plus",
}
_TOLD_BY = ("url", "form", "link", "reason")
"""Details that say more than the subject, the first that is there."""
_SWITCHES = {
    ("is_active", "false"): "Deactivated",
    ("is_active", "true"): "Reactivated",
    ("email_opt_out", "true"): "Unsubscribed",
    ("email_opt_out", "false"): "Opted in again",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    icon: str
    title: str
    detail: str = ""
    changes: list[Change] = field(default_factory=list)


def field_label(name: str) -> str:
    """A field of a person in words."""
    return "E-mail opt-out" if name == "email_opt_out" else local_label("person", name)


def timeline_of(person: Person, memberships: list[ListMembership]) -> list[Moment]:
    """The latest moments, newest first."""
    events = list(Engagement.objects.filter(person_id=person.pk).order_by("-happened_at", "-id")[:_MOST])
    found = [_event(event) for event in events]
    found += _syncs(person) + _edits(person)
    told = {event.details.get("list_id") for event in events if event.kind == EventKind.LIST_JOINED}
    found += [_joined(one) for one in memberships if one.list_id not in told]
    if all(event.kind != EventKind.PERSON_CREATED for event in events):
        found.append(Moment(person.created_at, "user-plus", "Created in Syncline"))
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:_MOST]


def _event(event: Engagement) -> Moment:
    known = event.kind in set(EventKind)
    title = EventKind(event.kind).label if known else event.kind
    said = next((str(event.details[name]) for name in _TOLD_BY if event.details.get(name)), "")
    points = f"{event.points:+d} points" if event.points else ""
    by = f"by {event.details['by']}" if event.details.get("by") else ""
    parts = dict.fromkeys((event.subject, said, by, points))
    return Moment(event.happened_at, _ICONS.get(event.kind, "circle"), title, " · ".join(filter(None, parts)))


def _syncs(person: Person) -> list[Moment]:
    return [
        Moment(
            view.entry.at,
            "arrow-down" if view.entry.way == "in" else "arrow-up",
            view.action,
            f"{'From' if view.entry.way == 'in' else 'To'} Salesforce {view.entry.sobject}",
            view.changes,
        )
        for view in history_of("person", person.pk)
        if view.entry.action != EntryAction.CREATED
    ]


def _edits(person: Person) -> list[Moment]:
    found = []
    for change in changes_of_record("person", person.pk):
        if not change.changes:
            continue
        keys = [(name, line.get("after")) for name, line in change.changes.items()]
        switched = next((_SWITCHES[key] for key in keys if key in _SWITCHES), "")
        fields = "" if switched else ", ".join(field_label(name) for name in change.changes)
        words = f"{fields}, by {change.actor_label}" if fields else f"By {change.actor_label}"
        found.append(Moment(change.at, "user-pen", switched or "Edited in Syncline", words))
    return found


def _joined(one: ListMembership) -> Moment:
    kind = "campaign" if one.list.kind == ListKind.CAMPAIGN else "list"
    return Moment(one.joined_at, "list-plus", f"Joined a {kind}", one.list.name)
