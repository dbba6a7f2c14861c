"""A connected org, a person behind a lead of it, and Salesforce in front of the panel."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.audience.models import Person
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection
from apps.sync_settings.services import settings_of
from apps.tenants.directory import enter
from apps.tenants.models import DirectoryKind, Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import linked_person, salesforce
from tests.console.salesforce.conftest import _plain_static_files, member
from tests.embedded.signing import LEAD_ID, SECRET, envelope, sign

__all__ = ["_plain_static_files", "member", "salesforce"]

HOME = "/embedded/salesforce/"
Post = Callable[..., Any]


@pytest.fixture
def org(tenant: Tenant, salesforce: Connection, settings: Settings) -> Connection:
    """The tenant's org, known by its id; syncs are on."""
    settings.SALESFORCE_CLIENT_SECRET = SECRET
    with tenant_transaction(tenant.pk):
        enter(kind=DirectoryKind.SALESFORCE_ORG, key=salesforce.org_id)
        seed_custom_profile(salesforce)
        row = settings_of(salesforce)
        row.syncs_enabled = True
        row.save()
    return salesforce


@pytest.fixture
def ada(tenant: Tenant, org: Connection) -> Person:
    """The person behind the lead."""
    with tenant_transaction(tenant.pk):
        return linked_person(org, LEAD_ID, title="Countess", company_name="Analytical Engines", score=42)


@pytest.fixture
def sf() -> Client:
    """A browser inside Salesforce, without any cookie of ours."""
    return Client(raise_request_exception=False)


def open_panel(sf: Client, **changes: Any) -> Any:
    """What Salesforce Canvas does on a record's page."""
    return sf.post(HOME, {"signed_request": sign(envelope(**changes))})


def token_of(answer: Any) -> dict[str, str]:
    """The header that the panel's script sends."""
    return {"Authorization": "Bearer " + answer.content.decode().partition('data-token="')[2].partition('"')[0]}
