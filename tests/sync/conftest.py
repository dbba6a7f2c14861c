"""A connected tenant whose syncs are on."""

import pytest

from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection
from apps.sync_settings.services import enable_syncs
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.conftest import connection, emulator, emulator_process, org, user
from tests.integrations.world import OrgUser
from tests.sync.world import World

__all__ = ["connection", "emulator", "emulator_process", "org", "user"]


@pytest.fixture
def world(tenant: Tenant, connection: Connection, user: User, org: OrgUser, emulator: EmulatorControl) -> World:
    """The tenant, its org, and verbs for both."""
    with tenant_transaction(tenant.pk):
        seed_custom_profile(connection)
        enable = World(tenant.pk, connection, user, org, emulator)
        enable.settings()
        enable_syncs(connection=connection, user=user)
    return enable
