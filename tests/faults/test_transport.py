"""F15 and F17 to F19: too much at once, answers that are none, connections that hang, drip or break."""

import io
import random
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.domain.failures import Category, Transient
from apps.domain.ports import WriteOperation
from apps.integrations.gateways import Gateway
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.oauth import App, exchange_code, refresh
from apps.sync.models import RunLane, RunState, SyncRun
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.faults.conftest import Near
from tests.sync.world import World

SEEN = datetime(2026, 11, 24, tzinfo=UTC)
LEAD = "00Q000000000001AAA"


def _page(gateway: Gateway, job: str) -> bytes:
    with gateway.bulk.page(job, locator="", max_records=100) as page:
        return b"".join(iter(page.stream.read, b""))


Call = Callable[[Gateway, str, str], Any]
CALLS: dict[str, Call] = {
    "query": lambda g, q, i: list(g.query("SELECT Id FROM Lead")),
    "query_many": lambda g, q, i: g.query_many(["SELECT Id FROM Lead"]),
    "count": lambda g, q, i: g.count("Lead"),
    "describe": lambda g, q, i: g.describe("Lead"),
    "sobjects": lambda g, q, i: g.sobjects(),
    "limits": lambda g, q, i: g.limits(),
    "read": lambda g, q, i: g.read("Lead", [LEAD], ["Id"]),
    "create": lambda g, q, i: list(g.write("Lead", WriteOperation.CREATE, [{"LastName": "A", "Company": "B"}])),
    "delete": lambda g, q, i: list(g.write("Lead", WriteOperation.DELETE, [{"Id": LEAD}])),
    "conditional": lambda g, q, i: g.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "x"}),
    "bulk create": lambda g, q, i: g.bulk.create("SELECT Id FROM Lead"),
    "bulk look": lambda g, q, i: g.bulk.look(q),
    "bulk page": lambda g, q, i: _page(g, q),
    "bulk list": lambda g, q, i: list(g.bulk.list_jobs()),
    "ingest create": lambda g, q, i: g.ingest.create("Lead", WriteOperation.CREATE),
    "ingest look": lambda g, q, i: g.ingest.look(i),
    "ingest successes": lambda g, q, i: list(g.ingest.successes(i)),
    "ingest failures": lambda g, q, i: list(g.ingest.failures(i)),
}


def _jobs(near: Near) -> tuple[Gateway, str, str]:
    """A gateway, a finished query job and a finished ingest job."""
    gateway = near.gateway()
    query = gateway.bulk.create("SELECT Id FROM Lead").id
    ingest = gateway.ingest.create("Lead", WriteOperation.CREATE).id
    gateway.ingest.close(ingest)
    return gateway, query, ingest


# -- F15: too much at once --------------------------------------------------------------------------------------

