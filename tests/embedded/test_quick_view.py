""" "View in Syncline": the link on a record in Salesforce."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.audience.models import Person
from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.tenants.directory import enter
from apps.tenants.models import DirectoryKind, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.salesforce.conftest import join
from tests.embedded.conftest import HOME
from tests.embedded.signing import LEAD_ID, ORG_ID

pytestmark = pytest.mark.django_db
OTHER_ORG = "00D000000000002EAA"


def look(client: Client, org: str = ORG_ID, record: str = LEAD_ID) -> Any:
    return client.get(f"{HOME}view/", {"org": org, "id": record})


@pytest.fixture
def viewer(member: Callable[[Role], Client]) -> Client:
    return member(Role.VIEWER)


def test_it_leads_to_the_person(ada: Person, viewer: Client) -> None:
    for org, record in ((ORG_ID, LEAD_ID), (ORG_ID[:15], LEAD_ID[:15])):
        assert look(viewer, org, record).headers["Location"] == f"/people/{ada.pk}/"


def test_a_stranger_logs_in_first_and_comes_back(ada: Person) -> None:
    target = look(Client()).headers["Location"]
    assert target.startswith("/accounts/login/?next=/embedded/salesforce/view/")


def test_an_unknown_record_says_so_and_leads_to_the_question_why(ada: Person, viewer: Client) -> None:
    answer = look(viewer, record="00Q000000000002EAA")
    assert answer.status_code == 404
    assert "This record is not in Syncline yet" in answer.content.decode()
    assert "?id=00Q000000000002EAA" in answer.content.decode()


@pytest.mark.parametrize("record", ["", "x", "../..", "<script>", "0" * 100])
def test_a_broken_link_says_so(ada: Person, viewer: Client, record: str) -> None:
    answer = look(viewer, record=record)
    assert answer.status_code == 400
    assert "The link is incomplete" in answer.content.decode()


def test_an_org_of_somebody_else_looks_like_one_that_is_not_connected(
    ada: Person, other_tenant: Tenant, viewer: Client
) -> None:
    with tenant_transaction(other_tenant.pk):
        Connection.objects.create(org_id=OTHER_ORG, instance_url="https://contoso.my.salesforce.com")
        enter(kind=DirectoryKind.SALESFORCE_ORG, key=OTHER_ORG)
    pages = [look(viewer, org) for org in (OTHER_ORG, "00D000000000009EAA")]
    for answer in pages:
        assert answer.status_code == 404
        assert "is not connected to an account of yours" in answer.content.decode()
        assert "Contoso" not in answer.content.decode()


def test_an_org_of_ones_other_account_offers_to_switch(ada: Person, other_tenant: Tenant, viewer: Client) -> None:
    with tenant_transaction(other_tenant.pk):
        Connection.objects.create(org_id=OTHER_ORG, instance_url="https://contoso.my.salesforce.com")
        enter(kind=DirectoryKind.SALESFORCE_ORG, key=OTHER_ORG)
    with app_transaction():
        user = User.objects.get(email="viewer@northwind.example")
    join(other_tenant, user, Role.VIEWER)
    answer = look(viewer, OTHER_ORG)
    assert answer.status_code == 409
    assert "Switch to Contoso" in answer.content.decode()
