"""Endpoints of webhooks that listen on this machine."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from apps.domain.webhooks import WebhookEvent
from apps.notifications.models import EndpointKind, WebhookEndpoint
from apps.notifications.webhooks.endpoints import create_endpoint
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from tests.notifications.receiver import Receiver, receiving

Make = Callable[..., tuple[WebhookEndpoint, str]]
ALL_EVENTS = tuple(WebhookEvent)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """Somebody who listens; development allows loopback."""
    settings.WEBHOOKS_MAY_BE_LOCAL = True
    with receiving() as told:
        yield told


@pytest.fixture
def endpoint(tenant: Tenant, receiver: Receiver) -> Make:
    """Makes endpoints that lead to the receiver; gives them with their secret."""

    def make(
        *events: WebhookEvent, kind: EndpointKind = EndpointKind.WEBHOOK, url: str = "", with_bulk: bool = False
    ) -> tuple[WebhookEndpoint, str]:
        with tenant_transaction(tenant.pk):
            admin = User.objects.filter(email="admin@northwind.example").first() or User.objects.create_user(
                "admin@northwind.example", "correct horse battery"
            )
            return create_endpoint(
                name="Warehouse", kind=kind, url=url or receiver.url, events=events or ALL_EVENTS,
                with_bulk=with_bulk, user=admin,
            )  # fmt: skip

    return make
