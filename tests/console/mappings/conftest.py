"""Marketers in front of profiles, objects and mappings."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from apps.field_mappings.models import FieldMapping, ProfileKind, SyncStep
from apps.field_mappings.selectors import profiles_of
from apps.integrations.models import Connection
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import marketer, viewer
from tests.console.salesforce.conftest import _plain_static_files, member
from tests.field_mappings.plain import LEAD, connected, field

__all__ = ["_plain_static_files", "marketer", "member", "viewer"]

CONTACT = (*LEAD[:4], LEAD[5], LEAD[6], field("AccountId", "reference", reference_to=("Account",)))
ACCOUNT = (field("Name", nillable=False), field("Website", "url"), field("Industry"))


@dataclass
class Desk:
    """A tenant whose describes are cached, without any Salesforce behind them, and a marketer's browser."""

    tenant: Tenant
    connection: Connection
    client: Client

    def step(self, sobject: str = "Lead", kind: ProfileKind = ProfileKind.CUSTOM) -> SyncStep:
        with tenant_transaction(self.tenant.pk):
            steps = SyncStep.objects.select_related("profile").filter(profile__kind=kind, sobject=sobject)
            found: SyncStep = steps.order_by("position")[0]
            return found

    def mapping(self, remote: str, sobject: str = "Lead") -> FieldMapping:
        step = self.step(sobject)
        with tenant_transaction(self.tenant.pk):
            found: FieldMapping = FieldMapping.objects.get(step=step, remote_field=remote)
            return found

    def mapped(self, sobject: str = "Lead") -> set[tuple[str, str, str, str]]:
        step = self.step(sobject)
        with tenant_transaction(self.tenant.pk):
            rows = FieldMapping.objects.filter(step=step)
            return set(rows.values_list("remote_field", "local_field", "way_in", "way_out"))

    def post(self, url: str, **values: Any) -> Any:
        """What a form of the page sends."""
        return self.client.post(url, {"tenant": self.tenant.pk, **values})

    def text(self, url: str) -> str:
        answer = self.client.get(url)
        assert answer.status_code == 200, answer
        return answer.content.decode()


@pytest.fixture
def desk(tenant: Tenant, marketer: Client) -> Desk:
    with tenant_transaction(tenant.pk):
        link = connected(Contact=CONTACT, Account=ACCOUNT)
        profiles_of(link)
    return Desk(tenant, link, marketer)


@pytest.fixture
def role() -> Role:
    return Role.MARKETER
