"""What is older than 90 days goes in small transactions, and nothing else does (G05)."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.integrations.models import Connection
from apps.sync import tidying
from apps.sync.models import EntryAction, RunEntry, RunKind, RunLane, RunState, Schedule, SyncRun, WriteIntent
from apps.sync.tidying import tidy
from apps.sync_actions.models import RuleRun
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import salesforce

__all__ = ["salesforce"]
pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()
LONG_AGO, LATELY = NOW - timedelta(days=91), NOW - timedelta(days=89)


def a_run(connection: Connection, at: datetime, kind: RunKind = RunKind.DIFFERENTIAL, entries: int = 3) -> SyncRun:
    run: SyncRun = SyncRun.objects.create(
        connection_id=connection.pk, kind=kind, state=RunState.COMPLETED, queued_at=at
    )
    RunLane.objects.create(run=run, name="pull", is_done=True)
    for _ in range(entries):
        RunEntry.objects.create(
            run_id=run.pk, sobject="Lead", remote_id="", local_type="person", action=EntryAction.UPDATED, at=at
        )
    return run


def settled(tenant: Tenant, connection: Connection) -> datetime | None:
    """Tidy until it is not due any more."""
    for _ in range(20):
        tidy(tenant.pk, connection.pk)
        with tenant_transaction(tenant.pk):
            due: datetime | None = Schedule.objects.get().tidy_due_at
        if due is None or due > timezone.now():
            return due
    raise AssertionError("It does not come to its end.")


@pytest.fixture(autouse=True)
def due(tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        Schedule.objects.create(connection_id=salesforce.pk)


def test_old_runs_go_with_their_entries_and_new_ones_stay(
    tenant: Tenant, salesforce: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "_ROWS", 2)
    with tenant_transaction(tenant.pk):
        a_run(salesforce, LONG_AGO)
        head = a_run(salesforce, LONG_AGO, RunKind.FULL)
        kept = a_run(salesforce, LATELY)
    due = settled(tenant, salesforce)
    assert due is not None
    assert due > NOW + timedelta(minutes=1)
    with tenant_transaction(tenant.pk):
        assert set(SyncRun.objects.values_list("id", flat=True)) == {head.pk, kept.pk}
        assert set(RunEntry.objects.values_list("run_id", flat=True)) == {kept.pk}
        assert RunLane.objects.count() == 2


def test_a_run_that_is_open_is_left_alone(tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        SyncRun.objects.filter(id=a_run(salesforce, LONG_AGO).pk).update(state=RunState.RUNNING)
    settled(tenant, salesforce)
    with tenant_transaction(tenant.pk):
        assert RunEntry.objects.count() == 3


def test_what_rules_did_and_closed_intents_go_and_open_ones_stay(tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        for at in (LONG_AGO, LATELY):
            RuleRun.objects.create(rule_id=1, rule_name="x", person_id=1, event="created", event_key=str(at), at=at)
        for closed in (LONG_AGO, LATELY, None):
            WriteIntent.objects.create(
                connection_id=salesforce.pk, sobject="Lead", local_type="person", local_id=1, values={},
                local_version=1, cause="rule", closed_at=closed,
            )  # fmt: skip
    settled(tenant, salesforce)
    with tenant_transaction(tenant.pk):
        assert [run.at for run in RuleRun.objects.all()] == [LATELY]
        assert set(WriteIntent.objects.values_list("closed_at", flat=True)) == {LATELY, None}


def test_nothing_happens_before_the_night(tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        Schedule.objects.update(tidy_due_at=NOW + timedelta(hours=1))
        a_run(salesforce, LONG_AGO)
    tidy(tenant.pk, salesforce.pk)
    with tenant_transaction(tenant.pk):
        assert RunEntry.objects.count() == 3
