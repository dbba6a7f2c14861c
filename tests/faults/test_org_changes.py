"""F30 to F36: fields, objects and rows that the org hides, deletes, returns, merges, converts or gives another kind."""

import pytest

from apps.audience.models import Person
from apps.field_mappings.models import FieldMapping
from apps.integrations.metadata import refresh_metadata
from apps.sync.models import RunState, SyncRun, WriteIntent
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World


def _paused(world: World) -> dict[str, str]:
    """Reasons of mappings that are out of use, by their remote field, of leads."""
    with tenant_transaction(world.tenant_id):
        rows = FieldMapping.objects.filter(step__sobject="Lead").exclude(paused_reason="")
        return dict(rows.values_list("remote_field", "paused_reason"))


# -- F30 --------------------------------------------------------------------------------------------------------


def test_f30_field_that_is_hidden_before_a_look_stops_its_mapping_only_and_blanks_nothing(world: World) -> None:
    lead = world.lead(LastName="Byron", Title="Countess", Email="ada@example.com")
    world.sync()
    world.later(60)
    world.emulator.hide(world.org.org_id, "Lead.Title")
    world.change("Lead", lead, LastName="Lovelace")
    world.poll()
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Countess")
    assert _paused(world).keys() == {"Title"}
    world.emulator.hide(world.org.org_id)
    world.change("Lead", lead, Title="Analyst")
    refresh_metadata(world.tenant_id, world.connection.pk)
    world.poll()
    assert world.person(lead).title == "Analyst"
    assert _paused(world) == {}


@pytest.mark.parametrize("path", ["/jobs/query$", "/jobs/query/[^/]+/results$"])
def test_f30_field_that_is_hidden_during_a_full_sync_blanks_nothing(world: World, path: str) -> None:
    lead = world.lead(LastName="Byron", Title="Countess", Email="ada@example.com")
    world.sync()
    world.later(60)
    world.change("Lead", lead, LastName="Lovelace")
    world.emulator.before(path, {"org": world.org.org_id, "verb": "hide", "fields": ["Lead.Title"]})
    run = world.sync()
    assert run.state == RunState.COMPLETED, run.failure
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Countess")


@pytest.mark.parametrize("verb", ["hide", "protect"])
def test_f30_field_that_is_hidden_before_a_write_stops_its_mapping_only(two_way: World, verb: str) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="Countess", Email="ada@example.com")
    world.sync()
    world.later(60)
    getattr(world.emulator, verb)(world.org.org_id, "Lead.Title")
    world.edit(world.person(lead), last_name="Lovelace", title="Analyst")
    for _ in range(3):
        world.push()
    row = world.emulator.query(world.org.org_id, "SELECT LastName, Title FROM Lead")[0]
    assert (row["LastName"], row["Title"]) == ("Lovelace", "Countess")
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Analyst")


# -- F31, F32 ---------------------------------------------------------------------------------------------------


def test_f31_object_that_is_taken_from_sight_deactivates_nobody_and_the_others_go_on(world: World) -> None:
    lead, contact = world.lead(LastName="Byron"), world.contact(LastName="King")
    world.sync()
    world.later(60)
    world.emulator.hide(world.org.org_id, "Lead")
    world.change("Contact", contact, LastName="Lovelace")
    world.poll()
    assert world.person(contact).last_name == "Lovelace"
    world.sweep()
    assert all(person.is_active for person in world.people())
    assert world.link(lead).is_live
    world.emulator.hide(world.org.org_id)
    world.change("Lead", lead, LastName="Milbanke")
    refresh_metadata(world.tenant_id, world.connection.pk)
    world.poll()
    assert world.person(lead).last_name == "Milbanke"


def test_f31_rows_that_come_back_into_sight_end_the_question(world: World) -> None:
    leads = [world.lead(LastName=f"Name {n}") for n in range(50)]
    world.sync()
    world.emulator.hide_rows(world.org.org_id, *leads[:25])
    world.sweep()
    assert [error.category for error in world.live_errors()] == ["rows_out_of_sight"]
    world.emulator.hide_rows(world.org.org_id, *leads[:25], visible=True)
    world.sweep()
    assert world.live_errors() == []
    assert all(person.is_active for person in world.people())


def test_f32_rows_purged_before_we_looked_are_asked_for_by_id_and_only_then_deactivated(world: World) -> None:
    leads = [world.lead(LastName=f"Name {n}") for n in range(6)]
    world.sync()
    for lead in leads[:2]:
        world.emulator.delete(world.org.org_id, "Lead", lead)
        world.emulator.purge(world.org.org_id, "Lead", lead)
    run = world.sweep()
    asked = [call for call in world.emulator.calls("/queryAll", world.org.org_id) if leads[0] in call["query"]]
    assert asked
    assert [world.link(lead).is_live for lead in leads] == [False] * 2 + [True] * 4
    assert sorted(p.last_name for p in world.people() if not p.is_active) == ["Name 0", "Name 1"]
    assert len(world.entries(run, "deactivated")) == 2


# -- F33, F34 ---------------------------------------------------------------------------------------------------


