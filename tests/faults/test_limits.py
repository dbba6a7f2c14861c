"""F14 to F16: limits and maintenance. What the budget, the health words and the pauses do, against the emulator."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.domain.budget import PROBE_EVERY, Work
from apps.domain.failures import Category, Failure, Transient
from apps.domain.ports import WriteOperation
from apps.integrations.gateways import open_gateway
from apps.integrations.health import Proof, healthy, note_failure, note_refusal, wake_due_probes
from apps.integrations.models import ApiUsage, Connection, Health, HealthCause, HealthChange
from apps.integrations.probing import probe
from apps.notifications.sending import send_due
from apps.sync_settings.budget import note_standing, standing_of
from apps.sync_settings.services import settings_of
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser

LIMITS = r"/services/data/v[\d.]+/limits$"


@pytest.fixture(autouse=True)
def _known(tenant: Tenant, connection: Connection) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection)


def row_of(tenant: Tenant) -> Connection:
    with tenant_transaction(tenant.pk):
        found: Connection = Connection.objects.get()
        return found


def ask(tenant: Tenant, connection: Connection) -> Failure | None:
    """One call as the engine makes it: what fails is noted, what succeeds is noted, too."""
    try:
        with open_gateway(tenant.pk, connection.pk) as gateway:
            gateway.count("Lead")
    except Failure as failure:
        with tenant_transaction(tenant.pk):
            note_failure(connection_id=connection.pk, failure=failure)
        return failure
    with tenant_transaction(tenant.pk):
        healthy(connection_id=connection.pk)
    return None


def write(tenant: Tenant, connection: Connection) -> Category | None:
    """One record written; answers why it was refused."""
    with open_gateway(tenant.pk, connection.pk) as gateway:
        (result,) = gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "A", "Company": "B"}])
    with tenant_transaction(tenant.pk):
        for failure in result.failures:
            note_refusal(connection_id=connection.pk, category=failure.category)
        if not result.failures:
            healthy(connection_id=connection.pk, proof=Proof.WRITE)
    return result.failures[0].category if result.failures else None


def allowed(tenant: Tenant, *works: Work) -> list[bool]:
    """What the standing allows now, its health noted."""
    with tenant_transaction(tenant.pk):
        row = Connection.objects.get()
        standing = standing_of(row, settings_of(row), now=timezone.now())
        note_standing(connection=row, standing=standing)
        return [standing.allows(work) for work in works]


# -- F14: the day's calls are used up -----------------------------------------------------------------------------


def test_f14_limit_pauses_with_a_time_and_nothing_is_asked_until_then(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=100_000, limit=100_000)
    failure = ask(tenant, connection)
    assert failure is not None
    assert failure.category is Category.REQUEST_LIMIT
    row = row_of(tenant)
    assert (row.health, row.health_cause) == (Health.PAUSED, HealthCause.ORG_LIMIT)
    assert row.resumes_at is not None
    assert abs(row.resumes_at - timezone.now() - PROBE_EVERY) < timedelta(seconds=10)
    assert allowed(tenant, *Work) == [False] * 4
    emulator.clear_calls()
    for _ in range(20):
        wake_due_probes()
        assert not probe(tenant.pk, connection.pk)
    assert emulator.calls() == []


def test_f14_one_probe_each_fifteen_minutes_and_the_first_that_succeeds_resumes(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=100_000, limit=100_000)
    ask(tenant, connection)
    emulator.clear_calls()
    start = timezone.now()
    for minute in range(1, 120):
        with time_machine.travel(start + timedelta(minutes=minute)):
            for _ in range(6):
                if wake_due_probes():
                    probe(tenant.pk, connection.pk)
    assert 7 <= len(emulator.calls(LIMITS)) <= 8
    assert row_of(tenant).health == Health.PAUSED
    emulator.set_usage(org.org_id, used=90_000, limit=100_000)
    with time_machine.travel(start + timedelta(minutes=140)):
        assert wake_due_probes() == 1
        assert probe(tenant.pk, connection.pk)
        assert row_of(tenant).health == Health.HEALTHY
        assert allowed(tenant, *Work) == [True] * 4
        assert ask(tenant, connection) is None
        assert wake_due_probes() == 0
    with tenant_transaction(tenant.pk):
        assert HealthChange.objects.count() == 2


def test_f14_many_workers_probe_once(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=100_000, limit=100_000)
    ask(tenant, connection)
    emulator.clear_calls()
    with time_machine.travel(timezone.now() + PROBE_EVERY):
        for _ in range(50):
            probe(tenant.pk, connection.pk)
    assert len(emulator.calls(LIMITS)) == 1


def test_f14_header_at_the_limit_stops_before_salesforce_refuses(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection).__class__.objects.update(api_share_percent=100)
    emulator.set_usage(org.org_id, used=99_999, limit=100_000)
    assert ask(tenant, connection) is None
    assert allowed(tenant, Work.INTERACTIVE) == [False]
    assert row_of(tenant).health_cause == HealthCause.ORG_LIMIT


def test_f14_own_share_pauses_and_the_clock_alone_resumes(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=0, limit=100)
    for _ in range(200):
        if allowed(tenant, Work.INTERACTIVE) == [False]:
            break
        assert ask(tenant, connection) is None
    with tenant_transaction(tenant.pk):
        assert sum(usage.calls for usage in ApiUsage.objects.all()) == 50
    row = row_of(tenant)
    assert (row.health, row.health_cause) == (Health.PAUSED, HealthCause.SHARE)
    assert row.resumes_at is not None
    emulator.clear_calls()
    with time_machine.travel(row.resumes_at):
        assert wake_due_probes() == 1
        assert probe(tenant.pk, connection.pk)
        assert allowed(tenant, *Work) == [True] * 4
    assert emulator.calls() == []


def test_f14_essential_work_goes_on_when_routine_has_to_wait(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=0, limit=100)
    while allowed(tenant, Work.ROUTINE) == [True]:
        assert ask(tenant, connection) is None
    assert allowed(tenant, Work.INTERACTIVE, Work.ESSENTIAL, Work.ROUTINE, Work.BACKFILL) == [True, True, False, False]
    row = row_of(tenant)
    assert (row.health, "only single records and opt-outs" in row.health_reason) == (Health.DELAYED, True)


def test_f14_pause_sends_no_mail(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=100_000, limit=100_000)
    ask(tenant, connection)
    send_due(tenant.pk)
    assert mail.outbox == []


def test_f14_probe_that_meets_an_outage_leaves_the_pause(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.set_usage(org.org_id, used=100_000, limit=100_000)
    ask(tenant, connection)
    emulator.fault("/limits", status=503, body="", times=1)
    with time_machine.travel(timezone.now() + PROBE_EVERY):
        assert not probe(tenant.pk, connection.pk)
        row = row_of(tenant)
        assert (row.health, row.health_cause) == (Health.PAUSED, HealthCause.ORG_LIMIT)
        assert row.resumes_at is not None
        assert row.resumes_at > timezone.now()


# -- F15: too many at once, too busy ------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "shown"), [(5, 30), (600, 600)])
def test_f15_retry_after_is_kept_and_shown(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, seconds: int, shown: int
) -> None:
    emulator.busy("/query", seconds=seconds)
    failure = ask(tenant, connection)
    assert isinstance(failure, Transient)
    assert failure.retry_after == seconds
    row = row_of(tenant)
    assert (row.health, row.health_cause) == (Health.DELAYED, HealthCause.OUTAGE)
    assert row.resumes_at is not None
    assert abs(row.resumes_at - timezone.now() - timedelta(seconds=shown)) < timedelta(seconds=10)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentRequests (Concurrent API) exceeded."}]),
        (429, ""),
        (503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "server too busy"}]),
    ],
)
def test_f15_load_delays_and_the_next_success_ends_it(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, status: int, body: object
) -> None:
    emulator.fault("/query", status=status, body=body, times=1)
    assert isinstance(ask(tenant, connection), Transient)
    row = row_of(tenant)
    assert row.health == Health.DELAYED
    assert row.health_since is not None
    assert ask(tenant, connection) is None
    assert row_of(tenant).health == Health.HEALTHY


# -- F16: the org can be read, not changed ------------------------------------------------------------------------


def test_f16_maintenance_pauses_writes_while_reads_go_on(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.maintenance(org.org_id, "read_only")
    for _ in range(3):
        assert write(tenant, connection) is Category.MAINTENANCE
    assert ask(tenant, connection) is None
    row = row_of(tenant)
    assert (row.health, row.health_cause) == (Health.PAUSED, HealthCause.MAINTENANCE)
    assert "Salesforce maintenance" in row.health_reason
    assert row.resumes_at is not None
    assert allowed(tenant, Work.ROUTINE) == [True]
    emulator.maintenance(org.org_id, "")
    assert write(tenant, connection) is None
    assert row_of(tenant).health == Health.HEALTHY
    with tenant_transaction(tenant.pk):
        assert HealthChange.objects.count() == 2


def test_f16_org_that_is_down_delays_and_comes_back_by_itself(
    connection: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.maintenance(org.org_id, "down")
    assert isinstance(ask(tenant, connection), Transient)
    assert row_of(tenant).health in {Health.DELAYED, Health.PAUSED}
    emulator.maintenance(org.org_id, "")
    assert ask(tenant, connection) is None
