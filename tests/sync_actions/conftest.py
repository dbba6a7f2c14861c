"""A connected tenant whose syncs are on, and verbs for its rules."""

import pytest

from tests.integrations.conftest import connection, emulator, emulator_process, org, user
from tests.sync.conftest import world
from tests.sync.world import World
from tests.sync_actions.automat import Automat

__all__ = ["connection", "emulator", "emulator_process", "org", "user", "world"]


@pytest.fixture
def automat(world: World) -> Automat:
    """The rules of the world's tenant."""
    return Automat(world)
