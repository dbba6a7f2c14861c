"""What webhooks are told of people and companies."""

from collections.abc import Mapping
from typing import Any

from apps.audience.models import Company, Person, Record
from apps.notifications.webhooks.emitting import EventDraft, WebhookEvent, emit_all, subscribers

_DONE = {
    WebhookEvent.RECORD_CREATED: "was added",
    WebhookEvent.RECORD_UPDATED: "was changed",
    WebhookEvent.RECORD_DEACTIVATED: "was deactivated",
}
_PLURALS = {"person": "people", "company": "companies"}


def record_event(
    event: WebhookEvent, *, local_type: str, record: Record, changes: Mapping[str, Any], origin: str
) -> EventDraft:
    """The event of a record; each version of it is told once. ``changes`` are new values by field."""
    name = str(record)
    payload = {
        "title": f"{name} {_DONE[event]}",
        "type": local_type,
        "id": record.pk,
        "name": name,
        "email": getattr(record, "email", ""),
        "version": record.version,
        "origin": origin,
        "changes": dict(changes),
        "salesforce": {"object": record.leading_sobject, "id": record.leading_remote_id},
        "path": f"/{_PLURALS[local_type]}/{record.pk}/",
    }
    key = f"{local_type}:{record.pk}:{record.version}:{event.value}"
    return EventDraft(event, payload, key, local_type, record.pk)


def announce_edit(record: Record, lines: Mapping[str, Mapping[str, str]], *, origin: str = "user") -> None:
    """Tell of what a member or a program did to one record, in the open transaction."""
    if not isinstance(record, Person | Company):
        return
    event = WebhookEvent.RECORD_UPDATED if record.version > 1 else WebhookEvent.RECORD_CREATED
    if not record.is_active and "is_active" in lines:
        event = WebhookEvent.RECORD_DEACTIVATED
    wanted = subscribers([event])
    if not wanted:
        return
    changes = {name: line.get("after", "") for name, line in lines.items()}
    draft = record_event(event, local_type=record.local_type, record=record, changes=changes, origin=origin)
    emit_all([draft], to=wanted)
