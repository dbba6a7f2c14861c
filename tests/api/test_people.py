"""People over the API."""

from typing import Any

import pytest

from apps.audience.models import ConsentChange, CustomField, List, ListMembership, Owner, Person, RecordChange
from apps.outbox.models import OutboundChange
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

ADA = {"email": "Ada@Example.com", "first_name": "Ada", "last_name": "Lovelace", "external_key": "crm-1"}


def person_of(call: Caller, **values: Any) -> dict[str, Any]:
    answer = call("POST", "/people/", ADA | values)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.body
    return made


def test_a_person_is_made_read_changed_and_queued_for_salesforce(call: Caller, tenant: Tenant) -> None:
    answer = call("POST", "/people/", ADA | {"employees": 12, "annual_revenue": "1250.50", "birthdate": "1815-12-10"})
    made = answer.body
    assert answer.status == 201
    assert (answer.headers["Location"], answer.headers["ETag"]) == (f"/api/v1/people/{made['id']}/", '"1"')
    assert (made["email"], made["employees"], made["annual_revenue"], made["birthdate"]) == (
        "ada@example.com", 12, "1250.5", "1815-12-10",
    )  # fmt: skip
    assert (made["source"], made["salesforce"], made["version"]) == ("api", None, 1)
    assert call("GET", f"/people/{made['id']}/").body == made
    changed = call("PATCH", f"/people/{made['id']}/", {"title": "Countess", "employees": None, "version": 1}).body
    assert (changed["title"], changed["employees"], changed["version"]) == ("Countess", None, 2)
    with tenant_transaction(tenant.pk):
        waiting = OutboundChange.objects.get(local_type="person", local_id=made["id"])
        assert {fact["origin"] for fact in waiting.fields.values()} == {"api"}
        assert {row.actor_label for row in RecordChange.objects.all()} == {"API key Website"}


def test_a_change_based_on_an_old_version_changes_nothing(call: Caller) -> None:
    made = person_of(call)
    path = f"/people/{made['id']}/"
    assert call("PATCH", path, {"title": "One", "version": 1}).status == 200
    for headers, body in [({}, {"title": "Two", "version": 1}), ({"If_Match": '"1"'}, {"title": "Two"})]:
        answer = call("PATCH", path, body, **headers)
        assert (answer.status, answer.code) == (409, "overtaken")
    assert call("PATCH", path, {"title": "Two"}, If_Match='"7"', version="x").status == 409
    assert call("GET", path).body["title"] == "One"
    assert call("PATCH", path, {"title": "Two"}, If_Match='"2"').body["version"] == 3
    assert call("PATCH", path, {"title": "Three"}, If_Match="*").body["version"] == 4
    assert call("PATCH", path, {"title": "Four", "version": 4}, If_Match='"3"').code == "bad_if_match"
    for header in ("yesterday", "", '""', '"-1"'):
        assert call("PATCH", path, {"title": "Four"}, If_Match=header).code == "bad_if_match"


