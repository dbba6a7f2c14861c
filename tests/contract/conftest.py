"""The emulator as a server, an org of each test's own, and two foreign clients."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from emulator.control import EmulatorControl, running_emulator
from tests.contract.speakers import Curl, Library, Speaker


@dataclass
class Place:
    """An org and its emulator."""

    control: EmulatorControl
    org_id: str

    def token(self) -> str:
        return str(self.control.grant(self.org_id)["access_token"])

    def lead(self, **values: object) -> str:
        return self.control.create(self.org_id, "Lead", **{"LastName": "Lead", "Company": "Acme"} | values)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorControl]:
    """One emulator for these tests."""
    with running_emulator(tmp_path_factory.mktemp("contract")) as control:
        yield control


@pytest.fixture
def place(server: EmulatorControl) -> Iterator[Place]:
    """A fresh org."""
    made = Place(server, server.create_org()["id"])
    yield made
    server.clear_faults()
    server.delete_org(made.org_id)


@pytest.fixture(params=["simple-salesforce", "curl"])
def speaker(request: pytest.FixtureRequest, place: Place) -> Speaker:
    """Each client in turn."""
    if request.param == "simple-salesforce":
        return Library(place.control.base_url, place.token())
    if shutil.which("curl") is None:
        pytest.skip("curl is not on the path")
    return Curl(place.control.base_url, place.token())
