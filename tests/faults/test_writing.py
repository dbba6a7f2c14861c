"""F39 to F50: what Salesforce refuses, loses, rewrites or has changed by the time we write."""

from collections import Counter
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from apps.audience.models import Company, Person
from apps.field_mappings.models import FieldMapping
from apps.outbox.queue import queue_change
from apps.sync.models import RunEntry, SyncRun, WriteIntent
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

COLLECTIONS = "/composite/sobjects"


@pytest.fixture
def two_way(world: World) -> World:
    world.both_ways("Lead", "Contact")
    return world


def _ada(world: World, **values: Any) -> tuple[str, Person]:
    """A lead that is synced and lies a minute back in the org's time."""
    lead = world.lead(**{"Email": "ada@example.com", "FirstName": "Ada", "LastName": "Byron"} | values)
    world.sync()
    world.emulator.shift_clock(world.org.org_id, 60)
    return lead, world.person(lead)


def _leads(world: World, count: int) -> list[str]:
    world.emulator.seed(world.org.org_id, seed=9, leads=count + count // 5)
    world.sync()
    rows = world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE IsConverted = false")
    return [str(row["Id"]) for row in rows][:count]


def _rename_all(world: World, names: dict[str, str]) -> None:
    """Somebody changes the last names of many people here, by remote id."""
    now = timezone.now()
    with tenant_transaction(world.tenant_id):
        for remote_id, name in names.items():
            person = Person.objects.get(leading_remote_id=remote_id)
            Person.objects.filter(id=person.pk).update(last_name=name, version=F("version") + 1)
            queue_change(local_type="person", local_id=person.pk, fields=["last_name"], origin="user", at=now)


def _names(world: World) -> dict[str, str]:
    rows = world.emulator.query(world.org.org_id, "SELECT Id, LastName FROM Lead")
    return {row["Id"]: row["LastName"] for row in rows}


def _open_intents(world: World) -> int:
    with tenant_transaction(world.tenant_id):
        return int(WriteIntent.objects.filter(closed_at__isnull=True).count())


def _history(world: World) -> list[dict[str, Any]]:
    """The lines of the log about last names, oldest first."""
    with tenant_transaction(world.tenant_id):
        entries = RunEntry.objects.exclude(changes=None).order_by("number")
        return [entry.changes["last_name"] for entry in entries if "last_name" in (entry.changes or {})]


def _settled(world: World) -> bool:
    """Nothing waits, nothing is open, nobody is asked for anything."""
    return world.waiting() == [] and _open_intents(world) == 0 and world.live_errors() == []


# -- F39 --------------------------------------------------------------------------------------------------------


def test_f39_every_row_of_a_batch_is_done_or_named_with_its_field_and_its_words(two_way: World) -> None:
    world = two_way
    leads = _leads(world, 200)
    bad = set(leads[::5][:37])
    world.emulator.add_validation_rule(world.org.org_id, "Lead", "LastName", "^No ", "Names do not begin with No.")
    _rename_all(world, {lead: f"{'No' if lead in bad else 'New'} {number}" for number, lead in enumerate(leads)})
    before = world.writes()
    run = world.push()
    assert run is not None
    assert world.writes() - before == 2  # one call reads, one writes
    assert world.counts(run)["person"] == (0, 163, 0, 0, 37)
    names = _names(world)
    assert {lead for lead in leads if names[lead].startswith("New ")} == set(leads) - bad
    errors = world.live_errors()
    assert {error.remote_id for error in errors} == bad
    assert {(e.category, e.state, e.field, e.message, e.way) for e in errors} == {
        ("validation_rule", "blocked", "LastName", "Names do not begin with No.", "out")
    }
    assert Counter(change.state for change in world.waiting()) == {"held": 37}
    assert len(world.entries(run, "written")) == 163
    assert len(world.entries(run, "failed")) == 37
    assert _open_intents(world) == 0


# -- F41 --------------------------------------------------------------------------------------------------------


def test_f41_rows_that_are_locked_go_again_in_small_batches_and_nobody_is_asked(two_way: World) -> None:
    world = two_way
    leads = _leads(world, 60)
    locked = leads[::5]
    world.emulator.lock_rows(world.org.org_id, *locked, times=1)
    _rename_all(world, {lead: f"New {number}" for number, lead in enumerate(leads)})
    run = world.push()
    assert run is not None
    assert world.counts(run)["person"][1] == 48
    waits = world.live_errors()
    assert {error.state for error in waits} == {"retrying"}
    assert all(error.next_attempt_at is not None for error in waits)
    assert all((e.next_attempt_at - timezone.now()).total_seconds() <= 3600 for e in waits if e.next_attempt_at)
    assert {change.state for change in world.waiting()} == {"waiting"}
    before = _writing_calls(world)
    world.push()
    assert _writing_calls(world) - before == 2  # twelve rows, ten a call
    names = _names(world)
    assert all(names[lead].startswith("New ") for lead in leads)
    assert _settled(world)


def _writing_calls(world: World) -> int:
    return sum(call["method"] == "PATCH" for call in world.emulator.calls(COLLECTIONS + "$", world.org.org_id))


# -- F42 --------------------------------------------------------------------------------------------------------

REFUSALS = {
    "DUPLICATES_DETECTED": ("duplicate_detected", "Use one of these records?", []),
    "DUPLICATE_VALUE": ("duplicate_value", "duplicate value found: X__c duplicates value on record with id: 00Q", []),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": ("validation_rule", "A name needs a capital letter.", ["LastName"]),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": ("validation_rule", "LeadTrigger: execution of BeforeUpdate", []),
    "REQUIRED_FIELD_MISSING": ("required_field_missing", "Required fields are missing: [Industry]", ["Industry"]),
    "STRING_TOO_LONG": ("too_long", "Last Name: data value too large: (max length=80)", ["LastName"]),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (
        "restricted_picklist", "bad value for restricted picklist field: X", ["LastName"]
    ),
    "INVALID_EMAIL_ADDRESS": ("invalid_email", "Email: invalid email address: ada", ["Email"]),
    "FIELD_INTEGRITY_EXCEPTION": ("invalid_value", "There's a problem with this country.", ["Country"]),
    "INVALID_CROSS_REFERENCE_KEY": ("bad_reference", "invalid cross reference id", []),
    "INACTIVE_OWNER_OR_USER": ("owner_inactive", "operation performed with inactive user [005]", []),
    "ENTITY_IS_LOCKED": ("record_locked", "the entity is locked for editing", []),
    "INSUFFICIENT_ACCESS_OR_READONLY": ("insufficient_access", "insufficient access rights on object id", []),
}  # fmt: skip


def _refusal(code: str, message: str, fields: list[str]) -> dict[str, Any]:
    """As recorded/collections/update-error-200.json shows it."""
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": fields}]}


def _refuse(world: World, code: str, message: str, fields: list[str]) -> None:
    answer = [_refusal(code, message, fields)]
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", status=200, body=answer)


def test_f42_refused_rows_wait_for_a_change_and_say_why(two_way: World) -> None:
    world = two_way
    leads = sorted(world.lead(FirstName="Ada", LastName=f"Byron {n}") for n in range(len(REFUSALS)))
    world.sync()
    _rename_all(world, dict.fromkeys(leads, "King"))
    answer = [_refusal(code, message, fields) for code, (_, message, fields) in REFUSALS.items()]
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", status=200, body=answer)
    world.push()
    found = {error.remote_id: error for error in world.live_errors()}
    assert {
        code: (found[lead].category, found[lead].message, found[lead].field)
        for code, lead in zip(REFUSALS, leads, strict=True)
    } == {code: (category, message, ", ".join(fields)) for code, (category, message, fields) in REFUSALS.items()}
    assert {(e.state, e.record_label, e.next_attempt_at) for e in found.values()} == {("blocked", "Ada King", None)}
    calls = _writing_calls(world)
    world.push()
    world.poll()
    world.push()
    assert _writing_calls(world) == calls, "nothing has changed on either side"
    _rename_all(world, dict.fromkeys(leads, "Lovelace"))
    world.push()
    assert set(_names(world).values()) == {"Lovelace"}
    assert _settled(world)


def test_f42_change_on_their_side_has_a_refused_row_tried_again(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.edit(person, last_name="King")
    _refuse(world, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A title is needed.", ["Title"])
    world.push()
    world.change("Lead", lead, Title="Countess")
    world.poll()
    assert world.person(lead).title == "Countess"
    world.push()
    assert world.row("Lead", lead, "LastName")["LastName"] == "King"
    assert _settled(world)


def test_f42_refused_row_that_is_set_right_on_their_side_is_done_with(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.edit(person, last_name="King")
    _refuse(world, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Names are for managers.", ["LastName"])
    world.push()
    calls = _writing_calls(world)
    world.change("Lead", lead, LastName="King")
    world.poll()
    world.push()
    assert _writing_calls(world) == calls
    assert _settled(world)


def test_f42_refused_row_is_tried_again_by_the_button(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.edit(person, last_name="King")
    _refuse(world, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not on Tuesdays.", [])
    world.push()
    world.sync_now(person)
    assert world.row("Lead", lead, "LastName")["LastName"] == "King"
    assert _settled(world)


def test_f42_duplicate_rule_of_the_org_names_the_record_that_is_there(two_way: World) -> None:
    world = two_way
    world.emulator.add_duplicate_rule(world.org.org_id, "Lead", "LastName", block=True)
    world.sync()
    there = world.lead(LastName="Lovelace", Email="another@example.com")
    world.add_person(email="ada@example.com", last_name="Lovelace", company_name="Acme")
    world.push()
    (error,) = world.live_errors()
    assert (error.category, error.state) == ("duplicate_detected", "blocked")
    assert len(world.emulator.query(world.org.org_id, "SELECT Id FROM Lead")) == 1
    assert there in str(error.details) or there in error.raw or error.details == {}


# -- F43 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "values", "when"),
    [
        (True, {"email": "new@example.com"}, "after"),
        (True, {}, "after"),
        (True, {}, "before"),
        (False, {"email": "new@example.com"}, "after"),
        (False, {}, "after"),
        (False, {}, "before"),
    ],
)
def test_f43_row_whose_making_was_not_answered_is_found_and_made_once(
    two_way: World, package: bool, values: dict[str, str], when: str
) -> None:
    world = two_way
    world.emulator.change_org(world.org.org_id, package_fields=package)
    world.sync()
    person = world.add_person(**values, first_name="Nia", last_name="Newman", company_name="Acme")
    world.emulator.drop(f"{COLLECTIONS}(/Lead/Syncline_Id__c)?$", after_commit=when == "after")
    world.push()
    assert len(world.waiting()) == 1
    world.push()
    rows = world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE LastName = 'Newman'")
    assert len(rows) == 1
    assert world.link(rows[0]["Id"]).person_id == person.pk
    world.poll()
    assert [found.pk for found in world.people()] == [person.pk]
    assert _settled(world)


def test_f43_namesakes_whose_making_was_not_answered_are_told_apart_or_asked_about(two_way: World) -> None:
    world = two_way
    world.emulator.change_org(world.org.org_id, package_fields=False)
    world.sync()
    titles = ["Clerk", "Queen", "Twin", "Twin"]
    for title in titles:
        world.add_person(last_name="Newman", company_name="Acme", title=title)
    world.emulator.drop(f"{COLLECTIONS}$", after_commit=True)
    world.push()
    world.push()
    rows = world.emulator.query(world.org.org_id, "SELECT Id, Title FROM Lead")
    assert len(rows) == len(titles)
    linked = {row["Title"] for row in rows for p in world.people() if p.leading_remote_id == row["Id"]}
    assert linked == {"Clerk", "Queen"}
    assert [(e.category, e.state) for e in world.live_errors()] == [("ambiguous_match", "blocked")] * 2


# -- F45, F46 ---------------------------------------------------------------------------------------------------


def test_f45_org_that_rewrites_what_we_write_is_followed_once_and_then_left_alone(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.emulator.add_trigger(world.org.org_id, "Lead", "LastName", "upper")
    world.emulator.add_trigger(world.org.org_id, "Lead", "FirstName", "trim")
    world.emulator.add_trigger(world.org.org_id, "Lead", "Title", "cut", length=4)
    world.emulator.add_trigger(world.org.org_id, "Lead", "Phone", "set", value="+1")
    world.edit(person, last_name="de la Tour", first_name="Ada  Maria", title="Countess", phone="07")
    world.push()
    world.poll()
    row = world.row("Lead", lead, "LastName", "FirstName", "Title", "Phone")
    assert list(row.values())[1:] == ["DE LA TOUR", "Ada Maria", "Coun", "+1"]
    now = world.person(lead)
    assert [now.last_name, now.first_name, now.title, now.phone] == list(row.values())[1:]
    calls, version = _writing_calls(world), now.version
    for _ in range(3):
        world.push()
        world.poll()
    assert (_writing_calls(world), world.person(lead).version) == (calls, version)
    assert _settled(world)


def test_f45_number_that_the_org_rounds_is_followed_once(world: World) -> None:
    world.both_ways("Account")
    account = world.emulator.create(world.org.org_id, "Account", Name="Acme", AnnualRevenue=10)
    world.sync()
    world.emulator.add_trigger(world.org.org_id, "Account", "AnnualRevenue", "round", digits=0)
    company_id = world.link(account).company_id
    assert company_id is not None
    with tenant_transaction(world.tenant_id):
        Company.objects.filter(id=company_id).update(annual_revenue="12.75", version=F("version") + 1)
        now = timezone.now()
        queue_change(local_type="company", local_id=company_id, fields=["annual_revenue"], origin="user", at=now)
    world.push()
    world.poll()
    assert world.row("Account", account, "AnnualRevenue")["AnnualRevenue"] == 13
    calls = _writing_calls(world)
    for _ in range(3):
        world.push()
        world.poll()
    assert _writing_calls(world) == calls
    assert _settled(world)


def test_f46_automation_that_changes_our_value_back_is_named_after_three_times(two_way: World) -> None:
    world = two_way
    with tenant_transaction(world.tenant_id):
        FieldMapping.objects.filter(step__sobject="Lead", local_field="title").update(way_in="off")
    lead, person = _ada(world, Title="Clerk")
    world.emulator.add_trigger(world.org.org_id, "Lead", "Title", "flip", values=["Clerk", "Typist"])
    world.edit(person, title="Countess")
    for _ in range(8):
        world.push()
        world.emulator.shift_clock(world.org.org_id, 60)
        world.poll()
    written = _writing_calls(world)
    assert 2 <= written <= 5
    (error,) = world.live_errors()
    assert error.category == "changed_back"
    assert world.person(lead).title == "Countess"
    for _ in range(3):
        world.push()
        world.poll()
    assert _writing_calls(world) == written
    world.edit(world.person(lead), last_name="Lovelace")
    world.push()
    assert world.row("Lead", lead, "LastName")["LastName"] == "Lovelace", "only the one field is left alone"


# -- F47 --------------------------------------------------------------------------------------------------------


def test_f47_row_deleted_at_the_moment_of_writing_is_news_and_no_failure(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.edit(person, last_name="Lovelace")
    act = {"org": world.org.org_id, "verb": "delete", "sobject": "Lead", "id": lead}
    world.emulator.before(COLLECTIONS + "$", act, method="PATCH")
    world.push()
    world.push()
    assert [found.is_active for found in world.people()] == [False]
    assert not world.link(lead).is_live
    assert world.emulator.query(world.org.org_id, "SELECT Id FROM Lead", include_deleted=False) == []
    assert _settled(world)


def test_f47_lead_converted_at_the_moment_of_writing_is_followed_to_its_contact(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.edit(person, last_name="Lovelace")
    world.emulator.before(COLLECTIONS + "$", {"org": world.org.org_id, "verb": "convert", "id": lead}, method="PATCH")
    world.push()
    world.push()
    world.poll()
    row = world.row("Lead", lead, "LastName", "ConvertedContactId")
    assert row["LastName"] == "Byron"
    assert world.link(row["ConvertedContactId"]).person_id == person.pk
    assert [(found.pk, found.is_active) for found in world.people()] == [(person.pk, True)]
    assert _settled(world)


# -- F48 --------------------------------------------------------------------------------------------------------


def _typed_in_the_gap(world: World, lead: str, path: str, **values: str) -> None:
    act = {"org": world.org.org_id, "verb": "update", "sobject": "Lead", "id": lead, "values": values}
    world.emulator.before(path, act)


@pytest.mark.parametrize(("winner", "kept"), [("remote", "King"), ("local", "Lovelace")])
def test_f48_one_record_is_judged_again_where_somebody_typed_between_read_and_write(
    two_way: World, winner: str, kept: str
) -> None:
    world = two_way
    world.both_ways("Lead", winner=winner)
    lead, person = _ada(world)
    world.edit(person, last_name="Lovelace")
    _typed_in_the_gap(world, lead, "/composite$", LastName="King", Title="Countess")
    world.sync_now(person)
    assert world.row("Lead", lead, "LastName")["LastName"] == world.person(lead).last_name == kept
    assert world.person(lead).title == "Countess"
    values = {text for line in _history(world) for text in (line["before"], line["after"], line.get("lost"))}
    assert {"King", "Lovelace"} <= values
    assert _settled(world)


def test_f48_by_the_hundred_only_our_own_fields_are_written_over_in_the_gap(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world)
    world.edit(person, last_name="Lovelace")
    gap = f"{COLLECTIONS}$"
    _typed_in_the_gap(world, lead, gap, LastName="King", Title="Countess")
    run = world.push()
    assert isinstance(run, SyncRun)
    world.poll()
    row = world.row("Lead", lead, "LastName", "Title")
    assert (row["LastName"], row["Title"]) == ("Lovelace", "Countess")
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Countess")
    assert _history(world) == [{"before": "Byron", "after": "Lovelace", "rule": "local_moved"}]
    assert _settled(world)


# -- F49 --------------------------------------------------------------------------------------------------------


def test_f49_blank_clears_where_it_may_and_a_text_of_theirs_that_looks_like_it_clears_nothing(two_way: World) -> None:
    world = two_way
    world.settings(blank_out=True)
    lead, person = _ada(world, Phone="1", Title="Clerk")
    world.edit(person, title="")
    world.push()
    assert world.row("Lead", lead, "Title", "Phone") == {"Id": lead, "Title": None, "Phone": "1"}
    for text in ("#N/A", "N/A", "null"):
        world.edit(person, title=text)
        world.push()
        assert world.row("Lead", lead, "Title")["Title"] == text
        world.poll()
        assert world.person(lead).title == text
    assert _settled(world)


def test_f49_blank_is_held_back_where_it_may_not_go(two_way: World) -> None:
    world = two_way
    lead, person = _ada(world, Title="Clerk")
    world.edit(person, title="")
    world.push()
    world.poll()
    assert world.row("Lead", lead, "Title")["Title"] == "Clerk"
    assert _settled(world)


def test_f49_text_that_looks_like_a_blank_comes_in_by_bulk_as_text(world: World) -> None:
    texts = ["#N/A", "N/A", "#n/a", "null", '"', "a,b", "line\nbreak"]
    leads = {world.lead(Email=f"ada{number}@example.com", Title=text): text for number, text in enumerate(texts)}
    world.sync()
    assert {person.leading_remote_id: person.title for person in world.people()} == leads


# -- F50 --------------------------------------------------------------------------------------------------------


def test_f50_record_that_fails_every_call_it_is_in_is_found_and_the_others_pass(two_way: World) -> None:
    world = two_way
    leads = _leads(world, 60)
    poison = {leads[0], leads[41]}
    _rename_all(world, {lead: f"{'Poison' if lead in poison else 'New'} {n}" for n, lead in enumerate(leads)})
    body = [{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}]
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", body_has="Poison", status=500, body=body, times=10_000)
    world.push()
    names = _names(world)
    assert {lead for lead in leads if names[lead].startswith("New ")} == set(leads) - poison
    assert {(error.remote_id, error.state) for error in world.live_errors()} == {(lead, "retrying") for lead in poison}
    for _ in range(2):
        world.push()
    assert {(error.remote_id, error.state) for error in world.live_errors()} == {(lead, "blocked") for lead in poison}
    assert Counter(change.state for change in world.waiting()) == {"held": 2}
    calls = _writing_calls(world)
    world.push()
    assert _writing_calls(world) == calls


def test_f50_outage_of_writing_costs_few_calls_and_counts_for_no_record(two_way: World) -> None:
    world = two_way
    leads = _leads(world, 60)
    _rename_all(world, {lead: f"New {number}" for number, lead in enumerate(leads)})
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", status=503, body="", times=6)
    world.push()
    assert _writing_calls(world) <= 6
    world.push()
    world.push()
    assert _settled(world)
    names = _names(world)
    assert all(names[lead].startswith("New ") for lead in leads)
