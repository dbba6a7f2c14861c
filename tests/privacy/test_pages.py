"""What a person may ask for, on pages: a copy, erasure with a typed confirmation, and being allowed again (I06)."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from apps.audience.models import Erasure, ErasureState, Person, Tombstone
from apps.integrations.models import Connection
from apps.sync.erasing_walk import SEALED_FOR_GOOD, advance_erasure
from apps.sync.models import ErasureJob
from apps.tenants.models import AuditEntry, Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import linked_person, salesforce
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member", "salesforce"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(member: Callable[[Role], Client]) -> Client:
    return member(Role.ADMIN)


@pytest.fixture
def ada(tenant: Tenant, salesforce: Connection) -> Person:
    with tenant_transaction(tenant.pk):
        return linked_person(salesforce, custom={"shoe": "38"})


def test_copy_holds_the_record_its_links_and_what_was_noted(admin: Client, tenant: Tenant, ada: Person) -> None:
    answer = admin.get(f"/people/{ada.pk}/data.json")
    held = json.loads(answer.content)
    assert held["audience_person"][0]["email"] == "ada@example.com"
    assert held["sync_recordlink"][0]["remote_id"] == ada.leading_remote_id
    assert answer["Cache-Control"] == "no-store"
    with tenant_transaction(tenant.pk):
        entry = AuditEntry.objects.latest("id")
        assert (entry.action, entry.subject) == ("person_exported", f"Person {ada.pk}")


@pytest.mark.parametrize("typed", ["", "yes", "ada@example.co"])
def test_nothing_is_erased_without_the_typed_address(admin: Client, tenant: Tenant, ada: Person, typed: str) -> None:
    answer = admin.post(f"/people/{ada.pk}/erase/", {"tenant": tenant.pk, "confirmation": typed})
    assert (answer.status_code, "Nothing was erased" in answer.content.decode()) == (422, True)
    with tenant_transaction(tenant.pk):
        assert Person.objects.filter(id=ada.pk).exists()


def test_erased_person_is_gone_kept_out_and_may_be_allowed_again(admin: Client, tenant: Tenant, ada: Person) -> None:
    assert "Syncline does not delete anything in Salesforce" in admin.get(f"/people/{ada.pk}/erase/").content.decode()
    form = {"tenant": tenant.pk, "confirmation": " ADA@example.com "}
    body = admin.post(f"/people/{ada.pk}/erase/", form, follow=True).content.decode()
    assert "Being erased" in body
    assert 'max="100" value="0"' in body
    assert "Allow again" not in body
    assert "ada@example.com" not in body
    with tenant_transaction(tenant.pk):
        erasure, job = Erasure.objects.get(), ErasureJob.objects.get()
    allowed = admin.post(f"/settings/privacy/{erasure.pk}/allow/", {"tenant": tenant.pk}, follow=True).content.decode()
    assert "still being erased" in allowed
    told = admin.get(f"/people/{ada.pk}/data.json")
    assert (told.status_code, told.json()["state"], told.json()["finished_at"]) == (410, "being erased", None)
    advance_erasure(tenant.pk, job.pk)
    body = admin.get("/settings/privacy/").content.decode()
    assert "Erased, kept out" in body
    assert "<progress" not in body
    assert admin.get(f"/people/{ada.pk}/data.json").json()["state"] == "erased"
    assert admin.get(f"/people/{ada.pk}/").status_code == 404
    new = {"tenant": tenant.pk, "email": "ada@example.com", "last_name": "Lovelace"}
    assert "erased on request" in admin.post("/people/new/", new).content.decode()
    assert f"belongs to person {ada.pk}" in admin.get("/settings/privacy/?q=ADA@example.com").content.decode()
    assert "nobody who was erased" in admin.get("/settings/privacy/?q=eve@example.com").content.decode()
    admin.post(f"/settings/privacy/{erasure.pk}/allow/", {"tenant": tenant.pk})
    with tenant_transaction(tenant.pk):
        assert not Tombstone.objects.exists()
    assert admin.post("/people/new/", new).status_code == 302


def test_page_says_how_far_an_erasure_is_and_why_one_does_not_go_on(admin: Client, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        for person_id, at_span, cursor in ((1, 1, [150]), (2, 0, None)):
            erasure = Erasure.objects.create(person_id=person_id, actor_label="x", state=ErasureState.ERASING)
            spans = [["file 3", [0], [10_000]], ["notifications_notice", [100], [200]]]
            ErasureJob.objects.create(erasure=erasure, names="", spans=spans, at_span=at_span, cursor=cursor)
        ErasureJob.objects.filter(erasure=erasure).update(problem=SEALED_FOR_GOOD)
    body = admin.get("/settings/privacy/").content.decode()
    assert 'value="75"' in body
    assert 'hx-trigger="every 2s"' in body
    assert SEALED_FOR_GOOD in body
    assert body.count("Allow again") == 0