def test_an_address_or_key_that_somebody_has_is_409_and_names_their_id(call: Caller) -> None:
    made = person_of(call)
    for body, code in [({"email": "ADA@example.com"}, "email_taken"), ({"last_name": "x", "external_key": "crm-1"},
                                                                       "external_key_taken")]:  # fmt: skip
        answer = call("POST", "/people/", body)
        assert (answer.status, answer.code) == (409, code)
        assert str(made["id"]) in answer.body["message"]
    other = person_of(call, email="b@example.com", external_key="crm-2")
    assert call("PATCH", f"/people/{other['id']}/", {"title": "x", "external_key": "crm-1"}).status == 409
    assert call("GET", f"/people/{other['id']}/").body["title"] == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "last_name"),
        ({"email": "nobody"}, "email"),
        ({"email": 5}, "email"),
        ({"email": "a@example.com", "emial": "x"}, "emial"),
        ({"last_name": ["x"]}, "last_name"),
        ({"last_name": None}, "last_name"),
        ({"last_name": "x" * 200_000}, "last_name"),
        ({"last_name": "x", "employees": "12"}, "employees"),
        ({"last_name": "x", "employees": True}, "employees"),
        ({"last_name": "x", "employees": 10**40}, "employees"),
        ({"last_name": "x", "annual_revenue": "much"}, "annual_revenue"),
        ({"last_name": "x", "annual_revenue": 1e300}, "annual_revenue"),
        ({"last_name": "x", "birthdate": "2026-02-30"}, "birthdate"),
        ({"last_name": "x", "birthdate": "1.2.2026"}, "birthdate"),
        ({"last_name": "x", "company": 999_999}, "company"),
        ({"last_name": "x", "company": -1}, "company"),
        ({"last_name": "x", "company": 10**30}, "company"),
        ({"last_name": "x", "custom": {"size": 1}}, "custom.size"),
        ({"last_name": "x", "custom": []}, "custom"),
        ({"last_name": "x", "score": 5}, "score"),
        ({"last_name": "x", "external_key": "k" * 121}, "external_key"),
    ],
)
def test_what_cannot_be_stored_is_400_with_words_for_its_field(call: Caller, body: Any, field: str) -> None:
    answer = call("POST", "/people/", body)
    assert (answer.status, answer.code) == (400, "invalid"), answer.text
    assert list(answer.body["fields"]) == [field]
    assert call("GET", "/people/").body["results"] == []


