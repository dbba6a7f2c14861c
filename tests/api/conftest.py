"""Callers with keys in front of the API, in two accounts full of records."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.test import Client

from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.sync_settings.models import SyncSettings
from apps.tenants.models import Scope, Tenant, User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.api_keys import create_api_key
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member"]
EVERY_SCOPE = tuple(Scope)


class Caller:
    """A program with a key; "" is one without."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, *, raw: Any = None, **headers: str) -> "Answer":
        """Ask for a path below /api/v1; ``raw`` is a body as it is."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            told.setdefault("Authorization", f"Bearer {self.secret}")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        kind = told.pop("Content-Type", "application/json")
        found = self.client.generic(method, f"/api/v1{path}", data, content_type=kind, headers=told)
        return Answer(found)


class Answer:
    """What came back."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.text: str = response.content.decode()

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.body["code"])


def new_key(tenant: Tenant, scopes: Iterable[Scope] = EVERY_SCOPE, name: str = "Website") -> str:
    """The secret of a new key."""
    with app_transaction():
        maker, _ = User.objects.get_or_create(email=f"keys-{tenant.pk}@x.example", defaults={"name": "Key Maker"})
    with tenant_transaction(tenant.pk):
        return create_api_key(name=name, scopes=scopes, user=maker)[1]


@pytest.fixture(autouse=True)
def _no_limit(settings: Any) -> None:
    """A test makes as many calls as it likes, unless it says otherwise."""
    settings.API_CALLS_PER_MINUTE = 10**9


@pytest.fixture
def call(tenant: Tenant) -> Caller:
    """A caller who may do everything in ``tenant``."""
    return Caller(new_key(tenant))


@pytest.fixture
def stranger(other_tenant: Tenant) -> Caller:
    """A caller who may do everything in another account."""
    return Caller(new_key(other_tenant))


@pytest.fixture
def caller_with(tenant: Tenant) -> Callable[..., Caller]:
    """A caller with some scopes."""

    def make(*scopes: Scope) -> Caller:
        return Caller(new_key(tenant, scopes))

    return make


@pytest.fixture
def connected(tenant: Tenant) -> Connection:
    """A connection that nobody talks through, with syncs on."""
    with tenant_transaction(tenant.pk):
        made: Connection = Connection.objects.create(
            login_url="https://login.salesforce.com",
            instance_url="https://northwind.my.salesforce.com",
            org_id="00D000000000001EAA",
            org_name="Northwind",
            api_version="62.0",
        )
        SyncSettings.objects.create(connection=made, syncs_enabled=True)
    return made
