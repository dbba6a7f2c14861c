"""The emulator inside the test: quick, alone, and reached by requests as if it listened."""

from collections.abc import Iterator

import pytest
import requests

from apps.domain.failures import Transient
from apps.domain.ports import WriteOperation
from apps.salesforce.gateway import SalesforceGateway
from emulator.local import LocalEmulator, local_emulator
from tests.emulator.adapter import leading_to
from tests.emulator.client import Client


class Held:
    """A token that nobody renews."""

    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self) -> str:
        return self._token

    def renew(self, stale: str) -> str:
        raise AssertionError("nothing expires here")


@pytest.fixture
def gateway(sf: Client) -> Iterator[SalesforceGateway]:
    """The product's gateway, led to the emulator."""
    with leading_to(sf.local):
        made = SalesforceGateway(
            instance_url=sf.local.base_url,
            api_version="66.0",
            tokens=Held(sf.token),
            trusted_hosts=(sf.local.base_url.removeprefix("http://"),),
        )
        yield made
        made.close()


def test_gateway_works_inside_one_process(gateway: SalesforceGateway, sf: Client) -> None:
    (made,) = gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "A", "Company": "B"}])
    assert gateway.read("Lead", [made.remote_id], ["LastName"])[made.remote_id]["LastName"] == "A"
    assert gateway.describe("Lead").name == "Lead"
    job = gateway.bulk.create("SELECT Id FROM Lead")
    assert gateway.bulk.look(job.id).is_complete
    with gateway.bulk.page(job.id, locator="", max_records=10) as page:
        assert page.stream.read() == f'"Id"\n"{made.remote_id}"\n'.encode()


def test_broken_answers_reach_the_gateway_as_they_would(gateway: SalesforceGateway, sf: Client) -> None:
    for script in ({"drop": "before"}, {"drop": "after"}, {"truncate": 20}):
        sf.control.fault("/limits", **script)
        with pytest.raises(Transient):
            gateway.limits()
    assert gateway.limits() is not None


def test_new_worlds_know_nothing_of_each_other() -> None:
    for n in range(20):
        with local_emulator() as one:
            org = one.control.create_org()["id"]
            assert one.control.query(org, "SELECT Id FROM Lead") == []
            one.control.create(org, "Lead", LastName=str(n), Company="C")


def test_copied_org_is_like_a_new_one(local: LocalEmulator) -> None:
    with local_emulator() as other:
        first, second = local.control.create_org(name="One"), other.control.create_org(name="One")
        assert first == second
        soql = "SELECT MasterLabel FROM LeadStatus ORDER BY SortOrder"
        assert local.control.query(first["id"], soql) == other.control.query(second["id"], soql)


def test_sessions_reach_other_places_as_ever(local: LocalEmulator) -> None:
    with leading_to(local), pytest.raises(requests.ConnectionError):
        requests.get("http://127.0.0.1:2/", timeout=1)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{local.base_url}/services/data", timeout=1)