def test_custom_fields_are_typed_and_checked_by_their_definitions(call: Caller, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        for key, kind in [("size", "integer"), ("vip", "boolean"), ("tags", "multipicklist"), ("budget", "decimal")]:
            CustomField.objects.create(
                record_type="person", key=key, label=key, kind=kind, options=["a", "b"] if key == "tags" else []
            )
    good = {"size": 43, "vip": True, "tags": ["b", "a"], "budget": "10.50"}
    made = person_of(call, custom=good)
    assert made["custom"] == {"size": 43, "vip": True, "tags": ["a", "b"], "budget": "10.5"}
    cleared = call("PATCH", f"/people/{made['id']}/", {"custom": {"size": None, "vip": False}}).body["custom"]
    assert cleared == {"size": None, "vip": False, "tags": ["a", "b"], "budget": "10.5"}
    for bad in ({"size": "43"}, {"vip": "yes"}, {"tags": "a"}, {"tags": ["z"]}, {"budget": "x"}, {"nope": 1}):
        answer = call("PATCH", f"/people/{made['id']}/", {"custom": bad})
        assert answer.status == 400, bad
        assert list(answer.body["fields"]) == [f"custom.{next(iter(bad))}"]


def test_lists_are_filtered_and_paged_without_missing_or_repeating_anybody(call: Caller, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        for number in range(7):
            Person.objects.create(last_name=f"P{number}", email=f"p{number}@example.com", external_key=f"k{number}")
        Person.objects.filter(last_name="P1").update(leading_sobject="Lead", leading_remote_id="00Q000000000001AAA")
        Person.objects.filter(last_name="P2").update(is_active=False)
        fair: Any = List.objects.create(name="Fair")
        ListMembership.objects.create(list=fair, person=Person.objects.get(last_name="P3"))
        ListMembership.objects.create(list=fair, person=Person.objects.get(last_name="P4"), is_active=False)
    seen, cursor = [], ""
    while True:
        page = call("GET", f"/people/?limit=3{f'&cursor={cursor}' if cursor else ''}").body
        seen += [row["last_name"] for row in page["results"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"P{number}" for number in range(7)]

    def names(query: str) -> list[str]:
        return [row["last_name"] for row in call("GET", f"/people/?{query}").body["results"]]

    assert names("email=P5@EXAMPLE.com") == ["P5"]
    assert names("external_key=k6") == ["P6"]
    assert names("linked=true") == ["P1"]
    assert len(names("linked=false")) == 6
    assert names("is_active=false") == ["P2"]
    assert names(f"list={fair.pk}") == ["P3"]
    assert names("updated_since=2999-01-01T00:00:00Z") == []
    assert len(names("updated_since=2020-01-01T00:00:00Z")) == 7


@pytest.mark.parametrize(
    "query",
    ["cursor=x", "limit=0", "limit=201", "limit=x", "linked=maybe", "list=0", "list=x", "list=99999999999999999999",
     "updated_since=yesterday", "updated_since=2026-01-01", "page=2", "email=%00", "external_key=%00",
     "cursor=" + "x" * 5000],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_400(call: Caller, query: str) -> None:
    assert call("GET", f"/people/?{query}").status == 400


def test_the_last_page_stays_empty_when_its_rows_are_gone(call: Caller, tenant: Tenant) -> None:
    for number in range(2):
        person_of(call, email=f"p{number}@example.com", external_key="")
    cursor = call("GET", "/people/?limit=1").body["next_cursor"]
    with tenant_transaction(tenant.pk):
        Person.objects.filter(email="p1@example.com").delete()
    assert call("GET", f"/people/?limit=1&cursor={cursor}").body == {"results": [], "next_cursor": None}


def test_people_are_deactivated_and_reactivated(call: Caller) -> None:
    made = person_of(call)
    assert call("POST", f"/people/{made['id']}/deactivate/", {"version": 9}).code == "overtaken"
    assert call("POST", f"/people/{made['id']}/deactivate/").body["is_active"] is False
    assert call("POST", f"/people/{made['id']}/reactivate/", {"version": 2}).body["is_active"] is True


def test_consent_is_written_down_with_its_source_and_nobody_is_opted_in_without_one(
    call: Caller, tenant: Tenant
) -> None:
    path = f"/people/{person_of(call)['id']}/consent/"
    assert call("POST", path, {"email_opt_out": True}).body["email_opt_out"] is True
    refused = call("POST", path, {"email_opt_out": False})
    assert (refused.status, list(refused.body["fields"])) == (400, ["source"])
    assert call("POST", path, {"email_opt_out": False, "source": "Form 7"}).body["email_opt_out"] is False
    with tenant_transaction(tenant.pk):
        assert list(ConsentChange.objects.order_by("id").values_list("opted_out", "source", "actor_label")) == [
            (True, "", "API key Website"), (False, "Form 7", "API key Website"),
        ]  # fmt: skip


def test_another_accounts_people_do_not_exist(call: Caller, stranger: Caller, tenant: Tenant) -> None:
    made = person_of(call)
    with tenant_transaction(tenant.pk):
        owner = Owner.objects.create(remote_id="005000000000001AAA", name="Grace")
        mine: Any = List.objects.create(name="Fair")
        ListMembership.objects.create(list=mine, person_id=made["id"])
    for method, tail, body in [
        ("GET", "", None), ("PATCH", "", {"title": "x"}), ("POST", "deactivate/", None), ("POST", "reactivate/", None),
        ("POST", "consent/", {"email_opt_out": True}), ("POST", "sync/", None),
    ]:  # fmt: skip
        answer = stranger(method, f"/people/{made['id']}/{tail}", body)
        assert (answer.status, answer.code) == (404, "not_found"), tail
    assert stranger("GET", "/people/").body["results"] == []
    assert stranger("GET", f"/people/?list={mine.pk}").body["results"] == []
    assert stranger("POST", "/people/", {"last_name": "x", "owner": owner.pk}).status == 400
    assert stranger("POST", "/people/", ADA).status == 201
    assert call("GET", f"/people/{made['id']}/").body == made


@pytest.mark.parametrize("path", ["/people/0/", "/people/999999999/", "/people/99999999999999999999999/"])
def test_what_cannot_be_an_id_is_404(call: Caller, path: str) -> None:
    assert call("GET", path).status == 404
