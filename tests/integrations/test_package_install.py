"""Installing the package by the Metadata API into the emulator, and every way in which that does not work out."""

import pytest
from django.utils import timezone

from apps.integrations.jobs import run_job
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection, ConnectionJob, JobKind, JobState, PackageInstall
from apps.integrations.package.installing import cancel_install, install, queue_install
from apps.integrations.package.presence import Presence, State, presence_of
from apps.integrations.services.connections import queue_job
from apps.tenants.models import AuditEntry, Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.conftest import connect
from tests.integrations.world import OrgUser, calls_of

pytestmark = pytest.mark.django_db
DEPLOY = "/services/data/v66.0/metadata/deployRequest"


@pytest.fixture
def bare_org(emulator: EmulatorControl) -> OrgUser:
    """An org in which the package has never been."""
    made = emulator.create_org(name="Bare", package_fields=False)
    username, facts = next(iter(made["users"].items()))
    return OrgUser(made["id"], username, facts["password"])


@pytest.fixture
def bare(tenant: Tenant, user: User, bare_org: OrgUser, emulator: EmulatorControl) -> Connection:
    """The connection to it, whose fields are known."""
    made = connect(tenant, user, bare_org, emulator.base_url)
    read_again(tenant, made, user)
    return made


def read_again(tenant: Tenant, connection: Connection, user: User) -> None:
    """What the pre-flight brings up to date."""
    with tenant_transaction(tenant.pk):
        job = queue_job(connection=connection, kind=JobKind.PREFLIGHT, user=user)
    run_to_end(tenant, job.pk, run_job)


def run_to_end(tenant: Tenant, job_id: int, work: object) -> ConnectionJob:
    for _ in range(60):
        with tenant_transaction(tenant.pk):
            ConnectionJob.objects.filter(id=job_id).update(due_at=timezone.now())
        work(tenant.pk, job_id)  # type: ignore[operator]  # run_job or install
        with tenant_transaction(tenant.pk):
            job: ConnectionJob = ConnectionJob.objects.get(id=job_id)
        if job.finished_at is not None:
            return job
    raise AssertionError(f"The job did not end: {job.step}")


def start(tenant: Tenant, connection: Connection, user: User, *, with_panel: bool = True) -> ConnectionJob:
    with tenant_transaction(tenant.pk):
        return queue_install(connection=connection, user=user, with_panel=with_panel)


def installed(
    tenant: Tenant, connection: Connection, user: User, **options: bool
) -> tuple[ConnectionJob, PackageInstall]:
    """Start one and bring it to its end."""
    job = run_to_end(tenant, start(tenant, connection, user, **options).pk, install)
    with tenant_transaction(tenant.pk):
        return job, PackageInstall.objects.get(job_id=job.pk)


def presence(tenant: Tenant, connection: Connection) -> Presence:
    with tenant_transaction(tenant.pk):
        return presence_of(Connection.objects.get(id=connection.pk))


def test_one_click_brings_the_fields_and_the_sync_user_may_write_them(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl, bare_org: OrgUser
) -> None:
    assert presence(tenant, bare).state is State.ABSENT
    job, found = installed(tenant, bare, user)
    assert (job.state, job.error, found.status, found.by_hand) == (JobState.DONE, "", "Succeeded", [])
    with tenant_transaction(tenant.pk):
        reading = ConnectionJob.objects.get(kind=JobKind.PREFLIGHT, finished_at__isnull=True)
    run_to_end(tenant, reading.pk, run_job)
    now = presence(tenant, bare)
    assert (now.state, now.version, now.missing, now.read_only) == (State.PRESENT, "1.0", [], [])
    with tenant_transaction(tenant.pk):
        row = Connection.objects.get(id=bare.pk)
        lead = cached_schema(row, "Lead")
        assert AuditEntry.objects.filter(action="package_install_started").count() == 1
    assert row.has_package
    assert lead is not None
    assert lead.fields["Syncline_Id__c"].external_id
    assert lead.fields["Syncline_Link__c"].calculated
    made = emulator.create(bare_org.org_id, "Lead", LastName="L", Company="C", Syncline_Id__c="x-1")
    rows = emulator.query(bare_org.org_id, f"SELECT Syncline_Id__c FROM Lead WHERE Id = '{made}'")
    assert rows[0]["Syncline_Id__c"] == "x-1"
    assert emulator.query(bare_org.org_id, "SELECT Id FROM PermissionSet WHERE Name = 'Syncline'")


def test_installed_twice_nothing_breaks_and_pressed_twice_it_is_one_job(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl
) -> None:
    first = start(tenant, bare, user)
    assert start(tenant, bare, user).pk == first.pk
    run_to_end(tenant, first.pk, install)
    assert installed(tenant, bare, user)[0].state == JobState.DONE
    posts = [call for call in emulator.calls(f"{DEPLOY}$") if call["method"] == "POST"]
    assert len(posts) == 2


