"""The page with which a custom object is added, and the pages of its records."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.audience.models import Company, CustomField, CustomRecord, CustomRecordType, Person, RecordChange
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection, ConnectionJob, ObjectMetadata, ReferenceItem
from apps.outbox.models import OutboundChange
from apps.sync.models import RecordLink
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE, marketer, salesforce, viewer

__all__ = ["marketer", "salesforce", "viewer"]

OBJECTS = "/integrations/salesforce/objects/"
PROJECT = "Project__c"


def _field(name: str, kind: str, label: str, **facts: Any) -> dict[str, Any]:
    plain = {"length": 80, "reference_to": [], "picklist": [], "createable": True, "updateable": True}
    return {"name": name, "type": kind, "label": label} | plain | facts


SCHEMA = {
    "name": PROJECT,
    "label": "Project",
    "label_plural": "Projects",
    "key_prefix": "a00",
    "createable": True,
    "updateable": True,
    "queryable": True,
    "fields": {
        one["name"]: one
        for one in (
            _field("Id", "id", "Record ID", createable=False, updateable=False),
            _field("Name", "string", "Project Name"),
            _field("Code__c", "string", "Code", unique=True),
            _field("Total__c", "currency", "Total", calculated=True, createable=False, updateable=False),
            _field("Place__c", "location", "Place"),
            _field("Contact__c", "reference", "Contact", reference_to=["Contact"]),
            _field("Account__c", "reference", "Account", reference_to=["Account"]),
        )
    },
}


@pytest.fixture
def org(tenant: Tenant, salesforce: Connection) -> Connection:
    """A connection to an org with one custom object."""
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        seed_custom_profile(salesforce)
        Connection.objects.update(metadata_at=now)
        for name, label, syncs in ((PROJECT, "Project", True), ("Lead", "Lead", False)):
            ReferenceItem.objects.create(
                connection=salesforce, kind="object", key=name, label=label, data={"syncs": syncs}, fetched_at=now
            )
    return salesforce


@pytest.fixture
def described(tenant: Tenant, org: Connection) -> Connection:
    """The object's fields have been read."""
    with tenant_transaction(tenant.pk):
        ObjectMetadata.objects.create(
            connection=org, sobject=PROJECT, label="Projects", schema=SCHEMA, fetched_at=timezone.now()
        )
    return org


