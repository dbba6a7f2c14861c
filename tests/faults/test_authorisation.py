"""F01 to F06 and F10: sessions that end, refreshes that are lost, grants that are gone, orgs that are others."""

import io
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from apps.domain.failures import AuthorizationLost, Failure, Transient
from apps.domain.ports import WriteOperation
from apps.integrations.gateways import Gateway, open_gateway
from apps.integrations.models import Connection, ConnectionState, Health
from apps.sync.models import RunState, SyncRun
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.faults import processes
from tests.faults.conftest import Near
from tests.integrations.conftest import connect
from tests.integrations.world import OrgUser, new_org
from tests.sync.world import World

TOKEN = "/services/oauth2/token"
AFTER_THE_LEASE = timedelta(seconds=50)


def row_of(tenant: Tenant) -> Connection:
    with tenant_transaction(tenant.pk):
        found: Connection = Connection.objects.get()
        return found


def refreshes(emulator: EmulatorControl) -> int:
    return len(emulator.calls(TOKEN))


def data_calls(emulator: EmulatorControl) -> int:
    return len(emulator.calls("/services/data/"))


@pytest.fixture
def rotating(emulator: EmulatorControl) -> Iterator[EmulatorControl]:
    """Refresh token rotation switched on."""
    emulator.rotate_tokens(on=True)
    yield emulator
    emulator.rotate_tokens(on=False)


# -- F01: the session ends between two calls --------------------------------------------------------------------


