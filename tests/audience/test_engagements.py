"""Events come in: each once, in the order in which they happened, with what they do to the person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audience.models import (
    ConsentChange,
    Engagement,
    EnrolmentStatus,
    Person,
    RecordChange,
    SequenceEnrolment,
    Source,
)
from apps.audience.services.engagements import EventDraft, EventState, record_engagements
from apps.audience.services.scores import change_score, save_points
from apps.audience.services.sequences import create_sequence, enrol
from apps.audience.services.task_switches import set_task_kinds
from apps.outbox.models import OutboundChange

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def person(email: str = "ada@example.com", **values: Any) -> Person:
    made: Person = Person.objects.create(email=email, **values)
    return made


def linked(email: str = "ada@example.com", **values: Any) -> Person:
    return person(email, leading_sobject="Lead", leading_remote_id="00Q000000000001AAA", **values)


def draft(kind: str, hours: int = 0, **values: Any) -> EventDraft:
    values.setdefault("email", "ada@example.com")
    return EventDraft(kind=kind, happened_at=NOON + timedelta(hours=hours), **values)


def record(*events: EventDraft) -> list[EventState]:
    return [outcome.state for outcome in record_engagements(events=events, origin="api")]


def queued(one: Person) -> set[str]:
    row = OutboundChange.objects.filter(local_type="person", local_id=one.pk).first()
    return set(row.fields) if row is not None else set()


def test_the_same_event_sent_ten_times_is_one_row_with_one_effect() -> None:
    ada = person()
    visit = draft("page_visited", external_id="e-1")
    assert record(visit, *[visit] * 4) == [EventState.RECORDED, *[EventState.DUPLICATE] * 4]
    for _ in range(5):
        outcome = record_engagements(events=[visit], origin="api")[0]
        assert (outcome.state, outcome.person_id) == (EventState.DUPLICATE, ada.pk)
    assert Engagement.objects.count() == 1
    ada.refresh_from_db()
    assert ada.score == 1


def test_people_are_found_by_id_key_and_address_and_made_where_asked() -> None:
    ada, bob = person("ada@example.com"), person("bob@example.com", external_key="B-7")
    outcomes = record_engagements(
        events=[
            draft("page_visited", email="", person_id=ada.pk),
            draft("page_visited", email="", external_key="B-7"),
            draft("page_visited", email="ADA@example.com "),
            draft("form_submitted", email="eve@example.com", creates=True, values={"first_name": "Eve Maria"}),
            draft("page_visited", email="eve@example.com", creates=True),
            draft("page_visited", email="nobody@example.com"),
            draft("page_visited", email="", person_id=2**62),
        ],
        origin="api",
    )
    eve = Person.objects.get(email="eve@example.com")
    assert [one.person_id for one in outcomes] == [ada.pk, bob.pk, ada.pk, eve.pk, eve.pk, None, None]
    assert [one.words for one in outcomes][5:] == ["There is no such person."] * 2
    assert (eve.first_name, eve.source, outcomes[3].is_new_person) == ("Eve Maria", Source.FORM, True)
    assert {"email", "first_name"} <= queued(eve)
    assert Engagement.objects.filter(person_id=eve.pk, kind="person_created").count() == 1


def test_visits_never_go_backwards_and_touches_follow_the_clock_of_the_events() -> None:
    ada = linked()
    record(draft("page_visited", 5, details={"channel": "search", "source": "duck"}))
    record(draft("page_visited", 3, details={"channel": "mail", "source": "news"}))
    record(draft("page_visited", 4, details={"channel": "social", "source": "toot"}))
    ada.refresh_from_db()
    assert ada.most_recent_visit == NOON + timedelta(hours=5)
    assert (ada.first_touch_channel, ada.first_touch_source) == ("mail", "news")
    assert (ada.last_touch_channel, ada.last_touch_source) == ("search", "duck")
    assert queued(ada) >= {"score", "most_recent_visit", "first_touch_channel", "last_touch_source"}


def test_unlinked_people_wait_for_nothing() -> None:
    ada = person()
    record(draft("page_visited"))
    assert queued(ada) == set()


def test_unsubscribing_opts_out_with_its_source_and_leaves_sequences() -> None:
    ada = person()
    enrol(people=[ada], sequence=create_sequence(name="Welcome", user=None), origin="manual")
    record(draft("unsubscribed", details={"source": "footer of the newsletter"}))
    ada.refresh_from_db()
    assert ada.email_opt_out
    change = ConsentChange.objects.get(person_id=ada.pk)
    assert (change.opted_out, change.source) == (True, "Unsubscribed: footer of the newsletter")
    assert "email_opt_out" in queued(ada)
    assert RecordChange.objects.get(person_id=ada.pk).version == ada.version == 2
    assert (SequenceEnrolment.objects.get().status, ada.sequence_status) == ("removed", "removed")


@pytest.mark.parametrize(("bounce", "is_out"), [("hard", True), ("soft", False), ("", False)])
def test_only_a_hard_bounce_opts_out(bounce: str, is_out: bool) -> None:
    ada = person()
    record(draft("email_bounced", details={"bounce": bounce}))
    ada.refresh_from_db()
    assert (ada.email_bounced, ada.email_opt_out) == (is_out, is_out)
    assert ("email_opt_out" in queued(ada)) is is_out


def test_only_the_first_click_of_each_link_is_marked() -> None:
    person()
    record(
        draft("email_clicked", 2, details={"link": "https://a.example"}),
        draft("email_clicked", 1, details={"link": "https://a.example"}),
        draft("email_clicked", 3, details={"link": "https://b.example"}),
    )
    record(draft("email_clicked", 4, details={"link": "https://a.example"}))
    marked = Engagement.objects.filter(is_first_click=True).order_by("happened_at")
    assert [(row.happened_at, row.details["link"]) for row in marked] == [
        (NOON + timedelta(hours=1), "https://a.example"),
        (NOON + timedelta(hours=3), "https://b.example"),
    ]


def test_a_reply_is_the_inbox_state_and_the_status_of_running_sequences() -> None:
    ada = linked()
    first, second = (create_sequence(name=name, user=None) for name in ("Welcome", "Trial"))
    enrol(people=[ada], sequence=first, origin="manual")
    enrol(people=[ada], sequence=second, origin="manual")
    record(draft("replied", details={"inbox_state": "interested"}))
    ada.refresh_from_db()
    assert (ada.inbox_state, ada.sequence_status) == ("interested", EnrolmentStatus.REPLIED)
    assert set(SequenceEnrolment.objects.values_list("status", flat=True)) == {"replied"}
    assert {"sequence_status", "inbox_state", "score"} <= queued(ada)


def test_a_form_brings_back_who_was_inactive() -> None:
    ada = person(is_active=False, last_name="Lovelace")
    record(draft("form_submitted"))
    ada.refresh_from_db()
    assert (ada.is_active, ada.version) == (True, 2)
    assert {"email", "last_name"} <= queued(ada)


def test_scores_follow_the_tenants_points_and_never_fall_below_zero() -> None:
    ada = person()
    save_points(points={"page_visited": 4, "unsubscribed": -1000}, user=None)
    record(draft("page_visited"), draft("unsubscribed", 1), draft("page_visited", 2))
    ada.refresh_from_db()
    assert ada.score == 4
    rows = Engagement.objects.order_by("happened_at").values_list("points", "score")
    assert list(rows) == [(4, 4), (-4, 0), (4, 4)]
    change_score(person=ada, by=-10, origin="manual")
    ada.refresh_from_db()
    assert ada.score == 0
    assert change_score(person=ada, to=25, origin="manual").score == 25


def test_scores_and_visits_make_no_version_that_a_form_would_stumble_over() -> None:
    ada = person()
    record(draft("page_visited"))
    ada.refresh_from_db()
    assert ada.version == 1


def test_only_kinds_that_are_switched_on_become_tasks_and_only_from_then_on() -> None:
    person()
    record(draft("form_submitted"))
    set_task_kinds(kinds=["form_submitted", "email_clicked"])
    record(
        draft("form_submitted", 1),
        draft("page_visited", 2),
        draft("email_clicked", 3, details={"link": "a"}),
        draft("email_clicked", 4, details={"link": "a"}),
    )
    states = Engagement.objects.order_by("happened_at").values_list("task_state", flat=True)
    assert list(states) == ["none", "waiting", "none", "waiting", "none"]
    set_task_kinds(kinds=["email_clicked"])
    assert set(Engagement.objects.filter(kind="form_submitted").values_list("task_state", flat=True)) == {
        "none",
        "skipped",
    }


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (draft("fax_received"), "no kind of event"),
        (draft("list_joined"), "no kind of event"),
        (EventDraft(kind="replied"), "Say whose event it is"),
        (draft("replied", email="no address"), "no e-mail address"),
        (draft("replied", email="", person_id=-1), "no such person"),
        (draft("replied", email="", person_id=2**70), "no such person"),
        (draft("replied", external_id="x" * 201), "too long"),
        (draft("replied", external_id="\ud800"), "cannot be stored"),
        (draft("replied", subject="\udfff"), "cannot be stored"),
        (draft("replied", details={"a": float("nan")}), "no JSON object"),
        (draft("replied", details={"a": object()}), "no JSON object"),
        (draft("replied", details={"a": "\0"}), "cannot be stored"),
        (draft("replied", details={"a": "x" * 40_000}), "too long"),
        (draft("email_clicked", details={"link": ["a"]}), "has to be text"),
        (draft("replied", 24 * 365 * 50), "in the future"),
        (EventDraft(kind="replied", email="ada@example.com", happened_at=datetime(2026, 1, 1)), "zone"),  # noqa: DTZ001
        (draft("replied", -24 * 365 * 60), "too far back"),
        (draft("form_submitted", email="", external_key="K-1", creates=True), "name or an e-mail"),
    ],
)
def test_a_bad_event_is_refused_in_words_and_stops_no_other(event: EventDraft, words: str) -> None:
    person()
    outcomes = record_engagements(events=[event, draft("page_visited")], origin="api")
    assert [one.state for one in outcomes] == [EventState.REFUSED, EventState.RECORDED]
    assert words in outcomes[0].words
    assert Engagement.objects.count() == 1


def test_a_thousand_events_cost_as_many_statements_as_ten() -> None:
    def cost(count: int, first: int) -> int:
        events = [
            draft("page_visited", email=f"p{first + i}@example.com", external_id=f"{first + i}", creates=True)
            for i in range(count)
        ]
        with CaptureQueriesContext(
            connection,
        ) as caught:
            outcomes = record_engagements(events=events, origin="api")
        assert {one.state for one in outcomes} == {EventState.RECORDED}
        return len(caught)

    few, many = cost(10, 0), cost(1000, 10)
    assert many <= few + 2
    assert many < 40


def test_a_clock_that_is_a_little_ahead_means_now() -> None:
    person()
    soon = EventDraft(kind="page_visited", email="ada@example.com", happened_at=timezone.now() + timedelta(hours=1))
    assert record(soon) == [EventState.RECORDED]
    ada = Person.objects.get()
    assert ada.most_recent_visit is not None
    assert ada.most_recent_visit <= timezone.now()