CONCURRENT = [{"message": "ConcurrentPerOrgLongTxn Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
BUSY = [{"message": "server too busy", "errorCode": "SERVER_UNAVAILABLE"}]


def _in(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("fault", "category", "least", "most"),
    [
        ({"status": 403, "body": CONCURRENT}, Category.CONCURRENT_LIMIT, None, None),
        ({"status": 403, "body": CONCURRENT, "headers": {"Retry-After": "7"}}, Category.CONCURRENT_LIMIT, 7, 7),
        ({"status": 429, "body": "", "headers": {"Retry-After": "30"}}, Category.UNAVAILABLE, 30, 30),
        ({"status": 503, "body": BUSY, "headers": {"Retry-After": "120"}}, Category.UNAVAILABLE, 120, 120),
        ({"status": 503, "body": "", "headers": {"Retry-After": _in(36_000)}}, Category.UNAVAILABLE, 1, 36_000),
        ({"status": 503, "body": "", "headers": {"Retry-After": "soon"}}, Category.UNAVAILABLE, None, None),
    ],
)
@pytest.mark.parametrize("name", ["query", "create", "bulk create", "bulk page"])
def test_f15_wait_that_is_asked_for_reaches_whoever_called(
    near: Near, name: str, fault: dict[str, Any], category: Category, least: int | None, most: int | None
) -> None:
    gateway, query, ingest = _jobs(near)
    near.control.fault("/services/data/", **fault)
    with pytest.raises(Transient) as caught:
        CALLS[name](gateway, query, ingest)
    assert caught.value.category is category
    waits = caught.value.retry_after
    assert waits is None if least is None or most is None else waits is not None and least <= waits <= most


def test_f15_run_waits_as_long_as_it_is_told_and_goes_on(world: World) -> None:
    lead = world.lead(Email="a@example.com")
    run = world.start()
    world.emulator.busy("/services/data/", seconds=90)
    world.finish_lane(run, "fetch")
    with tenant_transaction(world.tenant_id):
        lane = RunLane.objects.get(run=run, name="fetch")
        run = SyncRun.objects.get(id=run.pk)
    assert lane.due_at >= timezone.now() + timedelta(seconds=80)
    assert "too busy" in run.waiting_reason
    assert world.finish(run).state == RunState.COMPLETED
    assert world.person(lead).email == "a@example.com"


# -- F17: pages for people, and nothing at all ------------------------------------------------------------------

HTML = "<!doctype html><html><body>We are back soon</body></html>"
NO_DATA: dict[str, dict[str, Any]] = {
    "500 with a page": {"status": 500, "body": HTML, "type": "text/html"},
    "502 empty": {"status": 502, "body": ""},
    "503 with a page": {"status": 503, "body": HTML, "type": "text/html"},
    "504 empty": {"status": 504, "body": ""},
    "406 empty": {"status": 406, "body": ""},
    "420 with a page": {"status": 420, "body": HTML, "type": "text/html"},
    "200 with a page": {"status": 200, "body": HTML, "type": "text/html"},
    "200 empty": {"status": 200, "body": ""},
    "200 half": {"status": 200, "body": '{"totalSize": 1, "rec'},
    "200 empty csv": {"status": 200, "body": "", "type": "text/csv; charset=UTF-8"},
}


@pytest.mark.parametrize("fault", NO_DATA.values(), ids=NO_DATA)
@pytest.mark.parametrize("name", CALLS)
def test_f17_what_is_no_data_is_an_outage_and_never_no_rows(near: Near, name: str, fault: dict[str, Any]) -> None:
    near.lead()
    gateway, query, ingest = _jobs(near)
    near.control.fault("/services/data/", **fault)
    with pytest.raises(Transient) as caught:
        CALLS[name](gateway, query, ingest)
    assert caught.value.category is Category.UNAVAILABLE


@pytest.mark.parametrize("fault", NO_DATA.values(), ids=NO_DATA)
def test_f17_later_page_that_is_no_data_does_not_end_a_result(near: Near, fault: dict[str, Any]) -> None:
    near.control.seed(near.org_id, leads=2100)
    near.control.fault(r"/query/\w", **fault)
    rows = near.gateway().query("SELECT Id FROM Lead")
    with pytest.raises(Transient):
        list(rows)


@pytest.mark.parametrize("name", ["200 with a page", "406 empty", "200 empty"])
@pytest.mark.parametrize("nth", [1, 4, 9, 15])
def test_f17_full_sync_waits_and_ends_as_in_fair_weather(world: World, name: str, nth: int) -> None:
    lead = world.lead(Email="a@example.com")
    world.sync()
    world.change("Lead", lead, Phone="1")
    world.emulator.fault("/services/data/", nth=nth, **NO_DATA[name])
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert (world.person(lead).phone, world.person(lead).is_active) == ("1", True)
    assert world.live_errors() == []


# -- F18: refused, silent, dripping -----------------------------------------------------------------------------


class Held:
    """A token that nobody renews."""

    def access_token(self) -> str:
        return "00D!x"

    def renew(self, stale: str) -> str:
        raise AssertionError("nothing expires here")


def _gateway(url: str) -> SalesforceGateway:
    host = url.split("://")[1]
    return SalesforceGateway(instance_url=url, api_version="66.0", tokens=Held(), trusted_hosts=(host,))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of tenths of a second instead of a minute."""
    monkeypatch.setattr("apps.salesforce.session.READ_TIMEOUT", 0.3)
    monkeypatch.setattr("apps.salesforce.session.CALL_SECONDS", 0.5)
    monkeypatch.setattr("apps.salesforce.bulk._PATIENCE", 0.3)
    monkeypatch.setattr("apps.salesforce.oauth._TIMEOUT", (0.3, 0.3))


def _assert_fails_soon(call: Callable[[], object]) -> None:
    began = time.monotonic()
    with pytest.raises(Transient) as caught:
        call()
    assert caught.value.category is Category.UNAVAILABLE
    assert time.monotonic() - began < 2


@pytest.fixture
def far(emulator: EmulatorControl) -> tuple[SalesforceGateway, EmulatorControl, str]:
    """A gateway to the emulator over real sockets, and a finished Bulk job."""
    org_id = emulator.create_org()["id"]
    for n in range(40):
        emulator.create(org_id, "Lead", LastName=f"Lead {n}", Company="C")

    class Granted(Held):
        token = str(emulator.grant(org_id)["access_token"])

        def access_token(self) -> str:
            return self.token

    host = emulator.base_url.removeprefix("http://")
    gateway = SalesforceGateway(
        instance_url=emulator.base_url, api_version="66.0", tokens=Granted(), trusted_hosts=(host,)
    )
    job = gateway.bulk.create("SELECT Id, LastName FROM Lead").id
    while not gateway.bulk.look(job).is_complete:
        time.sleep(0.01)
    return gateway, emulator, job


Far = tuple[SalesforceGateway, EmulatorControl, str]


def test_f18_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    _assert_fails_soon(_gateway(url).limits)


@pytest.mark.parametrize("fault", [{"delay": 1.5}, {"drip": 0.05}], ids=["silent", "dripping"])
@pytest.mark.parametrize("name", ["query", "describe", "create", "bulk look", "bulk page"])
def test_f18_silent_or_dripping_server_is_left_in_time(
    far: Far, quick: None, name: str, fault: dict[str, float]
) -> None:
    gateway, emulator, job = far
    emulator.fault("/services/data/", **fault)
    _assert_fails_soon(lambda: CALLS[name](gateway, job, job))
    assert CALLS["limits"](gateway, job, job) is not None  # the way is free again


@pytest.mark.parametrize("fault", [{"delay": 1.5}, {"drip": 0.05}], ids=["silent", "dripping"])
@pytest.mark.parametrize("grant", ["refresh", "code"])
def test_f18_silent_or_dripping_token_endpoint_is_left_in_time(
    far: Far, quick: None, grant: str, fault: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    _, emulator, _ = far
    app = App(CLIENT_ID, CLIENT_SECRET, (emulator.base_url.removeprefix("http://"),))
    emulator.fault("/services/oauth2/token", **fault)
    if grant == "refresh":
        token = emulator.grant(emulator.orgs()[-1]["id"])["refresh_token"]
        _assert_fails_soon(lambda: refresh(app, login_url=emulator.base_url, refresh_token=token))
    else:
        _assert_fails_soon(
            lambda: exchange_code(
                app, login_url=emulator.base_url, redirect_uri="http://127.0.0.1:8000/cb", code="x", verifier="v" * 64
            )
        )


# -- F19: cut in the middle -------------------------------------------------------------------------------------


def _nasty(near: Near, rows: int) -> None:
    for n in range(rows):
        near.lead(LastName=f'L{n} "quoted"', Description="line\nbreak, comma\r\n" * (n % 3), Title="é😀"[: n % 3])


def test_f19_page_cut_at_any_byte_is_never_taken_for_whole(near: Near) -> None:
    _nasty(near, 60)
    gateway = near.gateway()
    job = gateway.bulk.create("SELECT Id, LastName, Description, Title FROM Lead").id
    whole = _page(gateway, job)
    chance = random.Random(19)
    for _ in range(1000):
        cut = chance.randrange(len(whole))
        near.control.truncate("/results", cut)
        with pytest.raises(Transient):
            _page(gateway, job)
    assert _page(gateway, job) == whole


@pytest.mark.parametrize("name", ["query", "describe", "sobjects", "read", "create", "bulk look"])
def test_f19_data_cut_at_any_byte_is_an_outage(near: Near, name: str) -> None:
    near.lead()
    gateway, query, ingest = _jobs(near)
    CALLS[name](gateway, query, ingest)
    size = near.control.calls("/services/data/")[-1]["bytes"]
    chance = random.Random(name)
    for _ in range(60):
        near.control.truncate("/services/data/", chance.randrange(size))
        with pytest.raises(Transient):
            CALLS[name](gateway, query, ingest)


def test_f19_results_of_an_upload_cut_at_any_byte_are_never_taken_for_whole(near: Near) -> None:
    gateway, _, _ = _jobs(near)
    job = gateway.ingest.create("Lead", WriteOperation.CREATE).id
    body = "LastName,Company,Description\n" + "".join(f'"L{n}",C,"a ""b"",\nc"\n' for n in range(20))
    near.control.clear_faults()
    gateway.ingest.upload(job, io.BytesIO(body.encode()))
    gateway.ingest.close(job)
    rows = list(gateway.ingest.successes(job))
    assert len(rows) == 20
    size = near.control.calls("successfulResults")[-1]["bytes"]
    chance = random.Random(7)
    for _ in range(200):
        near.control.truncate("successfulResults", chance.randrange(size))
        with pytest.raises(Transient):
            list(gateway.ingest.successes(job))
    assert list(gateway.ingest.successes(job)) == rows


@pytest.mark.parametrize("at", [0, 5, 70, 200, 380])
def test_f19_full_sync_throws_a_cut_page_away_and_brings_it_again(world: World, at: int) -> None:
    leads = [world.lead(Email=f"{n}@example.com", Title='a "b",\nc') for n in range(8)]
    world.emulator.truncate(r"jobs/query/\w+/results", at, times=3)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert sorted(p.leading_remote_id for p in world.people()) == sorted(leads)
    assert world.counts(run)["Lead"] == (8, 0, 0, 0, 0)


def test_f19_page_with_fewer_rows_than_it_says_is_brought_again(world: World) -> None:
    leads = [world.lead(Email=f"{n}@example.com") for n in range(3)]
    world.sync()
    for lead in leads:
        world.change("Lead", lead, Phone="1")
    whole: dict[str, Any] = {"headers": {"Sforce-NumberOfRecords": "3", "Sforce-Locator": "null"}, "type": "text/csv"}
    world.emulator.fault(r"jobs/query/\w+/results", status=200, body='"Id"\n', times=1, **whole)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert [world.person(lead).phone for lead in leads] == ["1", "1", "1"]
