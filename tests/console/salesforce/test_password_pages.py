"""The second way to connect, on its pages: the warning, the word to type, and what is never shown again."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.integrations.models import Connection, PasswordAttempt
from apps.integrations.services.passwords import try_password
from apps.sync.first_setup import set_up
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser

pytestmark = pytest.mark.django_db(transaction=True)


def typed(tenant: Tenant, org: OrgUser, **changes: str) -> dict[str, str]:
    return {
        "tenant": str(tenant.pk), "login": "production", "username": org.username, "password": org.password,
        "confirmation": "Confirm",
    } | changes  # fmt: skip


def test_the_page_warns_and_asks_for_the_word(owner: Client, tenant: Tenant, org: OrgUser) -> None:
    url = reverse("console:salesforce-password")
    page = owner.get(url).content.decode()
    assert "Summer ’27" in page
    answer = owner.post(url, typed(tenant, org, confirmation="yes"))
    page = answer.content.decode()
    assert (answer.status_code, "Type “Confirm”" in page) == (422, True)
    assert org.username in page
    assert org.password not in page
    with tenant_transaction(tenant.pk):
        assert not PasswordAttempt.objects.exists()


def test_the_attempt_is_shown_until_it_leads_to_the_connection(
    owner: Client, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    answer = owner.post(reverse("console:salesforce-password"), typed(tenant, org))
    with tenant_transaction(tenant.pk):
        attempt = PasswordAttempt.objects.get()
    assert answer["Location"] == reverse("console:salesforce-password-attempt", args=[attempt.pk])
    assert "every 1s" in owner.get(answer["Location"]).content.decode()
    assert try_password(tenant.pk, attempt.pk, then=set_up)
    assert owner.get(answer["Location"], headers={"HX-Request": "true"})["HX-Redirect"] == answer["Location"]
    page = owner.get(answer["Location"], follow=True).content.decode()
    assert "Connected with user name and password" in page


def test_a_refusal_stays_on_the_page_with_what_helps(
    owner: Client, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    answer = owner.post(reverse("console:salesforce-password"), typed(tenant, org, password="wrong"))
    with tenant_transaction(tenant.pk):
        attempt = PasswordAttempt.objects.get()
    try_password(tenant.pk, attempt.pk, then=set_up)
    page = owner.get(answer["Location"]).content.decode()
    assert "the user is locked out" in page
    assert "every 1s" not in page
    with tenant_transaction(tenant.pk):
        assert not Connection.objects.exists()


@pytest.mark.parametrize("host", ["evil.example", "https://evil.example", "localhost:1", "a b", "\0"])
def test_a_password_goes_to_no_host_but_salesforces(owner: Client, tenant: Tenant, org: OrgUser, host: str) -> None:
    form = typed(tenant, org, login="my_domain", my_domain=host)
    assert owner.post(reverse("console:salesforce-password"), form).status_code == 422
