"""A connected tenant whose syncs are on, and a gateway to an emulator inside this process."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from apps.salesforce.gateway import SalesforceGateway
from emulator.control import EmulatorControl
from emulator.local import LocalEmulator, local_emulator
from tests.emulator.adapter import leading_to
from tests.sync.conftest import connection, emulator, emulator_process, org, user, world
from tests.sync.world import World

__all__ = ["connection", "emulator", "emulator_process", "org", "user", "world"]


@dataclass
class Near:
    """One org in this process, and the product's way to it."""

    local: LocalEmulator
    org_id: str
    token: str
    renewals: list[str] = field(default_factory=list)

    @property
    def control(self) -> EmulatorControl:
        return self.local.control

    def access_token(self) -> str:
        return self.token

    def renew(self, stale: str) -> str:
        """A new session by a consent of its own; remembered for counting."""
        if stale == self.token:
            self.renewals.append(stale)
            self.token = self.control.grant(self.org_id)["access_token"]
        return self.token

    def gateway(self) -> SalesforceGateway:
        """A gateway of its own, as each task has one."""
        return SalesforceGateway(
            instance_url=self.local.base_url,
            api_version="66.0",
            tokens=self,
            trusted_hosts=(self.local.base_url.removeprefix("http://"),),
        )

    def lead(self, **values: object) -> str:
        return self.control.create(self.org_id, "Lead", **{"LastName": "Lead", "Company": "Acme"} | values)


@pytest.fixture
def near() -> Iterator[Near]:
    """An org without a server and without a database of ours."""
    with local_emulator() as local, leading_to(local):
        org_id = local.control.create_org()["id"]
        yield Near(local, org_id, local.control.grant(org_id)["access_token"])


@pytest.fixture
def two_way(world: World) -> World:
    """A world whose leads and contacts go both ways."""
    world.both_ways("Lead", "Contact")
    return world
