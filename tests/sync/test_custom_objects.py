"""Custom objects (C14): chosen from the org, mapped to a type of their own, and synced on the road of all others."""

from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from apps.audience.models import Company, CustomField, CustomRecord, CustomRecordType
from apps.field_mappings.custom_objects import add_custom_object, ask_for_object, choosable_objects, propose
from apps.field_mappings.models import SyncStep
from apps.integrations.jobs import run_job
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.outbox.queue import queue_change
from apps.sync.models import RecordLink, RunEntry
from apps.sync.selectors.why import why
from apps.sync.services import sync_now
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]

PROJECT = "Project__c"
FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "Code__c", "type": "string", "label": "Code", "length": 20, "externalId": True, "unique": True},
    {"name": "Budget__c", "type": "currency", "label": "Budget", "precision": 12, "scale": 2},
    {"name": "Starts__c", "type": "date", "label": "Starts"},
    {"name": "Is_Public__c", "type": "boolean", "label": "Is public"},
    {"name": "Contact__c", "type": "reference", "label": "Contact", "referenceTo": ["Contact"]},
    {"name": "Account__c", "type": "reference", "label": "Account", "referenceTo": ["Account"]},
)


class Projects:
    """A world whose org has projects, and the verbs for them."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.emulator.add_object(world.org.org_id, PROJECT, *FIELDS, label="Project", plural="Projects")

    def look(self) -> None:
        """Have the object described, as the page does."""
        world = self.world
        with tenant_transaction(world.tenant_id):
            job = ask_for_object(connection=world.connection, sobject=PROJECT, user=world.user)
        run_job(world.tenant_id, job.pk)

    def add(self, *, is_two_way: bool = False, key_field: str = "Code__c") -> CustomRecordType:
        """Look at the object and add it."""
        self.look()
        world = self.world
        with tenant_transaction(world.tenant_id):
            return add_custom_object(
                connection=Connection.objects.get(id=world.connection.pk),
                sobject=PROJECT,
                label="Project",
                label_plural="Projects",
                key_field=key_field,
                is_two_way=is_two_way,
                user=world.user,
            )

    def make(self, **values: Any) -> str:
        return self.world.emulator.create(self.world.org.org_id, PROJECT, **values)

    def all(self) -> list[CustomRecord]:
        with tenant_transaction(self.world.tenant_id):
            return list(CustomRecord.objects.select_related("person", "company").order_by("id"))

    def one(self) -> CustomRecord:
        found = self.all()
        assert len(found) == 1
        return found[0]

    def edit(self, record: CustomRecord, **custom: str) -> None:
        with tenant_transaction(self.world.tenant_id):
            row = CustomRecord.objects.get(id=record.pk)
            row.custom |= custom
            row.save(update_fields=["custom"])
            CustomRecord.objects.filter(id=row.pk).update(version=F("version") + 1)
            queue_change(
                local_type=row.local_type,
                local_id=row.pk,
                fields=[f"custom:{name}" for name in custom],
                origin="user",
                at=timezone.now(),
            )


@pytest.fixture
def projects(near_world: World) -> Projects:
    return Projects(near_world)


def test_the_orgs_custom_objects_can_be_chosen_and_one_is_shown_before_it_is_added(projects: Projects) -> None:
    projects.look()
    with tenant_transaction(projects.world.tenant_id):
        connection = Connection.objects.get(id=projects.world.connection.pk)
        assert [item.key for item in choosable_objects(connection)] == [PROJECT]
        schema = cached_schema(connection, PROJECT)
        assert schema is not None
        places = {one.remote.name: one.local_field for one in propose(schema)}
    assert places == {
        "Name": "name",
        "Contact__c": "person",
        "Account__c": "company",
        "OwnerId": "owner",
        "Code__c": "custom:code",
        "Budget__c": "custom:budget",
        "Starts__c": "custom:starts",
        "Is_Public__c": "custom:is_public",
    }


def test_adding_one_makes_the_type_its_fields_a_step_and_mappings_once(projects: Projects) -> None:
    made = projects.add()
    with tenant_transaction(projects.world.tenant_id):
        step = SyncStep.objects.get(sobject=PROJECT)
        assert (step.local_type, step.direction, step.create_remote) == (made.local_type, "pull", False)
        kinds = dict(CustomField.objects.filter(record_type=made.local_type).values_list("key", "kind"))
        assert kinds == {"code": "text", "budget": "decimal", "starts": "date", "is_public": "boolean"}
        assert choosable_objects(Connection.objects.get(id=projects.world.connection.pk)) == []


def test_a_full_sync_brings_them_with_their_person_and_company(projects: Projects) -> None:
    world = projects.world
    account = world.emulator.create(world.org.org_id, "Account", Name="Acme")
    contact = world.contact(LastName="Byron", Email="ada@example.com", AccountId=account)
    project = projects.make(
        Name="Bridge", Code__c="B-1", Budget__c=1250.5, Starts__c="2026-03-01", Contact__c=contact, Account__c=account
    )
    made = projects.add()
    run = world.sync()
    assert world.counts(run)[PROJECT] == (1, 0, 0, 0, 0)
    record = projects.one()
    assert (record.name, record.record_type_id, record.leading_remote_id) == ("Bridge", made.pk, project)
    assert record.custom == {"code": "B-1", "budget": "1250.5", "starts": "2026-03-01", "is_public": "false"}
    assert record.person is not None
    assert record.person.last_name == "Byron"
    assert record.company is not None
    assert record.company.name == "Acme"
    assert world.link(project).custom_record_id == record.pk
    assert world.counts(world.sync())[PROJECT] == (0, 0, 1, 0, 0)


def test_without_the_step_nothing_of_the_object_comes(projects: Projects) -> None:
    projects.make(Name="Bridge")
    projects.add()
    with tenant_transaction(projects.world.tenant_id):
        SyncStep.objects.filter(sobject=PROJECT).update(is_enabled=False)
    run = projects.world.sync()
    assert PROJECT not in projects.world.counts(run)
    assert projects.all() == []


def test_a_differential_sync_brings_changes_deletions_and_what_is_restored(projects: Projects) -> None:
    world = projects.world
    project = projects.make(Name="Bridge", Budget__c=1)
    projects.add()
    world.sync()
    world.change(PROJECT, project, Budget__c=2, Name="Big bridge")
    world.poll()
    assert (projects.one().name, projects.one().custom["budget"]) == ("Big bridge", "2")
    world.emulator.delete(world.org.org_id, PROJECT, project)
    world.poll()
    assert not projects.one().is_active
    world.emulator.undelete(world.org.org_id, PROJECT, project)
    world.poll()
    assert projects.one().is_active
    with tenant_transaction(world.tenant_id):
        actions = list(RunEntry.objects.filter(local_id=projects.one().pk).order_by("number").values_list("action"))
    assert [action for (action,) in actions] == ["created", "updated", "deactivated", "reactivated"]


def test_the_sweep_finds_one_that_was_deleted_for_good(projects: Projects) -> None:
    world = projects.world
    project = projects.make(Name="Bridge")
    projects.add()
    world.sync()
    world.emulator.delete(world.org.org_id, PROJECT, project)
    world.emulator.purge(world.org.org_id, PROJECT, project)
    world.sweep()
    assert not projects.one().is_active


@pytest.mark.parametrize("is_two_way", [False, True])
def test_a_change_here_goes_out_only_where_the_step_is_two_way(projects: Projects, is_two_way: bool) -> None:
    world = projects.world
    project = projects.make(Name="Bridge", Budget__c=1)
    projects.add(is_two_way=is_two_way)
    world.sync()
    projects.edit(projects.one(), budget="7")
    world.push()
    assert world.row(PROJECT, project, "Budget__c")["Budget__c"] == (7 if is_two_way else 1)
    assert projects.one().custom["budget"] == ("7" if is_two_way else "1")
    assert world.waiting() == []


def test_one_made_here_is_made_there_once_with_its_lookups(projects: Projects) -> None:
    world = projects.world
    account = world.emulator.create(world.org.org_id, "Account", Name="Acme")
    made = projects.add(is_two_way=True)
    world.sync()
    with tenant_transaction(world.tenant_id):
        company = Company.objects.get(leading_remote_id=account)
        record = CustomRecord.objects.create(
            record_type=made, name="Tower", company=company, custom={"code": "T-1", "is_public": "true"}
        )
        names = ["name", "company", "custom:code", "custom:is_public"]
        queue_change(local_type=made.local_type, local_id=record.pk, fields=names, origin="user", at=timezone.now())
    world.push()
    rows = world.emulator.query(world.org.org_id, f"SELECT Name, Code__c, Is_Public__c, Account__c FROM {PROJECT}")
    assert [(r["Name"], r["Code__c"], r["Is_Public__c"], r["Account__c"]) for r in rows] == [
        ("Tower", "T-1", True, account)
    ]
    world.poll()
    assert len(projects.all()) == 1
    assert projects.one().leading_sobject == PROJECT


def test_a_record_here_is_linked_by_its_key_and_not_made_twice(projects: Projects) -> None:
    world = projects.world
    made = projects.add(is_two_way=True)
    world.sync()
    with tenant_transaction(world.tenant_id):
        CustomRecord.objects.create(record_type=made, name="Bridge", custom={"code": "b-1"})
    project = projects.make(Name="Bridge", Code__c="B-1", Budget__c=3)
    world.poll()
    record = projects.one()
    assert (record.leading_remote_id, record.custom["budget"]) == (project, "3")


def test_a_refusal_is_an_error_of_the_record_and_why_names_its_gates(projects: Projects) -> None:
    world = projects.world
    projects.make(Name="Bridge", Code__c="B-1")
    made = projects.add(is_two_way=True)
    world.sync()
    projects.edit(projects.one(), code="x" * 30)
    world.push()
    with tenant_transaction(world.tenant_id):
        error = SyncError.objects.get(state__in=LIVE_STATES)
        assert (error.local_type, error.local_id, error.record_label) == (made.local_type, projects.one().pk, "Bridge")
        connection = Connection.objects.get(id=world.connection.pk)
        gates = why(connection, local_type=made.local_type, record_id=error.local_id or 0)
    closed = [gate.key for gate in gates if gate.verdict == "failed"]
    assert "error" in closed


def test_sync_now_brings_one_record_both_ways(projects: Projects) -> None:
    world = projects.world
    project = projects.make(Name="Bridge", Budget__c=1)
    projects.add(is_two_way=True)
    world.sync()
    world.change(PROJECT, project, Name="Big bridge")
    projects.edit(projects.one(), budget="9")
    record = projects.one()
    with tenant_transaction(world.tenant_id):
        run = sync_now(connection=world.connection, local_type=record.local_type, record_id=record.pk, user=world.user)
    world.finish(run)
    assert projects.one().name == "Big bridge"
    assert world.row(PROJECT, project, "Budget__c")["Budget__c"] == 9


def test_a_lookup_to_a_contact_takes_no_lead(projects: Projects) -> None:
    world = projects.world
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    project = projects.make(Name="Bridge")
    projects.add(is_two_way=True)
    world.sync()
    with tenant_transaction(world.tenant_id):
        row = CustomRecord.objects.get(leading_remote_id=project)
        row.person = world.person(lead)
        row.version += 1
        row.save(update_fields=["person", "version"])
        queue_change(local_type=row.local_type, local_id=row.pk, fields=["person"], origin="user", at=timezone.now())
    world.push()
    assert world.row(PROJECT, project, "Contact__c")["Contact__c"] is None
    assert "Lead" in world.live_errors()[0].message


def test_when_two_people_become_one_the_records_of_both_are_theirs(projects: Projects) -> None:
    world = projects.world
    first = world.contact(LastName="Byron", Email="ada@example.com")
    second = world.contact(LastName="King", Email="ada.king@example.com")
    projects.make(Name="Bridge", Contact__c=second)
    projects.add()
    world.sync()
    world.emulator.merge(world.org.org_id, "Contact", first, second)
    world.poll()
    person = projects.one().person
    assert person is not None
    assert person.leading_remote_id == first
    with tenant_transaction(world.tenant_id):
        assert RecordLink.objects.filter(custom_record_id__isnull=False).count() == 1
