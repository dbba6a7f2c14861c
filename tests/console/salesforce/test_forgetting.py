"""Disconnecting: what came from the org is kept or deleted, as asked; what was made here always stays (A07)."""

import pytest
from django.test import Client

from apps.audience.models import Company, List, ListKind, ListMembership, Person
from apps.audience.models.record import Source
from apps.integrations.models import Connection, ConnectionJob, ConnectionState, JobKind, JobState
from apps.sync import forgetting
from apps.sync.models import RecordLink, RunState, SyncRun
from apps.sync.services import start_full_sync
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction

PAGE = "/integrations/salesforce/disconnect/"


@pytest.fixture
def records(tenant: Tenant, connection: Connection) -> None:
    """A company and a person from Salesforce, a person from a form who is linked, one who is not, and two lists."""
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name="Contoso", source=Source.SALESFORCE, leading_sobject="Account")
        came = Person.objects.create(
            email="came@contoso.example", source=Source.SALESFORCE, company=company, leading_sobject="Lead"
        )
        ours = Person.objects.create(email="form@contoso.example", source=Source.FORM, leading_sobject="Contact")
        Person.objects.create(email="alone@contoso.example", source=Source.FORM)
        for number, (sobject, record) in enumerate(
            [
                ("Account", {"company_id": company.pk}),
                ("Lead", {"person_id": came.pk}),
                ("Contact", {"person_id": ours.pk}),
            ]
        ):
            RecordLink.objects.create(
                connection_id=connection.pk, remote_id=f"00Q00000000000{number}AAA"[:18], sobject=sobject, **record
            )
        campaign = List.objects.create(kind=ListKind.CAMPAIGN, name="Webinar", remote_id="701000000000001AAA")
        List.objects.create(name="My list")
        ListMembership.objects.create(list=campaign, person=ours)


def press_disconnect(owner: Client, tenant: Tenant, data: str) -> None:
    owner.post(PAGE, {"tenant": tenant.pk, "data": data})


def forget(tenant: Tenant, kind: JobKind = JobKind.FORGET) -> ConnectionJob:
    with tenant_transaction(tenant.pk):
        job = ConnectionJob.objects.get(kind=kind)
    forgetting.forget(tenant.pk, job.pk)
    with tenant_transaction(tenant.pk):
        done: ConnectionJob = ConnectionJob.objects.get(id=job.pk)
        return done


@pytest.mark.usefixtures("records")
def test_keeping_deletes_nothing(owner: Client, tenant: Tenant) -> None:
    press_disconnect(owner, tenant, "keep")
    with tenant_transaction(tenant.pk):
        assert not ConnectionJob.objects.filter(kind=JobKind.FORGET).exists()
        assert Person.objects.count() == 3
        assert RecordLink.objects.count() == 3


@pytest.mark.usefixtures("records")
def test_deleting_removes_what_came_and_keeps_what_was_made_here(owner: Client, tenant: Tenant) -> None:
    press_disconnect(owner, tenant, "delete")
    assert forget(tenant).state == JobState.DONE
    with tenant_transaction(tenant.pk):
        people = Person.objects.order_by("email").values_list("email", "leading_sobject")
        assert list(people) == [("alone@contoso.example", ""), ("form@contoso.example", "")]
        assert not Company.objects.exists()
        assert not RecordLink.objects.exists()
        assert list(List.objects.values_list("name", flat=True)) == ["My list"]


@pytest.mark.usefixtures("records")
def test_deleting_another_tenants_org_leaves_this_one_alone(
    owner: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    with tenant_transaction(other_tenant.pk):
        Person.objects.create(email="came@contoso.example", source=Source.SALESFORCE)
    press_disconnect(owner, tenant, "delete")
    forget(tenant)
    with tenant_transaction(other_tenant.pk):
        assert Person.objects.count() == 1


@pytest.mark.usefixtures("records")
def test_org_that_was_connected_again_is_not_forgotten(owner: Client, tenant: Tenant) -> None:
    press_disconnect(owner, tenant, "delete")
    with tenant_transaction(tenant.pk):
        Connection.objects.update(state=ConnectionState.CONNECTED)
    assert forget(tenant).state == JobState.DONE
    with tenant_transaction(tenant.pk):
        assert Person.objects.count() == 3


@pytest.mark.usefixtures("records")
def test_run_is_stopped_first_and_deleting_waits_for_it(owner: Client, tenant: Tenant, connection: Connection) -> None:
    with tenant_transaction(tenant.pk):
        start_full_sync(connection=Connection.objects.get(), user=connection.connected_by, turn_on=True)
    press_disconnect(owner, tenant, "delete")
    with tenant_transaction(tenant.pk):
        assert SyncRun.objects.get().state == RunState.CANCELLING
    assert forget(tenant).state == JobState.QUEUED
    with tenant_transaction(tenant.pk):
        assert Person.objects.count() == 3


@pytest.mark.usefixtures("records")
def test_moving_to_another_org_asks_for_the_word_and_closes_every_link(owner: Client, tenant: Tenant) -> None:
    for word in ("", "move", "yes"):
        answer = owner.post(PAGE, {"tenant": tenant.pk, "data": "unlink", "confirmation": word})
        assert (answer.status_code, "Nothing was done" in answer.content.decode()) == (422, True)
    owner.post(PAGE, {"tenant": tenant.pk, "data": "unlink", "confirmation": "Move"})
    with tenant_transaction(tenant.pk):
        ours = Person.objects.get(email="form@contoso.example")
        RecordLink.objects.create(connection_id=10**9, remote_id="003X", sobject="Contact", person_id=ours.pk)
        Person.objects.filter(id=ours.pk).update(leading_remote_id="003X")
    assert forget(tenant, JobKind.UNLINK).state == JobState.DONE
    with tenant_transaction(tenant.pk):
        assert Person.objects.count() == 3
        assert Company.objects.get().leading_sobject == ""
        assert not Person.objects.exclude(id=ours.pk).exclude(leading_sobject="").exists()
        assert Person.objects.get(id=ours.pk).leading_sobject == "Contact"
        assert [link.remote_id for link in RecordLink.objects.all()] == ["003X"]
        assert not List.objects.filter(kind=ListKind.CAMPAIGN).exists()
        assert ListMembership.objects.count() == 1
