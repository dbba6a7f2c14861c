"""Lists, sequences, a person's activity and score, custom fields, score points: what is shown, done and refused."""

from typing import Any

import pytest
from django.test import Client

from apps.audience.models import (
    RECEIVED_KINDS,
    CustomField,
    Engagement,
    EventKind,
    List,
    ListMembership,
    Person,
    ScoreRule,
    Sequence,
    SequenceEnrolment,
)
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.lists import create_list
from apps.audience.services.sequences import create_sequence
from apps.field_mappings.models import FieldMapping, Profile, SyncStep
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection
from apps.tenants.access import TENANT_FIELD
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE

pytestmark = pytest.mark.django_db


def post(client: Client, tenant: Tenant, path: str, **form: str) -> str:
    """Send a form and follow where it leads; answers the page."""
    answer = client.post(path, {TENANT_FIELD: str(tenant.pk), **form}, follow=True)
    assert answer.status_code in {200, 422, 409}, answer.status_code
    return answer.content.decode()


def shown(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def ada(tenant: Tenant) -> Person:
    with tenant_transaction(tenant.pk):
        made: Person = Person.objects.create(email="ada@example.com", first_name="Ada", last_name="Byron")
    return made


def rows(tenant: Tenant, model: Any, *columns: str) -> list[Any]:
    with tenant_transaction(tenant.pk):
        return list(model.objects.order_by("id").values_list(*columns))


def test_a_list_is_made_filled_renamed_and_archived(marketer: Client, tenant: Tenant, ada: Person) -> None:
    html = post(marketer, tenant, "/lists/new/", name=" Friends ")
    assert "Nobody is on it" in html
    (pk, name, kind) = rows(tenant, List, "id", "name", "kind")[0]
    assert (name, kind) == ("Friends", "static")
    html = post(marketer, tenant, f"/lists/{pk}/members/", deed="add", emails="ADA@example.com, who@example.com")
    assert "1 added to the list." in html
    assert "Nobody here has the address who@example.com" in html
    assert rows(tenant, ListMembership, "person_id", "is_active") == [(ada.pk, True)]
    html = post(marketer, tenant, f"/lists/{pk}/members/", deed="remove", person=str(ada.pk))
    assert "Taken off the list." in html
    assert rows(tenant, ListMembership, "person_id", "is_active") == [(ada.pk, False)]
    assert "is called “Best friends” now" in post(
        marketer, tenant, f"/lists/{pk}/change/", deed="rename", name="Best friends"
    )
    post(marketer, tenant, f"/lists/{pk}/change/", deed="archive")
    assert "Best friends" not in shown(marketer, "/lists/")
    assert "Best friends" in shown(marketer, "/lists/?show=archived")
    kinds = [kind for (kind,) in rows(tenant, Engagement, "kind")]
    assert kinds == [EventKind.LIST_JOINED, EventKind.LIST_LEFT]


def test_a_name_that_is_blank_long_or_taken_is_refused_in_words(marketer: Client, tenant: Tenant) -> None:
    post(marketer, tenant, "/lists/new/", name="Friends")
    for name, words in [
        ("", "required"),
        ("  ", "required"),
        ("x" * 201, "at most 200"),
        ("FRIENDS", "exists already"),
    ]:
        assert words in post(marketer, tenant, "/lists/new/", name=name), name
    assert "at most 80" in post(marketer, tenant, "/lists/new/", name="y" * 81, is_campaign="on")
    assert len(rows(tenant, List, "id")) == 1


def test_a_list_that_is_kept_as_a_campaign_says_what_it_waits_for(
    marketer: Client, tenant: Tenant, ada: Person
) -> None:
    with tenant_transaction(tenant.pk):
        pk = create_list(name="Friends", user=None).pk
    post(marketer, tenant, f"/lists/{pk}/members/", deed="add", emails=ada.email)
    html = post(marketer, tenant, f"/lists/{pk}/change/", deed="campaign")
    assert "Salesforce is not connected: changes here wait until it is." in html
    assert rows(tenant, List, "kind", "out_state") == [("campaign", "waiting")]
    assert rows(tenant, ListMembership, "out_state") == [("waiting",)]
    html = post(marketer, tenant, f"/lists/{pk}/members/", deed="status", person=str(ada.pk), status="Responded")
    assert "The status is changed." in html
    assert rows(tenant, ListMembership, "status") == [("Responded",)]


def test_a_sequence_is_made_and_people_are_led_through_it(marketer: Client, tenant: Tenant, ada: Person) -> None:
    post(marketer, tenant, "/sequences/new/", name="Welcome", description="Three mails")
    pk = rows(tenant, Sequence, "id")[0][0]
    assert "1 enrolled." in post(marketer, tenant, f"/sequences/{pk}/people/", deed="enrol", emails=ada.email)
    html = post(marketer, tenant, f"/sequences/{pk}/people/", person=str(ada.pk), status="paused")
    assert "The status is paused now." in html
    assert rows(tenant, Person, "sequence_status") == [("paused",)]
    assert "Nobody stands there" in shown(marketer, f"/sequences/{pk}/?status=finished")
    post(marketer, tenant, f"/sequences/{pk}/change/", deed="archive")
    assert "is archived: nobody is enrolled in it any more" in post(
        marketer, tenant, f"/sequences/{pk}/people/", deed="enrol", emails=ada.email
    )
    assert "Welcome" in shown(marketer, "/sequences/?show=archived")


def test_a_persons_page_shows_what_happened_and_its_filters_and_older_pages(
    marketer: Client, tenant: Tenant, ada: Person
) -> None:
    with tenant_transaction(tenant.pk):
        events = [
            EventDraft(kind="page_visited", person_id=ada.pk, details={"url": f"https://e.example/{n}"})
            for n in range(60)
        ]
        events.append(
            EventDraft(
                kind="email_clicked", person_id=ada.pk, subject="<b>News</b>", details={"link": "javascript:alert(1)"}
            )
        )
        record_engagements(events=events, origin="api")
    html = shown(marketer, f"/people/{ada.pk}/")
    assert "Older activity" in html
    assert "&lt;b&gt;News&lt;/b&gt;" in html
    assert 'href="javascript:' not in html
    assert "<b>News" not in html
    whole = shown(marketer, f"/people/{ada.pk}/activity/")
    assert 'rel="next"' in whole
    assert whole.count("event-icon") == 50
    assert shown(marketer, f"/people/{ada.pk}/activity/?show=email").count("event-icon") == 1
    assert "Nothing here" in shown(marketer, f"/people/{ada.pk}/activity/?show=sales")
    assert shown(marketer, f"/people/{ada.pk}/activity/?at=nonsense").count("event-icon") == 50


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_events_are_shown_as_the_text_they_are(
    marketer: Client, tenant: Tenant, ada: Person, text: str
) -> None:
    with tenant_transaction(tenant.pk):
        record_engagements(
            events=[
                EventDraft(kind=kind, person_id=ada.pk, subject=text, details={"body": text[:99], "link": text[:99]})
                for kind in RECEIVED_KINDS
            ],
            origin="api",
        )
    html = shown(marketer, f"/people/{ada.pk}/") + shown(marketer, f"/people/{ada.pk}/activity/")
    assert "<script>alert(1)" not in html
    assert "<img src=x" not in html


def test_the_score_is_changed_by_hand_with_its_reason_and_what_is_no_number_is_refused(
    marketer: Client, tenant: Tenant, ada: Person
) -> None:
    html = post(marketer, tenant, f"/people/{ada.pk}/score/", points="+25", reason="Met at the fair")
    assert "The score is 25 now." in html
    assert "Met at the fair" in html
    post(marketer, tenant, f"/people/{ada.pk}/score/", points="-100")
    for wrong in ("", "x", "1.5", "0", "99999999", "٣", "--1"):
        assert "Enter a number of points" in post(marketer, tenant, f"/people/{ada.pk}/score/", points=wrong), wrong
    assert rows(tenant, Engagement, "points", "score") == [(25, 25), (-25, 0)]


def test_a_person_is_put_on_lists_and_into_sequences_from_their_page(
    marketer: Client, tenant: Tenant, ada: Person
) -> None:
    with tenant_transaction(tenant.pk):
        friends = create_list(name="Friends", user=None).pk
        welcome = create_sequence(name="Welcome", user=None).pk
    post(marketer, tenant, f"/people/{ada.pk}/lists/", list=str(friends))
    html = post(marketer, tenant, f"/people/{ada.pk}/sequences/", sequence=str(welcome))
    assert "Joined a list" in html
    assert rows(tenant, SequenceEnrolment, "status") == [("active",)]
    post(marketer, tenant, f"/people/{ada.pk}/sequences/", sequence=str(welcome), status="removed")
    post(marketer, tenant, f"/people/{ada.pk}/lists/", list=str(friends), deed="remove")
    assert rows(tenant, ListMembership, "is_active") == [(False,)]
    assert rows(tenant, SequenceEnrolment, "status") == [("removed",)]
    for wrong in ("", "0", "999999999999999999999", "-1", "x"):
        answer = marketer.post(f"/people/{ada.pk}/lists/", {TENANT_FIELD: str(tenant.pk), "list": wrong})
        assert answer.status_code == 404, wrong


def test_a_viewer_sees_all_of_it_and_is_offered_nothing(viewer: Client, tenant: Tenant, ada: Person) -> None:
    with tenant_transaction(tenant.pk):
        friends = create_list(name="Friends", user=None).pk
    for path in (f"/people/{ada.pk}/", f"/lists/{friends}/", "/settings/fields/"):
        main = shown(viewer, path).split("<main")[1]
        assert "<form" not in main, path


def test_points_are_saved_and_count_from_then_on(marketer: Client, tenant: Tenant, ada: Person) -> None:
    points = {kind.value: "2" for kind in RECEIVED_KINDS}
    assert "The points are saved." in post(marketer, tenant, "/settings/scores/", **points)
    with tenant_transaction(tenant.pk):
        record_engagements(events=[EventDraft(kind="page_visited", person_id=ada.pk)], origin="api")
    assert rows(tenant, Person, "score") == [(2,)]
    assert "Nothing was saved" in post(marketer, tenant, "/settings/scores/", **{**points, "replied": "1001"})
    assert {points for (points,) in rows(tenant, ScoreRule, "points")} == {2}


def test_a_custom_field_is_made_renamed_and_removed(marketer: Client, tenant: Tenant, ada: Person) -> None:
    made = {"record_type": "person", "label": "Shoe size (EU)", "kind": "picklist", "options": "38\n39\n38\n"}
    assert "It can be mapped now." in post(marketer, tenant, "/settings/fields/new/", **made)
    (pk, key, options) = rows(tenant, CustomField, "id", "key", "options")[0]
    assert (key, options) == ("shoe_size_eu", ["38", "39"])
    form = shown(marketer, f"/people/{ada.pk}/edit/")
    assert '<option value="39">39</option>' in form
    html = post(marketer, tenant, "/settings/fields/new/", **{**made, "key": "shoe_size_eu"})
    assert "exists already" in html
    post(marketer, tenant, f"/settings/fields/{pk}/", label="Shoe", options="40")
    assert rows(tenant, CustomField, "label", "options") == [("Shoe", ["40"])]
    assert "at least one option" in post(marketer, tenant, f"/settings/fields/{pk}/", label="Shoe", options=" ")
    post(marketer, tenant, f"/settings/fields/{pk}/remove/")
    assert rows(tenant, CustomField, "id") == []
    other = {**made, "kind": "date", "key": "shoe_size_eu"}
    assert "A removed field “shoe_size_eu” held Picklist" in post(marketer, tenant, "/settings/fields/new/", **other)
    post(marketer, tenant, "/settings/fields/new/", **{**made, "key": "shoe_size_eu"})
    assert [one for (one,) in rows(tenant, CustomField, "id")] == [pk]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"label": ""}, "required"),
        ({"label": "x" * 121}, "at most 120"),
        ({"key": "Shoe"}, "Lower-case letters"),
        ({"key": "a__b"}, "Lower-case letters"),
        ({"key": "email"}, "a field of Syncline itself"),
        ({"key": "score"}, "a field of Syncline itself"),
        ({"label": "!!!"}, "Lower-case letters"),
        ({"kind": "reference"}, "Select a valid choice"),
        ({"record_type": "robot"}, "Select a valid choice"),
        ({"kind": "multipicklist", "options": "a;b"}, "no semicolon"),
    ],
)
def test_a_definition_that_cannot_be_is_refused_in_words(
    marketer: Client, tenant: Tenant, changed: dict[str, str], words: str
) -> None:
    made = {"record_type": "person", "label": "Shoe", "kind": "text", "options": ""} | changed
    assert words in post(marketer, tenant, "/settings/fields/new/", **made)
    assert rows(tenant, CustomField, "id") == []


def test_a_field_that_is_mapped_is_not_removed(marketer: Client, tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        field = CustomField.objects.create(record_type="person", key="shoe", label="Shoe", kind="text")
        seed_custom_profile(salesforce)
        step = SyncStep.objects.filter(profile=Profile.objects.get(kind="custom"), local_type="person").first()
        FieldMapping.objects.create(step=step, remote_field="Fax", local_field="custom:shoe")
    html = post(marketer, tenant, f"/settings/fields/{field.pk}/remove/")
    assert "It is mapped 1 time." in html
    assert rows(tenant, CustomField, "key") == [("shoe",)]
