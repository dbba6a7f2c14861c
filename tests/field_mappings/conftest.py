"""A connection whose profile is seeded and whose describes are read."""

import pytest

from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.metadata import refresh_metadata
from apps.integrations.models import Connection
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.integrations.conftest import connection, emulator, emulator_process, org, user

__all__ = ["connection", "emulator", "emulator_process", "org", "user"]


@pytest.fixture
def seeded(connection: Connection, tenant: Tenant) -> Connection:
    """The connection, ready for its first full sync."""
    refresh_metadata(tenant.pk, connection.pk)
    with tenant_transaction(tenant.pk):
        seed_custom_profile(connection)
    return connection