def _talk(gateway: Gateway, lead: str) -> list[Any]:
    """One call of each kind, and what it brought."""
    job = gateway.bulk.create("SELECT LastName FROM Lead ORDER BY LastName")
    told: list[Any] = [gateway.bulk.look(job.id).rows]
    with gateway.bulk.page(job.id, locator="", max_records=5) as page:
        told.append(page.stream.read())
    told.append(list(gateway.query("SELECT LastName FROM Lead")))
    told.append(gateway.query_many(["SELECT LastName FROM Lead", "SELECT Id FROM Account"]))
    told.append(gateway.read("Lead", [lead], ["LastName"]))
    (made,) = gateway.write("Account", WriteOperation.CREATE, [{"Name": "Made"}])
    told.append(made.is_success)
    (changed,) = gateway.write("Lead", WriteOperation.UPDATE, [{"Id": lead, "Title": "x"}])
    told.append(changed.is_success)
    (row,) = gateway.query(f"SELECT SystemModstamp FROM Lead WHERE Id = '{lead}'")
    seen = datetime.strptime(row["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.%f%z")
    told.append(gateway.write_if_unchanged("Lead", lead, seen, {"Title": "y"}))
    told += [
        gateway.count("Lead"),
        gateway.describe("Lead").name,
        len(gateway.sobjects()),
        gateway.limits() is not None,
    ]
    gateway.bulk.delete(job.id)
    return told


CALLS_OF_TALK = 15


@pytest.mark.parametrize("nth", range(1, CALLS_OF_TALK + 1))
def test_f01_session_that_ends_at_any_call_is_renewed_once_and_the_call_repeated(near: Near, nth: int) -> None:
    lead = near.lead()
    near.control.stop_clock(near.org_id, "2026-11-24T10:00:00Z")
    fair = _talk(near.gateway(), lead)
    assert len(near.control.calls("/services/data/")) == CALLS_OF_TALK
    for account in near.control.query(near.org_id, "SELECT Id FROM Account"):
        near.control.purge(near.org_id, "Account", account["Id"])
    near.control.expire_on("/services/data/", nth=nth)
    assert _talk(near.gateway(), lead) == fair
    assert len(near.renewals) == 1
    assert len(near.control.query(near.org_id, "SELECT Id FROM Account")) == 1


def test_f01_session_that_ends_twice_in_a_row_is_a_failure_and_no_loop(near: Near) -> None:
    near.control.fault("/limits", expire_tokens=True, times=5)
    near.control.clear_calls()
    with pytest.raises(Failure):
        near.gateway().limits()
    assert len(near.control.calls("/limits")) == 2


# -- F02: it ends during Bulk work ------------------------------------------------------------------------------

ROWS = b"Syncline_Id__c,LastName,Company\n1,A,C\n2,B,C\n3,,C\n"
INGEST = ("jobs/ingest$", "/batches$", "jobs/ingest/[^/]+$", "successfulResults", "failedResults", "unprocessed")


def _ingest(gateway: Gateway) -> tuple[list[str], list[str], int]:
    job = gateway.ingest.create("Lead", WriteOperation.UPSERT, key_field="Syncline_Id__c")
    gateway.ingest.upload(job.id, io.BytesIO(ROWS))
    gateway.ingest.close(job.id)
    assert gateway.ingest.look(job.id).is_complete
    good = [row.sent["LastName"] for row in gateway.ingest.successes(job.id)]
    bad = [row.sent["Syncline_Id__c"] for row in gateway.ingest.failures(job.id)]
    return good, bad, len(list(gateway.ingest.unprocessed(job.id)))


@pytest.mark.parametrize("path", INGEST)
@pytest.mark.parametrize("nth", [1, 2])
def test_f02_upload_goes_on_in_the_same_job_when_the_session_ends_at_any_step(near: Near, path: str, nth: int) -> None:
    near.control.expire_on(path, nth=nth)
    gateway = near.gateway()
    assert _ingest(gateway) == (["A", "B"], ["3"], 0)
    assert len(list(gateway.ingest.list_jobs())) == 1
    assert len(near.renewals) <= 1
    assert len(near.control.query(near.org_id, "SELECT Id FROM Lead")) == 2


@pytest.mark.parametrize(
    ("path", "nth"), [("jobs/query$", 1), (r"jobs/query/\w+$", 1), ("/results", 1), ("/results", 2), ("/results", 3)]
)
def test_f02_download_goes_on_from_its_last_page_when_the_session_ends(near: Near, path: str, nth: int) -> None:
    leads = {near.lead() for _ in range(5)}
    near.control.expire_on(path, nth=nth)
    gateway = near.gateway()
    job = gateway.bulk.create("SELECT Id FROM Lead")
    assert gateway.bulk.look(job.id).rows == 5
    seen: list[str] = []
    locator = ""
    while True:
        with gateway.bulk.page(job.id, locator=locator, max_records=2) as page:
            seen += page.stream.read().decode().replace('"', "").split()[1:]
        locator = page.next_locator
        if not locator:
            break
    assert sorted(seen) == sorted(leads)
    assert len(list(gateway.bulk.list_jobs())) == 1
    assert len(near.renewals) == 1


@pytest.mark.parametrize("path", [r"jobs/query/\w+$", r"jobs/query/\w+/results"])
def test_f02_full_sync_asks_no_object_twice_when_the_session_ends(world: World, path: str) -> None:
    lead = world.lead(Email="a@example.com")
    world.emulator.clear_calls()
    world.emulator.expire_on(path, nth=2)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert world.person(lead).email == "a@example.com"
    jobs = [
        c for c in world.emulator.calls("jobs/query$", world.org.org_id) if c["method"] == "POST" and c["status"] == 200
    ]
    assert len(jobs) == len(world.counts(run))
    assert refreshes(world.emulator) == 1


# -- F03: all workers see it together ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_f03_workers_of_several_processes_renew_once(
    connection: Connection, tenant: Tenant, rotating: EmulatorControl
) -> None:
    rotating.expire_tokens()
    rotating.clear_calls()
    rotating.fault(TOKEN, delay=0.3)  # long enough for all to find it going on
    workers = [
        processes.start("tests.faults.renewing", tenant.pk, connection.pk, 12, emulator=rotating) for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [worker.communicate(timeout=90)[0].split() for worker in workers]
    assert [int(count) for count, *_ in told] == [12, 12, 12]
    assert len({token for _, *tokens in told for token in tokens}) == 1
    assert refreshes(rotating) == 1


# -- F04, F05: the refresh is done there and lost here ----------------------------------------------------------


def _try(tenant: Tenant, connection: Connection) -> type[Failure] | None:
    """One attempt at the org; answers how it failed."""
    try:
        with open_gateway(tenant.pk, connection.pk) as gateway:
            gateway.limits()
    except Failure as failure:
        return type(failure)
    return None


def test_f04_lost_reply_of_a_refresh_costs_one_more_attempt_at_most(
    connection: Connection, tenant: Tenant, rotating: EmulatorControl
) -> None:
    rotating.expire_tokens()
    rotating.drop(TOKEN, after_commit=True)
    assert _try(tenant, connection) is Transient
    assert row_of(tenant).state == ConnectionState.CONNECTED
    rotating.clear_calls()
    with time_machine.travel(timezone.now() + AFTER_THE_LEASE):
        assert _try(tenant, connection) is AuthorizationLost
        for _ in range(3):
            assert _try(tenant, connection) is AuthorizationLost
    assert refreshes(rotating) == 1
    row = row_of(tenant)
    assert (row.state, row.health) == (ConnectionState.NEEDS_RECONNECT, Health.NEEDS_YOU)


def test_f04_lost_reply_without_rotation_heals_by_itself(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    emulator.expire_tokens()
    emulator.drop(TOKEN, after_commit=True)
    assert _try(tenant, connection) is Transient
    with time_machine.travel(timezone.now() + AFTER_THE_LEASE):
        assert _try(tenant, connection) is None
    assert row_of(tenant).state == ConnectionState.CONNECTED


@contextmanager
def _held(tenant: Tenant) -> Iterator[None]:
    """Another transaction holds the connection's row for the length of the block."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_transaction(tenant.pk):
            Connection.objects.select_for_update().get()
            held.set()
            done.wait(30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        yield
    finally:
        done.set()
        holder.join()


def _until(true: Callable[[], object]) -> None:
    """Wait for something that another process does."""
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("rotates", "after"), [(True, AuthorizationLost), (False, None)])
def test_f05_worker_killed_between_reply_and_commit_leaves_a_connection_that_heals_or_asks(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, rotates: bool, after: type[Failure] | None
) -> None:
    """The row is locked from outside while the reply is on its way, so that the worker dies before it can store it."""
    emulator.rotate_tokens(on=rotates)
    emulator.expire_tokens()
    emulator.clear_calls()
    emulator.fault(TOKEN, delay=1.0)
    worker = processes.start("tests.faults.renewing", tenant.pk, connection.pk, 1, emulator=emulator)
    assert worker.stdout is not None
    assert worker.stdin is not None
    worker.stdout.readline()
    worker.stdin.write("go\n")
    worker.stdin.flush()
    _until(lambda: row_of(tenant).refresh_lease_until)
    with _held(tenant):
        _until(lambda: emulator.calls(TOKEN))
        worker.send_signal(signal.SIGKILL)
        worker.communicate(timeout=10)
    assert row_of(tenant).token_generation == connection.token_generation
    emulator.clear_calls()
    try:
        with time_machine.travel(timezone.now() + AFTER_THE_LEASE):
            assert _try(tenant, connection) is after
            assert _try(tenant, connection) is after
    finally:
        emulator.rotate_tokens(on=False)
    assert refreshes(emulator) == 1


# -- F06: the grant is gone -------------------------------------------------------------------------------------

REASONS = ("expired-refresh", "inactive-user", "inactive-organization", "ip-restricted", "not-approved")


@pytest.mark.parametrize("name", REASONS)
def test_f06_each_way_to_lose_the_grant_asks_for_a_person_and_makes_no_further_call(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl, salesforce_truth: Path, name: str
) -> None:
    text = (salesforce_truth / "recorded" / "oauth" / "quoted" / f"invalid_grant-{name}-400.json").read_text()
    words = json.loads(text)["response"]["body"]["error_description"]
    emulator.refuse_tokens(org.org_id, words)
    emulator.expire_tokens(org_id=org.org_id)
    assert _try(tenant, connection) is AuthorizationLost
    row = row_of(tenant)
    assert (row.state, row.health) == (ConnectionState.NEEDS_RECONNECT, Health.NEEDS_YOU)
    assert words in row.health_reason
    emulator.clear_calls()
    for _ in range(5):
        assert _try(tenant, connection) is AuthorizationLost
    assert emulator.calls() == []


def test_f06_parked_run_drains_after_reconnect(world: World, tenant: Tenant, user: User) -> None:
    lead = world.lead(Email="a@example.com")
    world.emulator.expire_tokens(revoke=True, org_id=world.org.org_id)
    run = world.start()
    for _ in range(3):
        world.finish_lane(run, "fetch")
    world.emulator.clear_calls()
    for _ in range(3):
        world.finish_lane(run, "fetch")
    assert world.emulator.calls("", world.org.org_id) == []
    with tenant_transaction(world.tenant_id):
        assert SyncRun.objects.get(id=run.pk).is_open
    connect(tenant, user, world.org, world.emulator.base_url)
    assert row_of(tenant).state == ConnectionState.CONNECTED
    assert world.finish(run).state == RunState.COMPLETED
    assert world.person(lead).email == "a@example.com"


# -- F10: the same host is another org --------------------------------------------------------------------------


def test_f10_sandbox_that_became_another_org_is_not_touched(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    other = new_org(emulator, name="After the refresh")
    emulator.expire_tokens(org_id=org.org_id)
    emulator.fault(TOKEN, status=200, body=emulator.grant(other.org_id), times=10)
    emulator.clear_calls()
    with pytest.raises(AuthorizationLost), open_gateway(tenant.pk, connection.pk) as gateway:
        list(gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "A", "Company": "B"}]))
    assert data_calls(emulator) == 1  # the one that found the session ended
    row = row_of(tenant)
    assert (row.state, row.health) == (ConnectionState.NEEDS_RECONNECT, Health.NEEDS_YOU)
    assert "different org" in row.health_reason
    assert row.org_id == org.org_id
    assert emulator.query(other.org_id, "SELECT Id FROM Lead") == []
    emulator.clear_calls()
    assert _try(tenant, connection) is AuthorizationLost
    assert emulator.calls() == []


def test_f10_run_that_meets_another_org_stops_and_changes_nothing_here(world: World) -> None:
    lead = world.lead(Email="mine@example.com")
    world.sync()
    other = new_org(world.emulator, name="Other")
    world.emulator.create(other.org_id, "Lead", LastName="Stranger", Company="X", Email="stranger@example.com")
    world.emulator.expire_tokens(org_id=world.org.org_id)
    world.emulator.fault(TOKEN, status=200, body=world.emulator.grant(other.org_id), times=10)
    run = world.start()
    for _ in range(4):
        for lane in ("fetch", "apply"):
            world.finish_lane(run, lane)
    with tenant_transaction(world.tenant_id):
        assert SyncRun.objects.get(id=run.pk).is_open
    assert [p.email for p in world.people()] == ["mine@example.com"]
    assert world.person(lead).is_active
