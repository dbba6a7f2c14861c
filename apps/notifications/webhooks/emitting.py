"""Telling webhooks: a row for each endpoint that wants to know, in the transaction of what happened."""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.bulk import insert_rows
from apps.core.crypto import seal
from apps.core.queue import wake
from apps.domain.webhooks import WebhookEvent
from apps.notifications.models import Delivery, WebhookEndpoint
from apps.notifications.webhooks.addresses import checked_url
from apps.tenants.scope import current_tenant_id

__all__ = ["EventDraft", "Subscribers", "WebhookEvent", "call_webhook", "emit", "emit_all", "subscribers"]

DELIVER_TASK = "apps.notifications.tasks.deliver"
_COLUMNS = ("tenant_id", "endpoint_id", "event_id", "event", "key", "payload", "record_type", "record_id")
_LARGEST = 64_000


@dataclass(frozen=True, slots=True)
class EventDraft:
    """Something that happened. The same ``key`` again is not told again."""

    event: WebhookEvent
    payload: Mapping[str, Any]
    key: str
    record_type: str = ""
    record_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Which endpoints want to know of what; asked once for a batch."""

    wanted: Mapping[int, frozenset[str]]

    def of(self, event: WebhookEvent) -> list[int]:
        """Ids of the endpoints that are told of this event."""
        return [number for number, events in self.wanted.items() if event in events]

    def __bool__(self) -> bool:
        return bool(self.wanted)


def subscribers(events: Iterable[WebhookEvent], *, bulk: bool = False) -> Subscribers:
    """The endpoints that are switched on and want any of these events; with ``bulk`` only those that want each record
    of full syncs and imports, too."""
    asked = {event.value for event in events}
    rows = WebhookEndpoint.objects.filter(is_enabled=True)
    if bulk:
        rows = rows.filter(with_bulk=True)
    found = {number: frozenset(names) & asked for number, names in rows.values_list("id", "events")}
    return Subscribers({number: names for number, names in found.items() if names})


def emit(event: WebhookEvent, payload: Mapping[str, Any], *, key: str) -> int:
    """Tell every subscribed endpoint, in the open transaction; answers how many are told."""
    return emit_all([EventDraft(event, payload, key)])


def emit_all(drafts: Sequence[EventDraft], *, to: Subscribers | None = None) -> int:
    """Tell of many things with one statement; ``to`` is what ``subscribers`` answered for the batch."""
    wanted = subscribers({draft.event for draft in drafts}) if to is None else to
    rows = [_row(draft, endpoint_id) for draft in drafts for endpoint_id in wanted.of(draft.event)]
    rows = list({(row.endpoint_id, row.key): row for row in rows}.values())
    if not rows:
        return 0
    known = set(
        Delivery.objects.filter(
            endpoint_id__in={row.endpoint_id for row in rows}, key__in={row.key for row in rows}
        ).values_list("endpoint_id", "key")
    )
    rows = [row for row in rows if (row.endpoint_id, row.key) not in known]
    insert_rows(rows, _COLUMNS)
    if rows:
        wake(DELIVER_TASK, current_tenant_id(), queue="routine")
    return len(rows)


def call_webhook(payload: Mapping[str, Any], *, key: str, endpoint_id: int | None = None, url: str = "") -> bool:
    """Have one endpoint, or an address that a rule names, called with ``rule.called``; False where this key was used
    before. An address without endpoint gets no signature: there is no secret that both sides know.

    Raises BadAddress, and WebhookEndpoint.DoesNotExist for an endpoint that is not there or is switched off.
    """
    if Delivery.objects.filter(endpoint_id=endpoint_id, key=key[:200]).exists():
        return False
    row = _row(EventDraft(WebhookEvent.RULE_CALLED, payload, key), endpoint_id)
    if endpoint_id is not None:
        WebhookEndpoint.objects.get(id=endpoint_id, is_enabled=True)
    else:
        row.url = seal(checked_url(url), binding=delivery_binding(row))
    row.save(force_insert=True)
    wake(DELIVER_TASK, current_tenant_id(), queue="routine")
    return True


def delivery_binding(row: Delivery) -> str:
    """What the sealed address of a delivery belongs to."""
    return f"notifications_delivery:{row.tenant_id}:{row.event_id}:url"


def _row(draft: EventDraft, endpoint_id: int | None) -> Delivery:
    return Delivery(
        endpoint_id=endpoint_id,
        event_id=uuid.uuid4(),
        event=draft.event.value,
        key=draft.key[:200],
        payload=_fitting(draft.payload),
        record_type=draft.record_type,
        record_id=draft.record_id,
    )


def _fitting(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload that PostgreSQL can hold and a receiver will take: one that is too large says so instead."""
    text = json.dumps(dict(payload), default=str).replace("\\u0000", "")
    if len(text) <= _LARGEST:
        return dict(json.loads(text))
    small = {name: value for name, value in payload.items() if isinstance(value, int) or len(str(value)) < 200}
    return {**dict(json.loads(json.dumps(small, default=str).replace("\\u0000", ""))), "is_cut": True}
