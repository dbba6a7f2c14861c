"""A tenant whose org is an emulator in the same process; for tests of many histories.

A test module takes ``local``, ``user`` and ``near_world`` by importing them.
"""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.grants import connection_from_grant
from apps.sync_settings.services import enable_syncs
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.local import LocalEmulator
from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.emulator.adapter import leading_to
from tests.emulator.conftest import local
from tests.integrations.conftest import user
from tests.integrations.world import OrgUser
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


@pytest.fixture
def near_world(local: LocalEmulator, settings: Settings, tenant: Tenant, user: User) -> Iterator[World]:
    """A tenant and its org, both here."""
    settings.SALESFORCE_LOGIN_URL = local.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.SALESFORCE_TRUSTED_HOSTS = (local.base_url.removeprefix("http://"),)
    org = local.control.create_org(name="Near")
    with leading_to(local):
        with tenant_transaction(tenant.pk):
            connection = connection_from_grant(
                answer=local.control.grant(org["id"]), login_url=local.base_url, username="near", user=user
            )
            seed_custom_profile(connection)
            made = World(tenant.pk, connection, user, OrgUser(org["id"], "near", ""), local.control)
            made.settings()
            enable_syncs(connection=connection, user=user)
        yield made
