"""F39 to F42, F50: rows, calls and batches that Salesforce refuses when we write."""

from collections import Counter
from typing import Any

from django.utils import timezone

from tests.faults.writes import (
    COLLECTIONS,
    ada,
    is_settled,
    last_names,
    many_leads,
    open_intents,
    rename_all,
    writing_calls,
)
from tests.sync.world import World

# -- F39 --------------------------------------------------------------------------------------------------------


def test_f39_every_row_of_a_batch_is_done_or_named_with_its_field_and_its_words(two_way: World) -> None:
    world = two_way
    leads = many_leads(world, 200)
    bad = set(leads[::5][:37])
    world.emulator.add_validation_rule(world.org.org_id, "Lead", "LastName", "^No ", "Names do not begin with No.")
    rename_all(world, {lead: f"{'No' if lead in bad else 'New'} {number}" for number, lead in enumerate(leads)})
    before = world.writes()
    run = world.push()
    assert run is not None
    assert world.writes() - before == 2  # one call reads, one writes
    assert world.counts(run)["person"] == (0, 163, 0, 0, 37)
    names = last_names(world)
    assert {lead for lead in leads if names[lead].startswith("New ")} == set(leads) - bad
    errors = world.live_errors()
    assert {error.remote_id for error in errors} == bad
    assert {(e.category, e.state, e.field, e.message, e.way) for e in errors} == {
        ("validation_rule", "blocked", "LastName", "Names do not begin with No.", "out")
    }
    assert Counter(change.state for change in world.waiting()) == {"held": 37}
    assert len(world.entries(run, "written")) == 163
    assert len(world.entries(run, "failed")) == 37
    assert open_intents(world) == 0


# -- F41 --------------------------------------------------------------------------------------------------------


def test_f41_rows_that_are_locked_go_again_in_small_batches_and_nobody_is_asked(two_way: World) -> None:
    world = two_way
    leads = many_leads(world, 60)
    locked = leads[::5]
    world.emulator.lock_rows(world.org.org_id, *locked, times=1)
    rename_all(world, {lead: f"New {number}" for number, lead in enumerate(leads)})
    run = world.push()
    assert run is not None
    assert world.counts(run)["person"][1] == 48
    waits = world.live_errors()
    assert {error.state for error in waits} == {"retrying"}
    assert all(error.next_attempt_at is not None for error in waits)
    assert all((e.next_attempt_at - timezone.now()).total_seconds() <= 3600 for e in waits if e.next_attempt_at)
    assert {change.state for change in world.waiting()} == {"waiting"}
    before = writing_calls(world)
    world.push()
    assert writing_calls(world) - before == 2  # twelve rows, ten a call
    names = last_names(world)
    assert all(names[lead].startswith("New ") for lead in leads)
    assert is_settled(world)


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
    rename_all(world, dict.fromkeys(leads, "King"))
    answer = [_refusal(code, message, fields) for code, (_, message, fields) in REFUSALS.items()]
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", status=200, body=answer)
    world.push()
    found = {error.remote_id: error for error in world.live_errors()}
    assert {
        code: (found[lead].category, found[lead].message, found[lead].field)
        for code, lead in zip(REFUSALS, leads, strict=True)
    } == {code: (category, message, ", ".join(fields)) for code, (category, message, fields) in REFUSALS.items()}
    assert {(e.state, e.record_label, e.next_attempt_at) for e in found.values()} == {("blocked", "Ada King", None)}
    calls = writing_calls(world)
    world.push()
    world.poll()
    world.push()
    assert writing_calls(world) == calls, "nothing has changed on either side"
    rename_all(world, dict.fromkeys(leads, "Lovelace"))
    world.push()
    assert set(last_names(world).values()) == {"Lovelace"}
    assert is_settled(world)


def test_f42_change_on_their_side_has_a_refused_row_tried_again(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.edit(person, last_name="King")
    _refuse(world, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "A title is needed.", ["Title"])
    world.push()
    world.change("Lead", lead, Title="Countess")
    world.poll()
    assert world.person(lead).title == "Countess"
    world.push()
    assert world.row("Lead", lead, "LastName")["LastName"] == "King"
    assert is_settled(world)


def test_f42_refused_row_that_is_set_right_on_their_side_is_done_with(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.edit(person, last_name="King")
    _refuse(world, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Names are for managers.", ["LastName"])
    world.push()
    calls = writing_calls(world)
    world.change("Lead", lead, LastName="King")
    world.poll()
    world.push()
    assert writing_calls(world) == calls
    assert is_settled(world)


def test_f42_refused_row_is_tried_again_by_the_button(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.edit(person, last_name="King")
    _refuse(world, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not on Tuesdays.", [])
    world.push()
    world.sync_now(person)
    assert world.row("Lead", lead, "LastName")["LastName"] == "King"
    assert is_settled(world)


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


# -- F50 --------------------------------------------------------------------------------------------------------


def test_f50_record_that_fails_every_call_it_is_in_is_found_and_the_others_pass(two_way: World) -> None:
    world = two_way
    leads = many_leads(world, 60)
    poison = {leads[0], leads[41]}
    rename_all(world, {lead: f"{'Poison' if lead in poison else 'New'} {n}" for n, lead in enumerate(leads)})
    body = [{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}]
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", body_has="Poison", status=500, body=body, times=10_000)
    world.push()
    names = last_names(world)
    assert {lead for lead in leads if names[lead].startswith("New ")} == set(leads) - poison
    assert {(error.remote_id, error.state) for error in world.live_errors()} == {(lead, "retrying") for lead in poison}
    for _ in range(2):
        world.push()
    assert {(error.remote_id, error.state) for error in world.live_errors()} == {(lead, "blocked") for lead in poison}
    assert Counter(change.state for change in world.waiting()) == {"held": 2}
    calls = writing_calls(world)
    world.push()
    assert writing_calls(world) == calls


def test_f50_outage_of_writing_costs_few_calls_and_counts_for_no_record(two_way: World) -> None:
    world = two_way
    leads = many_leads(world, 60)
    rename_all(world, {lead: f"New {number}" for number, lead in enumerate(leads)})
    world.emulator.fault(COLLECTIONS + "$", method="PATCH", status=503, body="", times=6)
    world.push()
    assert writing_calls(world) <= 6
    world.push()
    world.push()
    assert is_settled(world)
    names = last_names(world)
    assert all(names[lead].startswith("New ") for lead in leads)
