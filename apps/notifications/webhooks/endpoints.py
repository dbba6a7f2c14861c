"""Setting up endpoints. What is secret is sealed, shown once, and never enters the audit log."""

import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from apps.core.crypto import seal, unseal
from apps.core.queue import wake
from apps.domain.webhooks import WebhookEvent
from apps.notifications.models import Delivery, DeliveryState, EndpointKind, WebhookEndpoint
from apps.notifications.webhooks.addresses import checked_url
from apps.notifications.webhooks.emitting import DELIVER_TASK
from apps.tenants.audit import audit
from apps.tenants.models import User
from apps.tenants.scope import current_tenant_id

MOST_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)
"""After a secret was rotated the old one signs, too, for so long."""


class TooManyEndpoints(Exception):
    """A tenant has as many endpoints as it may."""

    def __init__(self) -> None:
        super().__init__(f"There can be {MOST_ENDPOINTS} webhooks. Delete one first.")


def create_endpoint(
    *, name: str, kind: EndpointKind, url: str, events: Sequence[str], with_bulk: bool, user: User
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret: this is the one time it is told. Raises BadAddress and TooManyEndpoints."""
    if WebhookEndpoint.objects.count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints
    endpoint = WebhookEndpoint(public_id=uuid.uuid4(), name=name, kind=kind, events=list(events), with_bulk=with_bulk)
    endpoint.tenant_id = current_tenant_id()
    _put_url(endpoint, url)
    secret = _new_secret(endpoint)
    endpoint.save(force_insert=True)
    audit(actor=user, action="webhook_added", subject=name, after=_facts(endpoint))
    return endpoint, secret


def update_endpoint(
    *, endpoint: WebhookEndpoint, name: str, url: str, events: Sequence[str], with_bulk: bool, user: User
) -> None:
    """Change an endpoint; a blank address keeps the one there is. Raises BadAddress."""
    before = _facts(endpoint)
    endpoint.name, endpoint.events, endpoint.with_bulk = name, list(events), with_bulk
    if url:
        _put_url(endpoint, url)
    endpoint.save()
    audit(actor=user, action="webhook_changed", subject=name, before=before, after=_facts(endpoint))


def rotate_secret(*, endpoint: WebhookEndpoint, user: User) -> str:
    """A new secret, told once. For a day both sign, so that the receiver can be changed in between."""
    endpoint.previous_secret = seal(opened_secret(endpoint), binding=_binding(endpoint, "previous_secret"))
    endpoint.previous_until = timezone.now() + OVERLAP
    secret = _new_secret(endpoint)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit(actor=user, action="webhook_secret_rotated", subject=endpoint.name)
    return secret


def switch_endpoint(*, endpoint: WebhookEndpoint, is_enabled: bool, user: User) -> None:
    """Switch an endpoint on, its failures forgotten, or off, with what waits for it."""
    endpoint.is_enabled, endpoint.disabled_reason = is_enabled, ""
    endpoint.failures, endpoint.failing_since, endpoint.rests_until = 0, None, None
    endpoint.save()
    if not is_enabled:
        drop_waiting(endpoint)
    audit(actor=user, action="webhook_on" if is_enabled else "webhook_off", subject=endpoint.name)


def delete_endpoint(*, endpoint: WebhookEndpoint, user: User) -> None:
    """Remove an endpoint with its log."""
    audit(actor=user, action="webhook_deleted", subject=endpoint.name, before=_facts(endpoint))
    WebhookEndpoint.objects.filter(id=endpoint.pk).delete()


def send_test(*, endpoint: WebhookEndpoint, user: User) -> Delivery:
    """Send a test event to one endpoint."""
    payload = {"title": "A test from Syncline", "text": f"{user.display_name} asked for it.", "path": ""}
    row: Delivery = Delivery.objects.create(
        endpoint=endpoint,
        event_id=uuid.uuid4(),
        event=WebhookEvent.TEST,
        key=f"test:{uuid.uuid4()}",
        payload=payload,
        due_at=timezone.now(),
    )
    wake(DELIVER_TASK, current_tenant_id(), queue="interactive")
    return row


def replay(*, delivery: Delivery, user: User) -> None:
    """Deliver again what was delivered or given up: the same event id, so that a receiver knows it."""
    Delivery.objects.filter(id=delivery.pk).update(
        state=DeliveryState.WAITING, attempts=0, due_at=timezone.now(), delivered_at=None, lease_until=None
    )
    audit(actor=user, action="webhook_replayed", subject=f"{delivery.event} {delivery.event_id}")
    wake(DELIVER_TASK, current_tenant_id(), queue="interactive")


def drop_waiting(endpoint: WebhookEndpoint) -> None:
    """Give up what waits for an endpoint; it can be replayed."""
    Delivery.objects.filter(endpoint=endpoint, state=DeliveryState.WAITING).update(
        state=DeliveryState.FAILED, due_at=None
    )


def opened_secret(endpoint: WebhookEndpoint, column: str = "secret") -> str:
    """A secret in the clear. Raises CannotDecrypt."""
    return unseal(getattr(endpoint, column), binding=_binding(endpoint, column))


def opened_url(endpoint: WebhookEndpoint) -> str:
    """The address in the clear. Raises CannotDecrypt."""
    return unseal(endpoint.url, binding=_binding(endpoint, "url"))


def _binding(endpoint: WebhookEndpoint, column: str) -> str:
    return f"notifications_webhookendpoint:{endpoint.tenant_id}:{endpoint.public_id}:{column}"


def _put_url(endpoint: WebhookEndpoint, typed: str) -> None:
    url = checked_url(typed)
    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if endpoint.kind == EndpointKind.SLACK:  # whoever knows the whole address can write into the channel
        shown = f"{parts.scheme}://{parts.netloc}/…"
    endpoint.url = seal(url, binding=_binding(endpoint, "url"))
    endpoint.shown_url = shown[:300]


def _new_secret(endpoint: WebhookEndpoint) -> str:
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    endpoint.secret = seal(secret, binding=_binding(endpoint, "secret"))
    return secret


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "address": endpoint.shown_url,
        "events": ", ".join(sorted(endpoint.events)),
        "with_bulk": endpoint.with_bulk,
    }
