"""The package page: what it says in each state, and its button."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.integrations.jobs import run_job
from apps.integrations.models import Connection, ConnectionJob, JobKind, JobState, PackageInstall
from apps.integrations.package.installing import install
from apps.tenants.access import TENANT_FIELD
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser

pytestmark = pytest.mark.django_db
HOME = "/integrations/salesforce/package/"


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def press(client: Client, tenant: Tenant, button: str = "install", **form: str) -> Any:
    return client.post(f"{HOME}{button}/", {TENANT_FIELD: str(tenant.pk), **form})


def work(tenant: Tenant) -> None:
    """What the worker does until nothing is open."""
    for _ in range(30):
        with tenant_transaction(tenant.pk):
            ConnectionJob.objects.update(due_at=timezone.now())
            jobs = list(ConnectionJob.objects.filter(finished_at__isnull=True))
        for job in jobs:
            (install if job.kind == JobKind.PACKAGE else run_job)(tenant.pk, job.pk)
        if not jobs:
            return
    raise AssertionError("still open")


def test_from_absent_to_installed(
    tenant: Tenant, owner: Client, connection: Connection, emulator: EmulatorControl, org: OrgUser
) -> None:
    emulator.change_org(org.org_id, package_fields=False)
    work(tenant)
    assert "Not installed" in text(owner.get(HOME))
    assert "Install the package" in text(owner.get(HOME))
    assert press(owner, tenant).headers["Location"] == HOME
    running = text(owner.get(HOME))
    assert "Waiting for a worker" in running
    assert 'hx-trigger="load delay:1s"' in running
    assert "Cancel" in running
    work(tenant)
    done = text(owner.get(HOME))
    assert "Installed, version 1.0" in done
    assert "Put the panel on the page layouts next." in done
    assert 'hx-trigger="load delay:1s"' not in done.partition('id="package"')[2].partition("</section>")[0]
    assert "Add the panel in Salesforce" in text(owner.get("/integrations/salesforce/"))


def test_a_failure_names_each_component_as_text(tenant: Tenant, owner: Client, connection: Connection) -> None:
    with tenant_transaction(tenant.pk):
        now = timezone.now()
        job = ConnectionJob.objects.create(
            connection=connection, kind=JobKind.PACKAGE, state=JobState.FAILED, error="Refused.", due_at=now,
            finished_at=now,
        )  # fmt: skip
        PackageInstall.objects.create(
            connection=connection, job_id=job.pk, status="Failed",
            failures=[{"name": "Lead.X__c", "kind": "CustomField", "problem": "<b>No</b> room"}],
        )  # fmt: skip
    shown = text(owner.get(HOME))
    assert "The package was not installed" in shown
    assert "Lead.X__c" in shown
    assert "&lt;b&gt;No&lt;/b&gt; room" in shown


def test_the_fields_alone_are_asked_for_where_the_edition_has_no_apex(
    tenant: Tenant, owner: Client, connection: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(edition="Professional Edition")
    assert "has no Apex by itself" in text(owner.get(HOME))
    press(owner, tenant, parts="fields")
    with tenant_transaction(tenant.pk):
        assert PackageInstall.objects.get().with_panel is False


def test_cancelling_is_asked_for_once_and_shown(tenant: Tenant, owner: Client, connection: Connection) -> None:
    press(owner, tenant)
    press(owner, tenant, "cancel")
    assert "Stopping…" in text(owner.get(HOME))


def test_who_may_not_connect_sees_no_button(
    tenant: Tenant, member: Callable[[Role], Client], connection: Connection
) -> None:
    viewer = member(Role.MARKETER)
    assert "Install the package" not in text(viewer.get(HOME))
    assert press(viewer, tenant).status_code == 403
    with tenant_transaction(tenant.pk):
        assert not PackageInstall.objects.exists()


def test_without_a_connection_the_page_leads_to_connecting(owner: Client) -> None:
    assert owner.get(HOME).headers["Location"] == "/integrations/salesforce/"
