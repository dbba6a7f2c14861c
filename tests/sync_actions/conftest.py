"""A connected tenant whose syncs are on, and verbs for its rules."""

import pytest

from apps.integrations.metadata import refresh_metadata
from tests.emulator.near import local, near_world
from tests.integrations.conftest import connection, emulator, emulator_process, org, user
from tests.sync.conftest import world
from tests.sync.world import World
from tests.sync_actions.automat import Automat

__all__ = ["connection", "emulator", "emulator_process", "local", "near_world", "org", "user", "world"]


@pytest.fixture
def automat(world: World) -> Automat:
    """The rules of the world's tenant."""
    return Automat(world)


@pytest.fixture
def near(near_world: World) -> Automat:
    """The rules of a tenant whose org is in this process, known and synced."""
    refresh_metadata(near_world.tenant_id, near_world.connection.pk)
    near_world.sync()
    return Automat(near_world)