def test_f33_row_that_is_undeleted_is_the_same_record_with_the_same_link(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    world.sync()
    person = world.person(lead)
    world.emulator.delete(world.org.org_id, "Lead", lead)
    world.poll()
    assert not world.people()[0].is_active
    world.later(60)
    world.emulator.undelete(world.org.org_id, "Lead", lead)
    world.change("Lead", lead, LastName="Lovelace")
    run = world.poll()
    found = world.people()
    assert [(p.pk, p.is_active, p.last_name) for p in found] == [(person.pk, True, "Lovelace")]
    assert (world.link(lead).is_live, world.link(lead).is_leading) == (True, True)
    assert len(world.entries(run, "reactivated")) == 1
    world.edit(person, last_name="King")
    world.push()
    assert world.row("Lead", lead, "LastName")["LastName"] == "King"


@pytest.mark.parametrize("out", ["winner", "loser"])
def test_f34_merged_rows_leave_one_person_the_strictest_consent_and_every_value_in_the_log(
    two_way: World, out: str
) -> None:
    world = two_way
    winner = world.lead(LastName="Byron", Email="w@example.com", HasOptedOutOfEmail=out == "winner")
    loser = world.lead(LastName="Lovelace", Email="l@example.com", Phone="+44", HasOptedOutOfEmail=out == "loser")
    world.sync()
    kept, gone = world.person(winner), world.person(loser)
    world.later(60)
    world.emulator.merge(world.org.org_id, "Lead", winner, loser)
    run = world.poll()
    people = {person.pk: person for person in world.people()}
    assert (people[kept.pk].is_active, people[gone.pk].is_active) == (True, False)
    assert people[kept.pk].email_opt_out
    assert (world.link(loser).person_id, world.link(loser).is_live) == (kept.pk, False)
    noted = {entry.local_id: entry.changes for entry in world.entries(run, "merged")}
    assert noted[gone.pk]["last_name"]["before"] == "Lovelace"  # type: ignore[index]  # an entry with values
    world.push()
    world.poll()
    assert world.row("Lead", winner, "HasOptedOutOfEmail", "Phone") == {
        "Id": winner, "HasOptedOutOfEmail": True, "Phone": "+44",
    }  # fmt: skip
    assert world.waiting() == []


# -- F35 --------------------------------------------------------------------------------------------------------


def test_f35_lead_converted_between_read_and_write_is_never_written_to(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Email="ada@example.com", FirstName="Ada")
    world.sync()
    person = world.person(lead)
    world.later(60)
    world.edit(person, first_name="Augusta")
    world.emulator.before("/composite$", {"org": world.org.org_id, "verb": "convert", "id": lead})
    assert world.sync_now(person).state == RunState.COMPLETED
    world.push()
    row = world.row("Lead", lead, "FirstName", "ConvertedContactId")
    assert row["FirstName"] == "Ada"
    assert world.link(row["ConvertedContactId"]).person_id == person.pk
    assert [(p.pk, p.is_active) for p in world.people()] == [(person.pk, True)]
    with tenant_transaction(world.tenant_id):
        assert not WriteIntent.objects.filter(closed_at__isnull=True).exists()


# -- F36 --------------------------------------------------------------------------------------------------------


def _one_push(world: World, person: Person, **values: str) -> SyncRun:
    world.edit(person, **values)
    run = world.push()
    assert run is not None
    return run


@pytest.mark.parametrize("is_known", [False, True])
def test_f36_field_that_became_shorter_blocks_the_rows_that_do_not_fit(two_way: World, is_known: bool) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="Lady", Email="ada@example.com")
    world.sync()
    world.emulator.change_field(world.org.org_id, "Lead.Title", length=10)
    if is_known:
        refresh_metadata(world.tenant_id, world.connection.pk)
    calls = world.writes()
    _one_push(world, world.person(lead), title="Countess of Lovelace")
    (error,) = world.live_errors()
    assert (error.category, error.state, error.field) == ("too_long", "blocked", "Title")
    assert world.writes() - calls == (1 if is_known else 2), "what is known not to fit is not sent"
    assert world.row("Lead", lead, "Title")["Title"] == "Lady"
    _one_push(world, world.person(lead), title="Countess")
    assert world.row("Lead", lead, "Title")["Title"] == "Countess"
    assert world.live_errors() == []


def test_f36_picklist_that_lost_a_value_blocks_the_rows_that_hold_it(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="Lady", Email="ada@example.com")
    world.sync()
    facts = {"type": "picklist", "values": ["Lady", "Lord"], "restricted": True}
    world.emulator.change_field(world.org.org_id, "Lead.Title", **facts)
    refresh_metadata(world.tenant_id, world.connection.pk)
    _one_push(world, world.person(lead), title="Duke")
    (error,) = world.live_errors()
    assert (error.category, error.state, error.field) == ("restricted_picklist", "blocked", "Title")
    assert "Duke" in error.message


def test_f36_field_that_became_a_number_blocks_the_rows_whose_text_is_none(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="5", Email="ada@example.com")
    other = world.lead(LastName="Babbage", Title="6", Email="charles@example.com")
    world.sync()
    world.emulator.change_field(world.org.org_id, "Lead.Title", type="double")
    refresh_metadata(world.tenant_id, world.connection.pk)
    world.edit(world.person(lead), title="Duke")
    world.edit(world.person(other), title="7")
    world.push()
    assert world.row("Lead", other, "Title")["Title"] == 7
    (error,) = world.live_errors()
    assert (error.category, error.state, error.field) == ("invalid_value", "blocked", "Title")
    assert "Duke" in error.message
