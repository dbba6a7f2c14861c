"""Members in front of pages full of records, without any Salesforce behind them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.audience.models import Person, Source
from apps.integrations.models import Connection
from apps.sync.models import RecordLink
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member"]

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://evil.example")',
    "\u202eevil\u202c",
    "👩‍👩‍👧‍👦 Zoë",
    "{{ 7*7 }} {% debug %}",
    "x" * 32_000,
]


@pytest.fixture
def viewer(member: Callable[[Role], Client]) -> Client:
    """A browser of somebody who may look."""
    return member(Role.VIEWER)


@pytest.fixture
def marketer(member: Callable[[Role], Client]) -> Client:
    """A browser of somebody who may work."""
    return member(Role.MARKETER)


@pytest.fixture
def salesforce(tenant: Tenant) -> Connection:
    """A connection that nobody talks through."""
    with tenant_transaction(tenant.pk):
        made: Connection = Connection.objects.create(
            login_url="https://login.salesforce.com",
            instance_url="https://northwind.my.salesforce.com",
            org_id="00D000000000001EAA",
            org_name="Northwind",
            api_version="62.0",
        )
    return made


def linked_person(connection: Connection, remote_id: str = "00Q000000000001AAA", **fields: Any) -> Person:
    """A person pulled from a lead; inside the tenant."""
    now = timezone.now()
    person: Person = Person.objects.create(
        **{"last_name": "Lovelace", "first_name": "Ada", "email": "ada@example.com"} | fields,
        source=Source.SALESFORCE,
        leading_sobject="Lead",
        leading_remote_id=remote_id,
        created_at=now,
    )
    RecordLink.objects.create(
        connection_id=connection.pk,
        remote_id=remote_id,
        sobject="Lead",
        person_id=person.pk,
        pulled_at=now,
        created_run_id=7,
        created_at=now,
    )
    return person
