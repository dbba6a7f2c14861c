"""A member who imports."""

import pytest

from apps.tenants.models import Tenant
from tests.imports.world import Importing


@pytest.fixture
def importing(tenant: Tenant) -> Importing:
    return Importing(tenant)
