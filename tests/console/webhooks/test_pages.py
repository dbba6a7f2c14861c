"""The webhook pages: adding, the secret that is shown once, the log, and replaying (I04, K08)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.notifications.models import Attempt, Delivery, WebhookEndpoint
from apps.notifications.webhooks.delivering import deliver_due
from apps.notifications.webhooks.endpoints import opened_secret, opened_url
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE
from tests.console.salesforce.conftest import _plain_static_files, member
from tests.notifications.conftest import receiver
from tests.notifications.receiver import Receiver

__all__ = ["_plain_static_files", "member", "receiver"]
pytestmark = pytest.mark.django_db

HOME = "/settings/webhooks/"
FORM = {
    "name": "Warehouse", "kind": "webhook", "url": "https://hooks.example.com/in?key=opensesame",
    "events": "run.finished",
}  # fmt: skip


@pytest.fixture
def admin(member: Callable[[Role], Client]) -> Client:
    return member(Role.ADMIN)


def posted(admin: Client, tenant: Tenant, path: str = "new/", **fields: Any) -> str:
    return admin.post(HOME + path, {"tenant": tenant.pk, **fields}, follow=True).content.decode()


def only(tenant: Tenant) -> WebhookEndpoint:
    with tenant_transaction(tenant.pk):
        found: WebhookEndpoint = WebhookEndpoint.objects.get()
        return found


def test_secret_is_shown_once_and_never_again(admin: Client, tenant: Tenant) -> None:
    page = posted(admin, tenant, **FORM)
    secret = re.findall(r"whsec_[\w-]{40,}", page)
    assert len(secret) == 1
    made = only(tenant)
    with tenant_transaction(tenant.pk):
        assert (opened_secret(made), opened_url(made)) == (secret[0], FORM["url"])
    for path in ("", f"{made.pk}/", f"{made.pk}/edit/"):
        later = admin.get(HOME + path).content.decode()
        assert "Warehouse" in later
        assert secret[0] not in later
        assert "opensesame" not in later
    rotated = re.findall(r"whsec_[\w-]{40,}", posted(admin, tenant, f"{made.pk}/rotate/"))
    assert rotated != secret


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://example.com/"}, "has to begin with https://"),
        ({"url": "https://169.254.169.254/"}, "Only addresses on the public internet"),
        ({"url": "https://user:pass@example.com/"}, "must not contain a user name"),
        ({"events": []}, "Choose at least one event"),
        ({"events": ["nonsense"]}, "Choose at least one event"),
        ({"kind": "slack", "events": ["record.updated"]}, "not of each record"),
        ({"kind": "pigeon"}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 121}, "at most 120"),
    ],
)
def test_bad_input_is_answered_in_words(
    admin: Client, tenant: Tenant, settings: Settings, changes: dict[str, Any], words: str
) -> None:
    settings.WEBHOOKS_MAY_BE_LOCAL = False
    assert words in posted(admin, tenant, **{**FORM, **changes})
    with tenant_transaction(tenant.pk):
        assert not WebhookEndpoint.objects.exists()


def test_test_event_is_delivered_shown_and_replayed(admin: Client, tenant: Tenant, receiver: Receiver) -> None:
    posted(admin, tenant, **FORM | {"url": receiver.url})
    made = only(tenant)
    assert "Not tried yet" in posted(admin, tenant, f"{made.pk}/test/")
    receiver.answers, receiver.body = [500], b"<script>alert(1)</script>"
    deliver_due(tenant.pk)
    with tenant_transaction(tenant.pk):
        row = Delivery.objects.get()
    page = admin.get(f"{HOME}deliveries/{row.pk}/").content.decode()
    assert "It answered 500." in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "Failing" in admin.get(HOME).content.decode()
    posted(admin, tenant, f"deliveries/{row.pk}/replay/")
    with tenant_transaction(tenant.pk):
        WebhookEndpoint.objects.update(rests_until=None)
    deliver_due(tenant.pk)
    assert len(receiver.calls) == 2
    assert "Delivered" in admin.get(f"{HOME}{made.pk}/?state=delivered").content.decode()
    assert "None of these." in admin.get(f"{HOME}{made.pk}/?state=failed").content.decode()
    with tenant_transaction(tenant.pk):
        assert Attempt.objects.count() == 2


def test_switched_off_endpoint_replays_nothing_and_says_so(admin: Client, tenant: Tenant, receiver: Receiver) -> None:
    posted(admin, tenant, **FORM | {"url": receiver.url})
    made = only(tenant)
    posted(admin, tenant, f"{made.pk}/test/")
    posted(admin, tenant, f"{made.pk}/switch/", on="no")
    with tenant_transaction(tenant.pk):
        row = Delivery.objects.get()
    assert "Switch it on first" in posted(admin, tenant, f"deliveries/{row.pk}/replay/")
    assert deliver_due(tenant.pk) == 0
    posted(admin, tenant, f"{made.pk}/switch/", on="yes")
    posted(admin, tenant, f"deliveries/{row.pk}/replay/")
    assert deliver_due(tenant.pk) == 1


def test_editing_keeps_the_address_unless_a_new_one_is_entered(admin: Client, tenant: Tenant) -> None:
    posted(admin, tenant, **FORM)
    made = only(tenant)
    posted(admin, tenant, f"{made.pk}/edit/", name="Lake", url="", events=["error.opened"])
    with tenant_transaction(tenant.pk):
        kept = only(tenant)
        assert (kept.name, kept.events, opened_url(kept)) == ("Lake", ["error.opened"], FORM["url"])
    posted(admin, tenant, f"{made.pk}/edit/", name="Lake", url="https://new.example.com/", events=["error.opened"])
    with tenant_transaction(tenant.pk):
        assert opened_url(only(tenant)) == "https://new.example.com/"
    posted(admin, tenant, f"{made.pk}/delete/")
    with tenant_transaction(tenant.pk):
        assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("name", HOSTILE[:-1])
def test_hostile_name_is_shown_as_text(admin: Client, tenant: Tenant, name: str) -> None:
    posted(admin, tenant, **FORM | {"name": name})
    page = admin.get(HOME).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "49" not in page.split("<main")[1].split("</main")[0]
