"""Deliveries: claimed by lease, sent outside the transaction, settled with what came back.

A worker that dies in between costs a repeat, never a loss: receivers know it by the event's id.
"""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from apps.core import crash
from apps.core.crypto import CannotDecrypt, unseal
from apps.core.db import dispatcher_transaction
from apps.core.leases import is_free, lock_held
from apps.core.queue import wake
from apps.domain.webhooks import (
    EVENT_HEADER,
    EVENT_ID_HEADER,
    GIVE_UP_AFTER,
    SIGNATURE_HEADER,
    WebhookEvent,
    next_delay,
    rest_after,
    signature,
    slack_text,
)
from apps.notifications.models import Attempt, Delivery, DeliveryState, EndpointKind, NoticeKind, WebhookEndpoint
from apps.notifications.services import notify
from apps.notifications.webhooks.addresses import Answer, post
from apps.notifications.webhooks.emitting import DELIVER_TASK, delivery_binding
from apps.notifications.webhooks.endpoints import drop_waiting, opened_secret, opened_url
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_AT_ONCE = 20
_THREADS = 10
_LEASE = timedelta(seconds=60)
_KEPT_FOR = timedelta(days=30)
_GONE = 410
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A claimed delivery, ready to send. ``problem`` says why it cannot be."""

    delivery_id: int
    endpoint_id: int | None
    event_id: UUID
    fence: int
    attempts: int
    url: str
    body: bytes
    event: str
    secrets: tuple[str, ...]
    problem: str = ""

    def send(self) -> Answer:
        """Sign and post it; touches no database, so that several go out beside each other."""
        if self.problem:
            return Answer(None, "", self.problem, 0)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Syncline-Webhooks/1",
            EVENT_HEADER: self.event,
            EVENT_ID_HEADER: str(self.event_id),
        }
        now = timezone.now()
        marks = [signature(secret, self.body, now) for secret in self.secrets]
        if marks:
            headers[SIGNATURE_HEADER] = ",".join([marks[0], *(mark.partition(",")[2] for mark in marks[1:])])
        return post(self.url, self.body, headers)


def deliver_due(tenant_id: int) -> int:
    """Send some of the tenant's due deliveries; answers how many were tried. What is left is called for again."""
    with tenant_transaction(tenant_id):
        parcels = _claim(timezone.now())
    if not parcels:
        return 0
    crash.point("webhook_claimed")
    with ThreadPoolExecutor(max_workers=min(_THREADS, len(parcels))) as pool:
        answers = list(pool.map(Parcel.send, parcels))
    crash.point("webhook_sent")
    for parcel, answer in zip(parcels, answers, strict=True):
        with tenant_transaction(tenant_id):
            _settle(parcel, answer, timezone.now())
    if len(parcels) == _AT_ONCE:
        with tenant_transaction(tenant_id):
            wake(DELIVER_TASK, tenant_id, queue="routine")
    return len(parcels)


def wake_due_deliveries() -> int:
    """Call for the delivery of what is due; the dispatcher's part."""
    now = timezone.now()
    with dispatcher_transaction():
        due = Delivery._base_manager.filter(is_free(now), due_at__lte=now)
        found = list(due.order_by("tenant_id").values_list("tenant_id", flat=True).distinct()[:500])
        for tenant_id in found:
            wake(DELIVER_TASK, tenant_id, queue="routine")
    return len(found)


def forget_old(tenant_id: int) -> int:
    """Delete what was settled a month ago."""
    with tenant_transaction(tenant_id):
        old = Delivery.objects.filter(due_at__isnull=True, created_at__lt=timezone.now() - _KEPT_FOR)
        ids = list(old.order_by("id").values_list("id", flat=True)[:1000])
        Delivery.objects.filter(id__in=ids).delete()
    return len(ids)


def _claim(now: datetime) -> list[Parcel]:
    awake = Q(endpoint__rests_until__isnull=True) | Q(endpoint__rests_until__lte=now)
    ready = Q(endpoint__isnull=True) | (Q(endpoint__is_enabled=True) & awake)
    due = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        is_free(now), ready, due_at__lte=now
    )
    rows = list(due.select_related("endpoint").order_by("due_at", "id")[:_AT_ONCE])
    Delivery.objects.filter(id__in=[row.pk for row in rows]).update(lease_until=now + _LEASE, fence=F("fence") + 1)
    return [_parcel(row, now) for row in rows]


