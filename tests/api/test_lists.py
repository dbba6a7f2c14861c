"""Lists, their members and sequences over the API."""

from typing import Any

import pytest

from apps.audience.models import Engagement, EventKind, List, ListKind, Person
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def ids(tenant: Tenant) -> list[int]:
    """Three people."""
    with tenant_transaction(tenant.pk):
        return [Person.objects.create(last_name=name, email=f"{name}@example.com").pk for name in "abc"]


def made(call: Caller, path: str, body: dict[str, Any]) -> int:
    answer = call("POST", path, body)
    assert answer.status == 201, answer.text
    assert answer.headers["Location"] == f"/api/v1{path}{answer.body['id']}/"
    return int(answer.body["id"])


def test_people_are_put_on_a_list_and_taken_off(call: Caller, ids: list[int], tenant: Tenant) -> None:
    path = f"/lists/{made(call, '/lists/', {'name': 'Visitors'})}/"
    assert call("POST", f"{path}members/", {"person_ids": [*ids, 999_999]}).body == {
        "changed": 3, "unknown": [999_999],
    }  # fmt: skip
    assert call("POST", f"{path}members/", {"person_ids": ids[:2]}).body == {"changed": 0, "unknown": []}
    assert call("GET", path).body["member_count"] == 3
    page = call("GET", f"{path}members/?limit=2").body
    rest = call("GET", f"{path}members/?limit=2&cursor={page['next_cursor']}").body
    assert [row["person_id"] for row in page["results"] + rest["results"]] == ids
    assert call("POST", f"{path}members/status/", {"person_ids": ids[:1], "status": "Attended"}).body["changed"] == 1
    assert call("GET", f"{path}members/{ids[0]}/").body["status"] == "Attended"
    assert call("DELETE", f"{path}members/{ids[0]}/").status == 204
    assert call("DELETE", f"{path}members/{ids[0]}/").status == 404
    assert call("POST", f"{path}members/remove/", {"person_ids": ids}).body["changed"] == 2
    assert call("GET", f"{path}members/").body["results"] == []
    with tenant_transaction(tenant.pk):
        joined = Engagement.objects.filter(kind=EventKind.LIST_JOINED)
        assert {(row.origin, row.details["by"]) for row in joined} == {("api", "API key Website")}


def test_lists_are_found_renamed_and_archived(call: Caller) -> None:
    number = made(call, "/lists/", {"name": "Visitors"})
    made(call, "/lists/", {"name": "Buyers"})
    names = [row["name"] for row in call("GET", "/lists/").body["results"]]
    assert names == ["Buyers", "Visitors"]
    assert [row["id"] for row in call("GET", "/lists/?search=vis").body["results"]] == [number]
    assert call("GET", "/lists/?kind=campaign").body["results"] == []
    changed = call("PATCH", f"/lists/{number}/", {"name": "Guests", "is_archived": True}).body
    assert (changed["name"], changed["is_archived"]) == ("Guests", True)


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": "x" * 201}, {"name": "Taken"}, {"name": 1},
                                  {"name": "x", "kind": "campaign"}])  # fmt: skip
def test_a_list_that_cannot_be_is_400(call: Caller, body: dict[str, Any]) -> None:
    made(call, "/lists/", {"name": "taken"})
    answer = call("POST", "/lists/", body)
    assert (answer.status, answer.code) == (400, "invalid")
    assert len(call("GET", "/lists/").body["results"]) == 1


def test_a_campaign_keeps_the_name_that_salesforce_gave_it(call: Caller, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        fair: Any = List.objects.create(kind=ListKind.CAMPAIGN, name="Fair", remote_id="701000000000001AAA")
    answer = call("PATCH", f"/lists/{fair.pk}/", {"name": "Other", "is_archived": True})
    assert (answer.status, list(answer.body["fields"])) == (400, ["name"])
    assert call("GET", f"/lists/{fair.pk}/").body["is_archived"] is False


@pytest.mark.parametrize("ids", [[], [0], ["1"], [True], [1.5], list(range(1, 1002)), None, 7])
def test_people_who_cannot_be_are_400(call: Caller, ids: Any) -> None:
    number = made(call, "/lists/", {"name": "Visitors"})
    assert call("POST", f"/lists/{number}/members/", {"person_ids": ids}).status == 400


def test_people_are_led_through_sequences(call: Caller, ids: list[int], tenant: Tenant) -> None:
    first = f"/sequences/{made(call, '/sequences/', {'name': 'Welcome'})}/"
    second = f"/sequences/{made(call, '/sequences/', {'name': 'Win back', 'description': 'For the lost.'})}/"
    assert call("POST", f"{first}enrolments/", {"person_ids": ids}).body["changed"] == 3
    assert call("POST", f"{first}enrolments/", {"person_ids": ids}).body["changed"] == 0
    assert call("POST", f"{first}enrolments/status/", {"person_ids": ids[:1], "status": "paused"}).body["changed"] == 1
    assert call("POST", f"{second}enrolments/", {"person_ids": ids[1:2], "moves": True}).body["changed"] == 1
    statuses = {row["person_id"]: row["status"] for row in call("GET", f"{first}enrolments/").body["results"]}
    assert statuses == {ids[0]: "paused", ids[1]: "removed", ids[2]: "active"}
    assert [row["person_id"] for row in call("GET", f"{first}enrolments/?status=active").body["results"]] == [ids[2]]
    assert call("PATCH", second, {"is_active": False}).body["description"] == "For the lost."
    answer = call("POST", f"{second}enrolments/", {"person_ids": ids})
    assert (answer.status, answer.code) == (409, "archived")
    assert call("POST", f"{first}enrolments/status/", {"person_ids": ids, "status": "lost"}).status == 400


def test_another_accounts_people_come_onto_no_list(call: Caller, stranger: Caller, ids: list[int]) -> None:
    theirs = made(stranger, "/lists/", {"name": "Visitors"})
    assert stranger("POST", f"/lists/{theirs}/members/", {"person_ids": ids}).body == {"changed": 0, "unknown": ids}
    mine = made(call, "/lists/", {"name": "Visitors"})
    assert stranger("POST", f"/lists/{mine}/members/", {"person_ids": ids}).status == 404
    sequence = made(stranger, "/sequences/", {"name": "Welcome"})
    answer = stranger("POST", f"/sequences/{sequence}/enrolments/", {"person_ids": ids})
    assert answer.body == {"changed": 0, "unknown": ids}
