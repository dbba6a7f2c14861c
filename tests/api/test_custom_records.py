"""Custom records over the API."""

from typing import Any

import pytest

from apps.audience.models import CustomRecordType
from apps.audience.services.custom_fields import create_custom_field
from apps.outbox.models import OutboundChange
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(tenant: Tenant) -> Any:
    """A type with a field of its own."""
    with tenant_transaction(tenant.pk):
        kind: Any = CustomRecordType.objects.create(key="project", label="Project", label_plural="Projects")
        create_custom_field(record_type=kind.local_type, label="Square metres", kind="integer", user=None)
    return kind


def test_records_of_an_own_type_are_made_read_and_changed(call: Caller, project: Any, tenant: Tenant) -> None:
    types = call("GET", "/record-types/").body["results"]
    assert [(row["id"], row["label"], row["record_type"]) for row in types] == [
        (project.pk, "Project", project.local_type)
    ]
    person = call("POST", "/people/", {"last_name": "Hopper"}).body["id"]
    path = f"/record-types/{project.pk}/records/"
    made = call("POST", path, {"name": "Roof", "person": person, "custom": {"square_metres": 120}})
    assert made.status == 201, made.text
    assert made.headers["Location"] == f"/api/v1/records/{made.body['id']}/"
    assert (made.body["custom"], made.body["person"], made.body["source"]) == ({"square_metres": 120}, person, "api")
    own = f"/records/{made.body['id']}/"
    assert call("PATCH", own, {"name": "New roof", "version": 1}).body["version"] == 2
    assert call("PATCH", own, {"name": "Old roof"}, If_Match='"1"').code == "overtaken"
    assert call("POST", f"{own}deactivate/").body["is_active"] is False
    assert call("GET", f"{path}?is_active=true").body["results"] == []
    assert call("POST", f"{own}reactivate/").body["is_active"] is True
    assert [row["name"] for row in call("GET", f"{path}?person={person}").body["results"]] == ["New roof"]
    with tenant_transaction(tenant.pk):
        waiting = OutboundChange.objects.get(local_type=project.local_type)
        assert {fact["origin"] for fact in waiting.fields.values()} == {"api"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x", "custom": {"square_metres": "120"}}, "custom.square_metres"),
        ({"name": "x", "custom": {"rooms": 2}}, "custom.rooms"),
        ({"name": "x", "person": 999_999}, "person"),
        ({"name": "x", "email": "a@example.com"}, "email"),
        ({"name": "x", "external_key": "k"}, "external_key"),
    ],
)
def test_a_record_that_cannot_be_is_400(call: Caller, project: Any, body: dict[str, Any], field: str) -> None:
    answer = call("POST", f"/record-types/{project.pk}/records/", body)
    assert (answer.status, list(answer.body["fields"])) == (400, [field])


def test_an_own_type_gets_fields_and_what_is_no_type_gets_none(call: Caller, stranger: Caller, project: Any) -> None:
    field = {"record_type": project.local_type, "label": "Rooms", "kind": "integer"}
    assert call("POST", "/custom-fields/", field).body["key"] == "rooms"
    made = call("POST", f"/record-types/{project.pk}/records/", {"name": "Roof", "custom": {"rooms": 3}}).body
    assert made["custom"] == {"rooms": 3, "square_metres": None}
    assert stranger("POST", "/custom-fields/", field).status == 400
    for wrong in ("custom:999999", "custom:x", "custom:", "planet", "person\n"):
        answer = call("POST", "/custom-fields/", field | {"record_type": wrong})
        assert (answer.status, list(answer.body["fields"])) == (400, ["record_type"]), wrong


def test_another_accounts_types_and_records_do_not_exist(call: Caller, stranger: Caller, project: Any) -> None:
    made = call("POST", f"/record-types/{project.pk}/records/", {"name": "Roof"}).body
    assert stranger("GET", "/record-types/").body["results"] == []
    for method, path in [
        ("GET", f"/record-types/{project.pk}/records/"), ("POST", f"/record-types/{project.pk}/records/"),
        ("GET", f"/records/{made['id']}/"), ("PATCH", f"/records/{made['id']}/"),
        ("POST", f"/records/{made['id']}/deactivate/"), ("POST", f"/records/{made['id']}/sync/"),
    ]:  # fmt: skip
        assert stranger(method, path, {"name": "x"}).status == 404