def _parcel(row: Delivery, now: datetime) -> Parcel:
    endpoint: WebhookEndpoint | None = row.endpoint
    url, keys, problem = "", [], ""
    try:
        if endpoint is None:
            url = unseal(row.url, binding=delivery_binding(row))
        else:
            url = opened_url(endpoint)
            keys = _secrets(endpoint, now)
    except CannotDecrypt:
        problem = "What is stored of this webhook cannot be opened. Enter its address again and rotate its secret."
    return Parcel(
        row.pk, row.endpoint_id, row.event_id, row.fence + 1, row.attempts, url, body_of(row), row.event, tuple(keys),
        problem,
    )  # fmt: skip


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    if endpoint.kind == EndpointKind.SLACK:
        return []
    keys = [opened_secret(endpoint)]
    if endpoint.previous_secret and endpoint.previous_until is not None and endpoint.previous_until > now:
        keys.append(opened_secret(endpoint, "previous_secret"))
    return keys


def body_of(row: Delivery) -> bytes:
    """What is sent: an envelope with the event's data, or a message for a channel. Always the same bytes."""
    if row.endpoint is not None and row.endpoint.kind == EndpointKind.SLACK:
        text = slack_text(WebhookEvent(row.event), row.payload, settings.SYNCLINE_BASE_URL)
        return json.dumps({"text": text}).encode()
    data = {
        "id": str(row.event_id),
        "event": row.event,
        "created_at": row.created_at.isoformat(),
        "data": row.payload,
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _settle(parcel: Parcel, answer: Answer, now: datetime) -> None:
    """Write down the attempt; plan the next, or end it. A worker whose lease was taken over writes nothing."""
    row = lock_held(Delivery.objects.filter(id=parcel.delivery_id), parcel.fence)
    if row is None:
        return
    Attempt.objects.create(
        delivery=row, at=now, status=answer.status, milliseconds=answer.milliseconds, response=answer.head,
        problem=answer.problem,
    )  # fmt: skip
    row.attempts += 1
    row.lease_until = None
    if answer.is_good:
        row.state, row.delivered_at, row.due_at = DeliveryState.DELIVERED, now, None
    else:
        delay = next_delay(row.attempts, _random.random())
        if delay is None:
            row.state, row.due_at = DeliveryState.FAILED, None
        else:
            row.due_at = now + max(delay, timedelta(seconds=min(answer.retry_after, 86_400)))
    row.save(update_fields=["attempts", "lease_until", "state", "delivered_at", "due_at"])
    if parcel.endpoint_id is not None:
        _note_health(parcel.endpoint_id, answer, now)


def _note_health(endpoint_id: int, answer: Answer, now: datetime) -> None:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(id=endpoint_id).first()
    if endpoint is None:
        return
    if answer.is_good:
        endpoint.failures, endpoint.failing_since, endpoint.rests_until = 0, None, None
        endpoint.last_success_at = now
    else:
        endpoint.failures += 1
        endpoint.failing_since = endpoint.failing_since or now
        if answer.is_down:
            endpoint.rests_until = now + rest_after(endpoint.failures)
    endpoint.save(update_fields=["failures", "failing_since", "rests_until", "last_success_at"])
    if not endpoint.is_enabled or answer.is_good:
        return
    if answer.status == _GONE:
        _switch_off(endpoint, "It answered 410: it is gone for good.")
    elif endpoint.failing_since is not None and now - endpoint.failing_since >= GIVE_UP_AFTER:
        _switch_off(endpoint, f"It has failed for three days. At last: {answer.problem}")


def _switch_off(endpoint: WebhookEndpoint, reason: str) -> None:
    endpoint.is_enabled, endpoint.disabled_reason = False, reason
    endpoint.save(update_fields=["is_enabled", "disabled_reason"])
    drop_waiting(endpoint)
    log.warning("webhook_switched_off", endpoint=endpoint.pk)
    notify(
        kind=NoticeKind.WEBHOOK_OFF,
        subject=f"A webhook was switched off: {endpoint.name}",
        facts={"Address": endpoint.shown_url, "Why": reason},
        path=f"/settings/webhooks/{endpoint.pk}/",
    )