def _html(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def _post(client: Client, tenant: Tenant, url: str, **form: str) -> Any:
    return client.post(url, {"tenant": str(tenant.pk), **form})


ADD = {"label": "Project", "label_plural": "Projects", "key_field": "Code__c", "direction": "pull"}


@pytest.mark.usefixtures("org")
def test_only_custom_objects_can_be_chosen_and_a_viewer_may_only_look(marketer: Client, viewer: Client) -> None:
    html = _html(marketer, OBJECTS)
    assert "Project (Project__c)" in html
    assert "Lead (Lead)" not in html
    seen = _html(viewer, OBJECTS)
    assert "Show its fields" not in seen
    assert "Your role may look at this, but not add them." in seen


@pytest.mark.usefixtures("org")
def test_choosing_one_queues_the_reading_of_its_fields_and_shows_how_far_it_is(
    marketer: Client, tenant: Tenant
) -> None:
    response = _post(marketer, tenant, f"{OBJECTS}look/", sobject=PROJECT)
    assert response["Location"] == f"{OBJECTS}add/?object=Project__c"
    with tenant_transaction(tenant.pk):
        assert ConnectionJob.objects.get().kind == "describe"
        assert Connection.objects.get().extra_objects == [PROJECT]
    assert "Reading its fields…" in _html(marketer, response["Location"])
    with tenant_transaction(tenant.pk):
        ConnectionJob.objects.update(state="failed", error="Salesforce is down.", finished_at=timezone.now())
    failed = _html(marketer, response["Location"])
    assert "Salesforce is down." in failed
    assert "Read them again" in failed


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize("wanted", ["Lead", "Nothing__c", *HOSTILE[:3], ""])
def test_an_object_that_cannot_be_chosen_is_refused_in_words(marketer: Client, tenant: Tenant, wanted: str) -> None:
    response = _post(marketer, tenant, f"{OBJECTS}look/", sobject=wanted)
    assert response["Location"] == OBJECTS
    assert "Choose one of the objects in the list." in _html(marketer, OBJECTS)
    with tenant_transaction(tenant.pk):
        assert not ConnectionJob.objects.exists()


@pytest.mark.usefixtures("described")
def test_the_fields_are_shown_before_anything_is_added(marketer: Client, tenant: Tenant) -> None:
    html = _html(marketer, f"{OBJECTS}add/?object={PROJECT}")
    for words in ("Code__c", "Read only", "Left out", "map its parts", "Person", "Company", "Match by"):
        assert words in html, words
    with tenant_transaction(tenant.pk):
        assert not CustomRecordType.objects.exists()


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize("direction", ["pull", "two_way"])
def test_adding_it_makes_the_type_the_step_and_mappings(marketer: Client, tenant: Tenant, direction: str) -> None:
    response = _post(marketer, tenant, f"{OBJECTS}add/?object={PROJECT}", **ADD | {"direction": direction})
    assert response["Location"] == OBJECTS
    with tenant_transaction(tenant.pk):
        made = CustomRecordType.objects.get()
        step = SyncStep.objects.get(sobject=PROJECT)
        ways = dict(FieldMapping.objects.filter(step=step).values_list("local_field", "way_out"))
        key = FieldMapping.objects.get(step=step, is_key=True).remote_field
        assert list(CustomField.objects.order_by("key").values_list("key", flat=True)) == ["code", "total"]
    assert (made.key, step.direction, key) == ("project", direction, "Code__c")
    out = "overwrite" if direction == "two_way" else "off"
    assert ways == {"name": out, "person": out, "company": out, "custom:code": out, "custom:total": "off"}
    html = _html(marketer, OBJECTS)
    assert "Projects are added." in html
    assert "/records/project/" in html
    assert "Every custom object that the sync user can see is synced." in html
    assert "Projects" in _html(marketer, "/integrations/salesforce/objects/project/")


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": ""}, "This field is required."),
        ({"label_plural": "x" * 81}, "at most 80 characters"),
        ({"key_field": "Place__c"}, "Select a valid choice"),
        ({"direction": "sideways"}, "Select a valid choice"),
    ],
)
def test_a_bad_form_adds_nothing_and_says_why(
    marketer: Client, tenant: Tenant, change: dict[str, str], words: str
) -> None:
    response = _post(marketer, tenant, f"{OBJECTS}add/?object={PROJECT}", **ADD | change)
    assert words in response.content.decode()
    with tenant_transaction(tenant.pk):
        assert not CustomRecordType.objects.exists()


@pytest.fixture
def project(tenant: Tenant, salesforce: Connection) -> CustomRecord:
    """A record that came from Salesforce, of a person and a company."""
    with tenant_transaction(tenant.pk):
        kind = CustomRecordType.objects.create(key="project", label="Project", label_plural="Projects", sobject=PROJECT)
        CustomField.objects.create(record_type=kind.local_type, key="budget", label="Budget", kind="decimal")
        record: CustomRecord = CustomRecord.objects.create(
            record_type=kind,
            name="Bridge",
            custom={"budget": "12"},
            person=Person.objects.create(last_name="Lovelace", email="ada@example.com"),
            company=Company.objects.create(name="Acme"),
            leading_sobject=PROJECT,
            leading_remote_id="a00000000000001AAA",
        )
        RecordLink.objects.create(
            connection_id=salesforce.pk,
            remote_id="a00000000000001AAA",
            sobject=PROJECT,
            custom_record_id=record.pk,
            created_at=record.created_at,
        )
    return record


def test_its_page_shows_fields_owners_and_its_place_in_salesforce(viewer: Client, project: CustomRecord) -> None:
    html = _html(viewer, f"/records/project/{project.pk}/")
    for words in ("Bridge", "Budget", "12", "Lovelace", "Acme", "https://northwind.my.salesforce.com/a0000000000"):
        assert words in html, words
    assert "Edit" not in html.split("<main")[1].split("</h1>")[0]
    assert viewer.get(f"/records/other/{project.pk}/").status_code == 404
    assert viewer.get(f"/records/project/{project.pk + 1}/").status_code == 404
    assert viewer.get(f"/records/open/{project.pk}/")["Location"] == f"/records/project/{project.pk}/"


