"""Events, scores and custom fields over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import RECEIVED_KINDS, Engagement, Person
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.conftest import Answer, Caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(call: Caller) -> dict[str, Any]:
    body: dict[str, Any] = call(
        "POST", "/people/", {"email": "ada@example.com", "last_name": "Lovelace", "external_key": "crm-1"}
    ).body
    return body


def report(call: Caller, *events: dict[str, Any], **headers: str) -> Answer:
    return call("POST", "/events/", {"events": list(events)}, **headers)


def test_each_event_of_a_batch_has_its_own_outcome(call: Caller, ada: dict[str, Any]) -> None:
    answer = report(
        call,
        {"kind": "form_submitted", "person_id": ada["id"], "external_id": "f-1", "details": {"form": "Demo"}},
        {"kind": "page_visited", "external_key": "crm-1", "details": {"url": "https://x.example/"}},
        {"kind": "email_opened", "email": "ADA@example.com"},
        {"kind": "form_submitted", "person_id": ada["id"], "external_id": "f-1"},
        {"kind": "replied", "email": "nobody@example.com"},
        {"kind": "replied"},
        {"kind": "form_submitted", "email": "grace@example.com", "create_person": True, "person": {"last_name": "H"}},
    )
    assert answer.status == 200
    body = answer.body
    assert (body["recorded"], body["duplicates"], body["refused"]) == (4, 1, 2)
    assert [one["state"] for one in body["results"]] == [
        "recorded", "recorded", "recorded", "duplicate", "refused", "refused", "recorded",
    ]  # fmt: skip
    assert [one["person_id"] for one in body["results"][:3]] == [ada["id"]] * 3
    assert all(one["message"] for one in body["results"] if one["state"] == "refused")
    assert body["results"][-1]["is_new_person"] is True
    timeline = call("GET", f"/people/{ada['id']}/events/").body["results"]
    assert {row["kind"] for row in timeline} >= {"form_submitted", "page_visited", "email_opened"}
    assert call("GET", f"/people/{ada['id']}/").body["score"] > 0


def test_an_event_sent_ten_times_is_one(call: Caller, ada: dict[str, Any], tenant: Tenant) -> None:
    states = [
        report(call, {"kind": "replied", "person_id": ada["id"], "external_id": "r-1"}).body["results"][0]
        for _ in range(10)
    ]
    assert [one["state"] for one in states] == ["recorded"] + ["duplicate"] * 9
    assert len({one["event_id"] for one in states}) == 1
    with tenant_transaction(tenant.pk):
        assert Engagement.objects.filter(external_id="r-1").count() == 1


def test_every_kind_is_taken_by_the_thousand(call: Caller, ada: dict[str, Any]) -> None:
    kinds = [kind.value for kind in RECEIVED_KINDS]
    events = [{"kind": kinds[i % len(kinds)], "person_id": ada["id"], "external_id": f"e{i}"} for i in range(1000)]
    assert report(call, *events).body["recorded"] == 1000
    assert report(call, *events, {"kind": "replied"}).status == 400


def test_what_people_say_of_themselves_reaches_their_record(call: Caller, ada: dict[str, Any]) -> None:
    report(call, {"kind": "unsubscribed", "person_id": ada["id"]})
    assert call("GET", f"/people/{ada['id']}/").body["email_opt_out"] is True


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "kind"),
        ({"kind": "danced"}, "kind"),
        ({"kind": "replied", "person_id": "1"}, "person_id"),
        ({"kind": "replied", "happened_at": "yesterday"}, "happened_at"),
        ({"kind": "replied", "happened_at": "2026-01-01T10:00:00"}, "happened_at"),
        ({"kind": "replied", "details": []}, "details"),
        ({"kind": "replied", "external_id": "x" * 201}, "external_id"),
        ({"kind": "replied", "mood": "good"}, "mood"),
        ({"kind": "replied", "create_person": "yes"}, "create_person"),
        ({"kind": "replied", "person": {"email": "x@y.example"}}, "person.email"),
    ],
)
def test_a_batch_out_of_form_is_refused_whole_and_says_where(call: Caller, event: dict[str, Any], field: str) -> None:
    answer = report(call, {"kind": "replied", "email": "a@example.com", "create_person": True}, event)
    assert (answer.status, list(answer.body["fields"])) == (400, [f"events.1.{field}"])
    assert call("GET", "/people/").body["results"] == []


@pytest.mark.parametrize(
    "event",
    [
        {"happened_at": "1066-10-14T09:00:00Z"},
        {"happened_at": (timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")},
        {"email": "no address"},
        {"person_id": 2**62},
        {"details": {"url": {"a": 1}}},
        {"details": {"body": "x" * 40_000}},
        {"email": "new@example.com", "create_person": True, "person": {"employees": 10**17, "birthdate": "1815-12-10",
                                                                       "company": 999_999}},
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_taken_is_refused_in_words(
    call: Caller, ada: dict[str, Any], event: dict[str, Any]
) -> None:
    own = {"kind": "replied"} | ({} if {"email", "person_id"} & event.keys() else {"person_id": ada["id"]}) | event
    outcome = report(call, own).body["results"][0]
    assert outcome["state"] == "refused"
    assert outcome["message"]


def test_another_accounts_people_have_no_events_with_us(
    call: Caller, stranger: Caller, ada: dict[str, Any], tenant: Tenant
) -> None:
    answer = report(stranger, {"kind": "replied", "person_id": ada["id"]}, {"kind": "replied", "external_key": "crm-1"})
    assert [one["state"] for one in answer.body["results"]] == ["refused", "refused"]
    with tenant_transaction(tenant.pk):
        assert not Engagement.objects.filter(kind="replied").exists()


def test_a_score_is_added_to_or_set(call: Caller, ada: dict[str, Any], tenant: Tenant) -> None:
    path = f"/people/{ada['id']}/score/"
    assert call("POST", path, {"by": 10, "reason": "Asked for a demo"}).body["score"] == 10
    assert call("POST", path, {"by": -50}).body["score"] == 0
    assert call("POST", path, {"to": 77}).body["score"] == 77
    for bad in ({}, {"by": 1, "to": 2}, {"by": "1"}, {"by": 10**30}, {"to": -1}):
        assert call("POST", path, bad).status == 400
    with tenant_transaction(tenant.pk):
        assert Person.objects.get(id=ada["id"]).score == 77


def test_custom_fields_are_defined_renamed_and_removed(call: Caller, stranger: Caller) -> None:
    made = call("POST", "/custom-fields/", {"record_type": "person", "label": "Shoe size", "kind": "integer"})
    assert (made.status, made.body["key"]) == (201, "shoe_size")
    path = f"/custom-fields/{made.body['id']}/"
    person = call("POST", "/people/", {"last_name": "x", "custom": {"shoe_size": 43}}).body
    assert person["custom"] == {"shoe_size": 43}
    assert call("PATCH", path, {"label": "Size"}).body["label"] == "Size"
    assert [row["key"] for row in call("GET", "/custom-fields/?record_type=person").body["results"]] == ["shoe_size"]
    assert call("GET", "/custom-fields/?record_type=company").body["results"] == []
    for method in ("GET", "PATCH", "DELETE"):
        assert stranger(method, path, {"label": "x"}).status == 404
    assert call("DELETE", path).status == 204
    assert call("GET", f"/people/{person['id']}/").body["custom"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"label": "x", "kind": "integer"}, "record_type"),
        ({"record_type": "person", "label": "", "kind": "integer"}, "label"),
        ({"record_type": "person", "label": "x", "kind": "blob"}, "kind"),
        ({"record_type": "person", "label": "x", "kind": "text", "key": "First Name"}, "key"),
        ({"record_type": "person", "label": "x", "kind": "text", "key": "email"}, "key"),
        ({"record_type": "person", "label": "x", "kind": "picklist"}, "options"),
        ({"record_type": "person", "label": "x", "kind": "picklist", "options": "a"}, "options"),
    ],
)
def test_a_field_that_cannot_be_is_400(call: Caller, body: dict[str, Any], field: str) -> None:
    answer = call("POST", "/custom-fields/", body)
    assert (answer.status, list(answer.body["fields"])) == (400, [field])
