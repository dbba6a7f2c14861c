"""Connection jobs: metadata and pre-flight against the emulator, in steps that survive a stop (A06, C15, C17)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.integrations import jobs
from apps.integrations.jobs import queue_stale_metadata, run_job, wake_due_jobs
from apps.integrations.metadata import STEPS, cached_schema, refresh_metadata
from apps.integrations.models import (
    Connection,
    ConnectionCheck,
    ConnectionJob,
    ConnectionState,
    JobKind,
    JobState,
    ReferenceItem,
    ReferenceKind,
)
from apps.integrations.services.connections import disconnect, queue_job
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser, calls_of


def queued(tenant: Tenant, connection: Connection, kind: JobKind = JobKind.PREFLIGHT) -> ConnectionJob:
    with tenant_transaction(tenant.pk):
        return queue_job(connection=connection, kind=kind, user=None)


def job_of(tenant: Tenant, job: ConnectionJob) -> ConnectionJob:
    with tenant_transaction(tenant.pk):
        found: ConnectionJob = ConnectionJob.objects.get(id=job.pk)
        return found


def outcomes(tenant: Tenant) -> dict[str, str]:
    with tenant_transaction(tenant.pk):
        return dict(ConnectionCheck.objects.values_list("key", "outcome"))


def test_preflight_reads_the_org_and_answers_every_question(connection: Connection, tenant: Tenant) -> None:
    job = queued(tenant, connection)
    run_job(tenant.pk, job.pk)
    done = job_of(tenant, job)
    assert (done.state, done.error) == (JobState.DONE, "")
    assert done.done_steps == done.total_steps == len(STEPS) + 1
    found = outcomes(tenant)
    assert {found["api"], found["modify_all"], found["object_Lead"], found["campaigns"]} == {"pass"}
    assert found["web_to_lead"] == "not_checked"
    assert "blocker" not in found.values()


def test_metadata_keeps_users_queues_and_picklists(connection: Connection, tenant: Tenant, org: OrgUser) -> None:
    refresh_metadata(tenant.pk, connection.pk)
    with tenant_transaction(tenant.pk):
        users = ReferenceItem.objects.filter(kind=ReferenceKind.USER)
        assert [item.data["email"] for item in users] == [org.username]
        assert ReferenceItem.objects.filter(kind=ReferenceKind.QUEUE, label="Inbound Leads").exists()
        assert ReferenceItem.objects.filter(kind=ReferenceKind.LEAD_STATUS, key="Working - Contacted").exists()
        row = Connection.objects.get()
        lead = cached_schema(row, "Lead")
    assert row.metadata_at is not None
    assert lead is not None
    assert "Email" in lead.fields


def test_hidden_field_becomes_a_warning_that_names_it(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, org: OrgUser
) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(needed_fields={"Lead": ["Email", "Title"]})
    emulator.hide(org.org_id, "Lead.Title", "Lead.HasOptedOutOfEmail")
    run_job(tenant.pk, queued(tenant, connection).pk)
    found = outcomes(tenant)
    assert (found["fields_Lead"], found["opt_out"]) == ("warning", "warning")
    with tenant_transaction(tenant.pk):
        assert "Title" in ConnectionCheck.objects.get(key="fields_Lead").finding


def test_day_on_which_the_password_was_set_is_read_from_the_org(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, org: OrgUser
) -> None:
    _password_set(emulator, org, "2026-03-05T22:30:00Z")
    run_job(tenant.pk, queued(tenant, connection).pk)
    outcome, finding = _password(tenant)
    assert outcome == "warning"
    assert "It was last set on 5 March 2026. " in finding

    _password_set(emulator, org, "2026-10-31T08:00:00Z")
    run_job(tenant.pk, queued(tenant, connection).pk)
    assert "It was last set on 31 October 2026. " in _password(tenant)[1]

    _password_runs_out(emulator, org, never=True)
    run_job(tenant.pk, queued(tenant, connection).pk)
    assert _password(tenant) == ("pass", "The sync user's password does not run out.")


def test_password_whose_day_stays_unknown_is_told_without_one(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, org: OrgUser
) -> None:
    _password_runs_out(emulator, org, never=False)
    emulator.hide(org.org_id, "User.LastPasswordChangeDate")
    run_job(tenant.pk, queued(tenant, connection).pk)
    outcome, finding = _password(tenant)
    assert outcome == "warning"
    assert finding.endswith("runs out one day, and the sync stops with it.")


def _password_set(emulator: EmulatorControl, org: OrgUser, moment: str) -> None:
    emulator.stop_clock(org.org_id, moment)
    emulator.set_password(org.org_id, org.username, "another one")
    emulator.act(org.org_id, "clock", at=None)


def _password_runs_out(emulator: EmulatorControl, org: OrgUser, *, never: bool) -> None:
    (user,) = emulator.query(org.org_id, f"SELECT ProfileId FROM User WHERE Username = '{org.username}'")
    emulator.update(org.org_id, "Profile", user["ProfileId"], PermissionsPasswordNeverExpires=never)


def _password(tenant: Tenant) -> tuple[str, str]:
    with tenant_transaction(tenant.pk):
        check = ConnectionCheck.objects.get(key="password")
    return check.outcome, check.finding


def test_item_that_is_gone_becomes_inactive_and_is_not_forgotten(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, org: OrgUser
) -> None:
    refresh_metadata(tenant.pk, connection.pk)
    user_id = emulator.query(org.org_id, "SELECT Id FROM User")[0]["Id"]
    emulator.update(org.org_id, "User", user_id, IsActive=False)
    refresh_metadata(tenant.pk, connection.pk)
    with tenant_transaction(tenant.pk):
        assert not ReferenceItem.objects.get(kind=ReferenceKind.USER).is_active


def test_api_that_is_closed_is_the_one_blocker(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    body = '[{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]'
    emulator.fault("/services/data", status=403, body=body, times=100)
    job = queued(tenant, connection)
    run_job(tenant.pk, job.pk)
    assert job_of(tenant, job).state == JobState.FAILED
    assert outcomes(tenant) == {"api": "blocker"}


def test_outage_is_tried_again_later_and_then_ends_well(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    emulator.fault("/services/data", status=503, body="", nth=4)
    job = queued(tenant, connection)
    run_job(tenant.pk, job.pk)
    waiting = job_of(tenant, job)
    assert (waiting.state, waiting.lease_until) == (JobState.QUEUED, None)
    assert waiting.due_at > timezone.now()
    assert waiting.done_steps > 0
    with tenant_transaction(tenant.pk):
        ConnectionJob.objects.filter(id=job.pk).update(due_at=timezone.now())
    run_job(tenant.pk, job.pk)
    assert job_of(tenant, job).state == JobState.DONE


def test_long_job_goes_on_in_the_next_chunk_where_it_stopped(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_CHUNK_SECONDS", 0.0)
    job = queued(tenant, connection, JobKind.METADATA)
    for chunk in range(1, len(STEPS) + 1):
        run_job(tenant.pk, job.pk)
        assert job_of(tenant, job).done_steps == chunk
    assert job_of(tenant, job).state == JobState.DONE


def test_job_of_another_worker_is_left_alone_until_its_lease_ends(connection: Connection, tenant: Tenant) -> None:
    job = queued(tenant, connection)
    with tenant_transaction(tenant.pk):
        ConnectionJob.objects.update(state=JobState.RUNNING, lease_until=timezone.now() + timedelta(seconds=60))
    run_job(tenant.pk, job.pk)
    assert job_of(tenant, job).state == JobState.RUNNING
    with tenant_transaction(tenant.pk):
        ConnectionJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    run_job(tenant.pk, job.pk)
    assert job_of(tenant, job).state == JobState.DONE


def test_job_that_never_ends_is_given_up_with_a_reason(connection: Connection, tenant: Tenant) -> None:
    job = queued(tenant, connection)
    with tenant_transaction(tenant.pk):
        ConnectionJob.objects.update(attempts=6)
    run_job(tenant.pk, job.pk)
    given_up = job_of(tenant, job)
    assert given_up.state == JobState.FAILED
    assert given_up.error


def test_pressing_twice_queues_once(connection: Connection, tenant: Tenant) -> None:
    assert queued(tenant, connection).pk == queued(tenant, connection).pk


def test_disconnecting_revokes_the_grant_and_forgets_the_tokens(
    connection: Connection, tenant: Tenant, user: User, emulator: EmulatorControl
) -> None:
    with tenant_transaction(tenant.pk):
        disconnect(connection=connection, user=user)
        job = ConnectionJob.objects.get(kind=JobKind.REVOKE)
    run_job(tenant.pk, job.pk)
    with tenant_transaction(tenant.pk):
        row = Connection.objects.get()
    assert (row.state, row.access_token, row.refresh_token) == (ConnectionState.DISCONNECTED, "", "")
    assert calls_of(emulator, "/services/oauth2/revoke") == 1


def test_metadata_is_read_again_every_day_and_once(connection: Connection, tenant: Tenant) -> None:
    refresh_metadata(tenant.pk, connection.pk)
    assert queue_stale_metadata() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert (queue_stale_metadata(), queue_stale_metadata()) == (1, 0)
    with tenant_transaction(tenant.pk):
        assert ConnectionJob.objects.get().kind == JobKind.METADATA


def test_dispatcher_finds_due_jobs_of_all_tenants(connection: Connection, tenant: Tenant) -> None:
    queued(tenant, connection)
    assert wake_due_jobs() >= 1
