"""Events as Tasks on the leading lead or contact: which, where, exactly once, and what is refused (E07, B08)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import Engagement, Person
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.field_mappings.models import ProfileKind
from apps.field_mappings.selectors import profiles_of
from apps.field_mappings.services.profiles import switch_profile
from apps.sync.due import begin_due_push
from apps.sync.models import SyncRun, WriteIntent
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import retry_errors
from apps.sync_settings.services import save_settings, settings_of
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]

ID = "Syncline_Activity_Id__c"
FORM = {"activity_form_submitted": True}


def switch(world: World, **values: bool) -> None:
    """Somebody saves the settings page."""
    with tenant_transaction(world.tenant_id):
        seen = settings_of(world.connection).version
        save_settings(connection=world.connection, user=world.user, seen_version=seen, values=values)


def happens(world: World, kind: str, person: Person, **values: Any) -> None:
    with tenant_transaction(world.tenant_id):
        record_engagements(events=[EventDraft(kind=kind, person_id=person.pk, **values)], origin="api")


def push(world: World) -> SyncRun | None:
    """Push, whatever waiting times there are."""
    with tenant_transaction(world.tenant_id):
        Engagement.objects.filter(task_state="waiting").update(task_due_at=timezone.now())
    return world.push()


def tasks(world: World, *fields: str) -> list[dict[str, Any]]:
    names = ", ".join(["Id", "WhoId", "Subject", *fields])
    rows = world.emulator.query(world.org.org_id, f"SELECT {names} FROM Task", include_deleted=False)
    return sorted(rows, key=lambda row: row["Id"])


def states(world: World) -> list[tuple[str, str]]:
    with tenant_transaction(world.tenant_id):
        rows = Engagement.objects.exclude(kind="person_created").order_by("happened_at", "id")
        return list(rows.values_list("kind", "task_state"))


@pytest.fixture(params=[True, False], ids=["package", "no package"])
def org_world(near_world: World, request: pytest.FixtureRequest) -> World:
    """An org with and one without the package."""
    near_world.emulator.change_org(near_world.org.org_id, package_fields=request.param)
    return near_world


def test_a_form_becomes_a_completed_task_on_the_lead(org_world: World) -> None:
    world = org_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, **FORM)
    moment = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    happens(
        world,
        "form_submitted",
        world.person(lead),
        happened_at=moment,
        subject="Whitepaper",
        details={"url": "https://example.com/w", "body": "I want to know <b>more</b>"},
    )
    run = push(world)
    assert run is not None
    row = tasks(world, "ActivityDate", "Status", "Description")[0]
    assert (row["WhoId"], row["Subject"], row["ActivityDate"]) == (lead, "Whitepaper", "2026-11-20")
    assert row["Status"] == "Completed"
    assert row["Description"].startswith(
        "I want to know <b>more</b>\nPage: https://example.com/w\nHappened: 2026-11-20"
    )
    assert states(world) == [("form_submitted", "sent")]
    assert world.counts(run)["Task"] == (1, 0, 0, 0, 0)
    assert [entry.remote_id for entry in world.entries(run, "created")] == [row["Id"]]


@pytest.mark.parametrize("kind", ["form_submitted", "page_visited", "call_logged", "task_logged"])
@pytest.mark.parametrize("is_on", [False, True])
def test_each_kind_has_its_own_switch(near_world: World, kind: str, is_on: bool) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    kinds = ("form_submitted", "page_visited", "call_logged", "task_logged")
    switch(world, **{f"activity_{one}": (one == kind) is is_on for one in kinds})
    happens(world, kind, world.person(lead))
    push(world)
    assert len(tasks(world)) == int(is_on)


@pytest.mark.parametrize(
    ("master", "sent", "told"), [(False, True, []), (True, False, ["first"]), (True, True, ["first", "sent"])]
)
def test_the_switch_of_all_e_mail_events_stands_above_those_of_each(
    near_world: World, master: bool, sent: bool, told: list[str]
) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, email_activities=master, activity_email_sent=sent, activity_email_opened=False)
    person = world.person(lead)
    happens(world, "email_sent", person, subject="sent")
    happens(world, "email_opened", person, subject="opened")
    happens(world, "email_clicked", person, subject="first", details={"link": "https://example.com"})
    happens(world, "email_clicked", person, subject="second", details={"link": "https://example.com"})
    push(world)
    assert sorted(row["Subject"] for row in tasks(world)) == told


def test_what_happened_before_the_switch_is_no_flood(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    for _ in range(3):
        happens(world, "form_submitted", world.person(lead))
    switch(world, **FORM)
    push(world)
    assert tasks(world) == []
    happens(world, "form_submitted", world.person(lead))
    push(world)
    assert len(tasks(world)) == 1


def test_the_same_event_ten_times_is_one_task(org_world: World) -> None:
    world = org_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, **FORM)
    for number in range(10):
        happens(world, "form_submitted", world.person(lead), external_id="form-1")
        if number % 3 == 0:
            push(world)
    push(world)
    assert len(tasks(world)) == 1


def test_contacts_go_before_leads_and_after_a_conversion_the_contact_gets_them(near_world: World) -> None:
    world = near_world
    lead, contact = world.lead(Email="ada@example.com"), world.contact(Email="ada@example.com")
    other = world.lead(Email="bob@example.com")
    world.sync()
    switch(world, **FORM)
    happens(world, "form_submitted", world.person(contact))
    bob = world.person(other)
    converted = world.emulator.convert(world.org.org_id, other)
    happens(world, "form_submitted", bob)
    push(world)
    assert {row["WhoId"] for row in tasks(world)} == {contact, converted["contactId"]}
    assert lead not in {row["WhoId"] for row in tasks(world)}


def test_a_person_who_is_not_in_salesforce_gets_no_task_and_one_who_is_made_does(near_world: World) -> None:
    world = near_world
    world.sync()
    switch(world, **FORM)
    event = EventDraft(kind="form_submitted", email="new@example.com", creates=True)
    with tenant_transaction(world.tenant_id):
        record_engagements(events=[event], origin="api")
    push(world)
    assert states(world)[0] == ("form_submitted", "skipped")
    world.both_ways("Lead")
    with tenant_transaction(world.tenant_id):
        record_engagements(
            events=[EventDraft(kind="form_submitted", email="two@example.com", creates=True)], origin="api"
        )
    push(world)
    lead = world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE Email = 'two@example.com'")[0]["Id"]
    assert [row["WhoId"] for row in tasks(world)] == [lead]


@pytest.mark.parametrize("enabled", [False, True])
def test_syncs_enabled_holds_them_back_and_nothing_is_lost(near_world: World, enabled: bool) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, **FORM, syncs_enabled=enabled)
    happens(world, "form_submitted", world.person(lead))
    push(world)
    assert len(tasks(world)) == int(enabled)
    switch(world, syncs_enabled=True)
    push(world)
    assert len(tasks(world)) == 1


def test_a_thousand_events_go_two_hundred_a_call(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, activity_page_visited=True)
    person = world.person(lead)
    with tenant_transaction(world.tenant_id):
        record_engagements(
            events=[EventDraft(kind="page_visited", person_id=person.pk, external_id=str(n)) for n in range(450)],
            origin="api",
        )
    world.push()
    written = [c for c in world.emulator.calls("/Task/", world.org.org_id) if c["method"] == "PATCH"]
    assert (len(tasks(world)), len(written)) == (450, 3)


def test_a_right_that_is_missing_is_one_error_and_what_waits_goes_out_when_it_is_there(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, **FORM)
    for _ in range(5):
        happens(world, "form_submitted", world.person(lead))
    world.emulator.change_org(world.org.org_id, read_only=["Task.Description"])
    push(world)
    assert [(error.category, error.sobject) for error in world.live_errors()] == [("field_gone", "Task")]
    assert states(world) == [("form_submitted", "waiting")] * 5
    world.emulator.change_org(world.org.org_id, read_only=[])
    push(world)
    assert (len(tasks(world)), world.live_errors()) == (5, [])


def test_a_rule_of_the_org_refuses_in_one_error_and_retry_sends_them(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, **FORM)
    rule = {"sobject": "Task", "field": "Subject", "pattern": "secret", "message": "No secrets."}
    world.emulator.change_org(world.org.org_id, validation_rules=[rule])
    for _ in range(3):
        happens(world, "form_submitted", world.person(lead), subject="secret")
    happens(world, "form_submitted", world.person(lead), subject="public")
    run = push(world)
    assert run is not None
    errors = world.live_errors()
    assert [(error.category, "No secrets." in error.message) for error in errors] == [("validation_rule", True)]
    assert [state for _, state in states(world)] == ["refused"] * 3 + ["sent"]
    assert world.counts(run)["Task"] == (1, 0, 0, 0, 3)
    world.emulator.change_org(world.org.org_id, validation_rules=[])
    with tenant_transaction(world.tenant_id):
        retry_errors(errors=SyncError.objects.filter(sobject="Task"), user=world.user)
    push(world)
    assert len(tasks(world)) == 4


def test_a_journal_that_a_crash_left_open_is_resolved_by_looking(near_world: World) -> None:
    world = near_world
    world.emulator.change_org(world.org.org_id, package_fields=False)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    switch(world, **FORM)
    happens(world, "form_submitted", world.person(lead))
    push(world)
    with tenant_transaction(world.tenant_id):
        # As if the worker had died between the answer and writing it down.
        Engagement.objects.update(task_state="waiting", task_id="", task_due_at=timezone.now() - timedelta(hours=1))
        WriteIntent.objects.filter(local_type="engagement").update(closed_at=None, outcome="")
    assert begin_due_push(world.tenant_id) is not None
    push(world)
    with tenant_transaction(world.tenant_id):
        run = SyncRun.objects.order_by("-id").first()
    assert run is not None
    world.finish(run)
    assert (len(tasks(world)), states(world)) == (1, [("form_submitted", "sent")])


@pytest.mark.parametrize("kind", ["email_sent", "task_logged", "call_logged"])
@pytest.mark.parametrize("is_default", [False, True])
def test_the_default_profile_carries_e_mails_tasks_and_calls(near_world: World, kind: str, is_default: bool) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    if is_default:
        with tenant_transaction(world.tenant_id):
            switch_profile(profile=profiles_of(world.connection)[ProfileKind.DEFAULT], actor=world.user)
    happens(world, kind, world.person(lead))
    push(world)
    assert len(tasks(world)) == int(is_default)