def test_the_person_and_the_company_show_it(viewer: Client, project: CustomRecord) -> None:
    for url in (f"/people/{project.person_id}/", f"/companies/{project.company_id}/"):
        html = _html(viewer, url)
        assert f"/records/project/{project.pk}/" in html
        assert "Bridge" in html


def test_the_list_is_searched_by_name_and_by_salesforce_id_and_is_paged(
    viewer: Client, tenant: Tenant, project: CustomRecord
) -> None:
    with tenant_transaction(tenant.pk):
        other = CustomRecordType.objects.create(key="device", label="Device", label_plural="Devices")
        CustomRecord.objects.create(record_type=other, name="Bridgeport")
        rows = [CustomRecord(record_type_id=project.record_type_id, name=f"Tower {n:03}") for n in range(60)]
        CustomRecord.objects.bulk_create(rows)
    for query in ("bridge", "a00000000000001AAA"):
        html = _html(viewer, f"/records/project/?q={query}")
        assert "Bridge" in html
        assert "Bridgeport" not in html
        assert "Tower" not in html
    assert "Nothing matches" in _html(viewer, "/records/project/?q=zzz")
    first = _html(viewer, "/records/project/")
    assert "Tower 048" in first
    assert "Tower 049" not in first


def test_one_is_edited_queued_and_written_down(marketer: Client, tenant: Tenant, project: CustomRecord) -> None:
    url = f"/records/project/{project.pk}/edit/"
    assert 'value="ada@example.com"' in _html(marketer, url)
    form = {"version": "1", "name": "Bridge", "was:name": "Bridge", "custom:budget": "1,250", "was:custom:budget": "12"}
    response = _post(marketer, tenant, url, **form)
    assert response["Location"] == f"/records/project/{project.pk}/"
    with tenant_transaction(tenant.pk):
        row = CustomRecord.objects.get(id=project.pk)
        assert (row.custom["budget"], row.version, row.person_id) == ("1250", 2, project.person_id)
        change = OutboundChange.objects.get()
        assert (change.local_type, list(change.fields)) == (row.local_type, ["custom:budget"])
        assert RecordChange.objects.get().custom_record_id == row.pk
    assert "Edited here" in _html(marketer, response["Location"])
    assert f"/records/open/{project.pk}/" in _html(marketer, "/integrations/salesforce/queue/")


def test_one_is_added_for_a_named_person_and_bad_names_are_told(
    marketer: Client, tenant: Tenant, project: CustomRecord
) -> None:
    bad = _post(marketer, tenant, "/records/project/new/", name="Tower", person="nobody@example.com")
    assert "Nobody has this e-mail address or name." in bad.content.decode()
    nameless = _post(marketer, tenant, "/records/project/new/", name="", person="ada@example.com")
    assert "It needs a name." in nameless.content.decode()
    for text in HOSTILE:
        assert _post(marketer, tenant, "/records/project/new/", name=text[:2000], company=text).status_code == 200
    good = _post(marketer, tenant, "/records/project/new/", name="Tower", person="ADA@example.com")
    with tenant_transaction(tenant.pk):
        made = CustomRecord.objects.get(name="Tower")
        assert (made.person_id, made.source) == (project.person_id, "manual")
    assert good["Location"] == f"/records/project/{made.pk}/"


def test_one_is_deactivated_and_taken_into_use_again(marketer: Client, tenant: Tenant, project: CustomRecord) -> None:
    for answer, is_active in (("no", False), ("yes", True)):
        _post(marketer, tenant, f"/records/project/{project.pk}/active/", active=answer)
        with tenant_transaction(tenant.pk):
            assert CustomRecord.objects.get(id=project.pk).is_active is is_active


def test_no_role_but_a_worker_changes_one(member: Callable[[Role], Client], tenant: Tenant, project: Any) -> None:
    client = member(Role.VIEWER)
    assert _post(client, tenant, f"/records/project/{project.pk}/edit/", name="x").status_code == 403
    assert _post(client, tenant, f"{OBJECTS}look/", sobject=PROJECT).status_code == 403