def test_refused_components_are_named_and_nothing_is_changed(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl, bare_org: OrgUser
) -> None:
    problem = {"name": "Lead.Syncline_Id__c", "type": "CustomField", "problem": "You have reached the maximum."}
    emulator.refuse_components(bare_org.org_id, problem)
    job, found = installed(tenant, bare, user)
    assert job.state == JobState.FAILED
    assert "Salesforce refused parts of the package" in job.error
    assert found.failures == [
        {"name": "Lead.Syncline_Id__c", "kind": "CustomField", "problem": "You have reached the maximum."}
    ]
    read_again(tenant, bare, user)
    assert presence(tenant, bare).state is State.ABSENT


def test_an_edition_without_apex_takes_the_fields_alone(tenant: Tenant, user: User, emulator: EmulatorControl) -> None:
    made = emulator.create_org(name="Small", package_fields=False, edition="Professional Edition")
    username, facts = next(iter(made["users"].items()))
    small = connect(tenant, user, OrgUser(made["id"], username, facts["password"]), emulator.base_url)
    read_again(tenant, small, user)
    job, found = installed(tenant, small, user)
    assert job.state == JobState.FAILED
    assert {one["kind"] for one in found.failures} == {"ApexClass", "ApexPage"}
    assert installed(tenant, small, user, with_panel=False)[0].state == JobState.DONE
    read_again(tenant, small, user)
    assert presence(tenant, small).state is State.PRESENT


def test_a_user_who_may_not_deploy_is_told_what_is_missing(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl, bare_org: OrgUser
) -> None:
    emulator.forbid_deploying(bare_org.org_id)
    job, _ = installed(tenant, bare, user)
    assert job.state == JobState.FAILED
    assert "Modify Metadata Through Metadata API Functions" in job.error


def test_where_access_cannot_be_granted_the_hand_is_asked_for_help(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl
) -> None:
    emulator.fault(
        "/composite/sobjects", method="POST", status=403,
        body=[{"errorCode": "INSUFFICIENT_ACCESS", "message": "insufficient access rights"}],
    )  # fmt: skip
    job, found = installed(tenant, bare, user)
    emulator.clear_faults()
    assert job.state == JobState.DONE
    assert "Assign the permission set “Syncline”" in found.by_hand[0]
    read_again(tenant, bare, user)
    assert presence(tenant, bare).state is State.ABSENT  # the fields are there, and hidden from the sync user


def test_cancelled_while_it_waits_nothing_is_changed(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl
) -> None:
    job = start(tenant, bare, user)
    install(tenant.pk, job.pk)
    with tenant_transaction(tenant.pk):
        assert PackageInstall.objects.get().deploy_id
        cancel_install(connection=bare, user=user)
        cancel_install(connection=bare, user=user)
    ended = run_to_end(tenant, job.pk, install)
    assert ended.state == JobState.FAILED
    assert "was cancelled. Nothing was changed" in ended.error
    assert calls_of(emulator, DEPLOY) == 1
    read_again(tenant, bare, user)
    assert presence(tenant, bare).state is State.ABSENT
    with tenant_transaction(tenant.pk):
        assert AuditEntry.objects.filter(action="package_install_cancelled").count() == 1


def test_cancelled_before_it_was_sent_nothing_is_sent(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl
) -> None:
    job = start(tenant, bare, user)
    with tenant_transaction(tenant.pk):
        cancel_install(connection=bare, user=user)
    assert run_to_end(tenant, job.pk, install).state == JobState.FAILED
    assert not emulator.calls(DEPLOY)


def test_an_outage_on_the_way_costs_time_and_no_second_deployment(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl
) -> None:
    job = start(tenant, bare, user)
    install(tenant.pk, job.pk)
    emulator.fault(f"{DEPLOY}/", status=503, body="busy", times=2)
    assert run_to_end(tenant, job.pk, install).state == JobState.DONE
    emulator.clear_faults()
    assert len([call for call in emulator.calls(f"{DEPLOY}$") if call["method"] == "POST"]) == 1


def test_an_expired_session_during_the_upload_sends_it_again_whole(
    tenant: Tenant, bare: Connection, user: User, emulator: EmulatorControl, bare_org: OrgUser
) -> None:
    emulator.expire_tokens(org_id=bare_org.org_id)
    assert installed(tenant, bare, user)[0].state == JobState.DONE


def test_an_org_with_the_package_shows_it_and_a_hidden_field_as_missing(
    tenant: Tenant, connection: Connection, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    read_again(tenant, connection, user)
    assert presence(tenant, connection).state is State.PRESENT
    emulator.hide(org.org_id, "Lead.Syncline_Lead_Score__c")
    emulator.protect(org.org_id, "Contact.Syncline_Id__c")
    read_again(tenant, connection, user)
    found = presence(tenant, connection)
    assert (found.state, found.version) == (State.PARTIAL, "")
    assert (found.missing, found.read_only) == (["Lead.Syncline_Lead_Score__c"], ["Contact.Syncline_Id__c"])
