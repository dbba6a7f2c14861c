"""An emulator in this process, and one API user of a fresh org."""

from collections.abc import Iterator

import pytest

from emulator.control import EmulatorControl
from emulator.local import LocalEmulator, local_emulator
from tests.emulator.client import Client


@pytest.fixture
def local() -> Iterator[LocalEmulator]:
    """An emulator of this test's own."""
    with local_emulator() as made:
        yield made


@pytest.fixture
def control(local: LocalEmulator) -> EmulatorControl:
    """Its verbs."""
    return local.control


@pytest.fixture
def sf(local: LocalEmulator) -> Client:
    """The integration user of a new org."""
    return client_of(local)


def client_of(local: LocalEmulator, **options: object) -> Client:
    """The integration user of one more org."""
    org_id = local.control.create_org(**options)["id"]
    return Client(local, org_id, local.control.grant(org_id)["access_token"])
