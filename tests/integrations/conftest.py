"""A running emulator, this deployment pointed at it, and a connection made by the real flow."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.integrations.services.oauth import begin_oauth, claim_attempt, store_connection, trade_code
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl, running_emulator
from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.integrations.world import OrgUser, answer_of, new_org


@pytest.fixture(scope="session")
def emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorControl]:
    """One emulator for all tests; each test makes orgs of its own."""
    with running_emulator(tmp_path_factory.mktemp("emulator")) as control:
        yield control


@pytest.fixture
def emulator(
    emulator_process: EmulatorControl, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmulatorControl]:
    """The emulator as this deployment's Salesforce."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    settings.SALESFORCE_LOGIN_URL = emulator_process.base_url
    settings.SALESFORCE_CLIENT_ID = CLIENT_ID
    settings.SALESFORCE_CLIENT_SECRET = CLIENT_SECRET
    settings.SALESFORCE_TRUSTED_HOSTS = (emulator_process.base_url.removeprefix("http://"),)
    emulator_process.clear_calls()
    yield emulator_process
    emulator_process.clear_faults()


@pytest.fixture
def org(emulator: EmulatorControl) -> OrgUser:
    """A fresh org with its integration user."""
    return new_org(emulator, name="Northwind Org")


@pytest.fixture
def user(db: None) -> User:
    """Somebody who may connect."""
    with app_transaction():
        return User.objects.create_user("ada@northwind.example", "correct horse battery")


def connect(tenant: Tenant, user: User, who: OrgUser, login_url: str, **begin: Any) -> Connection:
    """The whole flow, as the callback does it."""
    with tenant_transaction(tenant.pk):
        url = begin_oauth(user=user, login_url=login_url, in_popup=False, **begin)
    answer = answer_of(url, who)
    claim = claim_attempt(tenant_id=tenant.pk, user_id=user.pk, state=answer["state"])
    grant = trade_code(claim=claim, code=answer["code"])
    with tenant_transaction(tenant.pk):
        connection, _ = store_connection(claim=claim, grant=grant, user=user)
        return connection


@pytest.fixture
def connection(tenant: Tenant, user: User, org: OrgUser, emulator: EmulatorControl) -> Connection:
    """The tenant's live connection to the org."""
    return connect(tenant, user, org, emulator.base_url)
