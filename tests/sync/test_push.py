"""Pushes: changes here arrive in Salesforce, only what differs is written, and nobody's work is lost."""

import pytest

from apps.field_mappings.models import FieldMapping
from apps.sync.due import begin_due_push
from apps.sync.models import WriteIntent
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World


@pytest.fixture
def two_way(world: World) -> World:
    world.both_ways("Lead", "Contact")
    world.settings(syncs_enabled=True)
    return world


def test_a_change_here_arrives_there_and_only_that_field_is_written(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", FirstName="Ada", LastName="Byron", Phone="1")
    world.sync()
    world.edit(world.person(lead), last_name="Lovelace")
    run = world.push()
    assert run is not None
    assert world.row("Lead", lead, "LastName", "Phone") == {"Id": lead, "LastName": "Lovelace", "Phone": "1"}
    assert world.waiting() == []
    entry = world.entries(run, "written")[0]
    assert entry.changes == {"last_name": {"before": "Byron", "after": "Lovelace", "rule": "local_moved"}}
    with tenant_transaction(world.tenant_id):
        intent = WriteIntent.objects.get()
    assert (intent.values, intent.outcome) == ({"LastName": "Lovelace"}, "written")


def test_our_own_write_comes_back_as_no_news(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    world.edit(world.person(lead), last_name="Lovelace")
    world.push()
    version = world.person(lead).version
    run = world.poll()
    assert world.counts(run)["Lead"][1] == 0
    assert world.person(lead).version == version
    assert world.waiting() == []


def test_what_a_user_there_typed_a_second_ago_is_kept_beside_our_change(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", FirstName="Ada", LastName="Byron")
    world.sync()
    world.edit(world.person(lead), last_name="Lovelace")
    world.change("Lead", lead, FirstName="Augusta")
    world.push()
    row = world.row("Lead", lead, "FirstName", "LastName")
    assert (row["FirstName"], row["LastName"]) == ("Augusta", "Lovelace")
    assert world.person(lead).first_name == "Augusta"


@pytest.mark.parametrize(("winner", "kept"), [("remote", "King"), ("local", "Lovelace")])
def test_a_conflict_has_the_winner_that_the_mapping_names_and_the_loser_is_in_the_log(
    two_way: World, winner: str, kept: str
) -> None:
    world = two_way
    world.both_ways("Lead", winner=winner)
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    world.edit(world.person(lead), last_name="Lovelace")
    world.change("Lead", lead, LastName="King")
    run = world.push()
    assert run is not None
    assert world.row("Lead", lead, "LastName")["LastName"] == world.person(lead).last_name == kept
    entries = world.entries(run, "updated") + world.entries(run, "written")
    assert {line["lost"] for entry in entries for line in (entry.changes or {}).values()} == {"King", "Lovelace"} - {
        kept
    }


def test_a_new_person_becomes_a_lead_once(two_way: World) -> None:
    world = two_way
    world.sync()
    person = world.add_person(email="new@example.com", first_name="Nia", company_name="Acme")
    run = world.push()
    assert run is not None
    rows = world.emulator.query(
        world.org.org_id, "SELECT Id, LastName, FirstName, Company FROM Lead WHERE Email = 'new@example.com'"
    )
    assert [(row["LastName"], row["FirstName"], row["Company"]) for row in rows] == [("Unknown", "Nia", "Acme")]
    assert world.link(rows[0]["Id"]).person_id == person.pk
    world.edit(person, first_name="Niamh")
    world.push()
    world.poll()
    assert len(world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE Email = 'new@example.com'")) == 1
    assert [p.pk for p in world.people()] == [person.pk]


def test_a_person_whom_salesforce_has_already_is_linked_instead_of_made(two_way: World) -> None:
    world = two_way
    world.sync()
    contact = world.contact(Email="known@example.com", LastName="Known", FirstName="Kim")
    person = world.add_person(email="known@example.com", last_name="Known")
    world.push()
    assert world.link(contact).person_id == person.pk
    assert world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE Email = 'known@example.com'") == []
    assert world.people()[0].first_name == "Kim"


def test_an_opt_out_here_is_told_there_whatever_the_mappings_say(world: World) -> None:
    world.settings(syncs_enabled=True)
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    world.edit(world.person(lead), email_opt_out=True)
    world.push()
    assert world.row("Lead", lead, "HasOptedOutOfEmail")["HasOptedOutOfEmail"] is True
    world.change("Lead", lead, HasOptedOutOfEmail=False)
    world.poll()
    world.push()
    assert world.row("Lead", lead, "HasOptedOutOfEmail")["HasOptedOutOfEmail"] is True
    world.change("Lead", lead, HasOptedOutOfEmail=False)
    world.poll()
    world.push()
    assert world.row("Lead", lead, "HasOptedOutOfEmail")["HasOptedOutOfEmail"] is False
    assert [error.category for error in world.live_errors()] == ["opt_out_unticked"]


def test_nothing_leaves_while_syncs_are_off_and_everything_when_they_are_on_again(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    world.settings(syncs_enabled=False)
    world.edit(world.person(lead), last_name="King")
    world.edit(world.person(lead), last_name="Lovelace")
    assert world.push() is None
    assert [change.generation for change in world.waiting()] == [2]
    world.settings(syncs_enabled=True)
    assert world.push() is not None
    assert world.row("Lead", lead, "LastName")["LastName"] == "Lovelace"


def test_one_bad_row_never_blocks_its_batch(two_way: World) -> None:
    world = two_way
    leads = [world.lead(Email=f"p{n}@example.com", LastName=f"Name {n}") for n in range(5)]
    world.sync()
    for number, lead in enumerate(leads):
        world.edit(world.person(lead), last_name="x" * 200 if number == 2 else f"New {number}")
    world.push()
    names = [world.row("Lead", lead, "LastName")["LastName"] for lead in leads]
    assert names == ["New 0", "New 1", "Name 2", "New 3", "New 4"]
    errors = world.live_errors()
    assert [(error.category, error.state, error.way) for error in errors] == [("too_long", "blocked", "out")]
    assert [change.state for change in world.waiting()] == ["held"]
    world.edit(world.person(leads[2]), last_name="Short")
    world.push()
    assert world.row("Lead", leads[2], "LastName")["LastName"] == "Short"
    assert world.live_errors() == []


def test_a_row_deleted_there_is_not_made_again(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    person = world.person(lead)
    world.emulator.delete(world.org.org_id, "Lead", lead)
    world.edit(person, last_name="Lovelace")
    world.push()
    assert world.waiting() == []
    assert not world.people()[0].is_active
    assert world.emulator.query(world.org.org_id, "SELECT Id FROM Lead", include_deleted=False) == []


def test_a_change_of_a_lead_that_was_converted_goes_to_its_contact(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", LastName="Byron", FirstName="Ada")
    world.sync()
    person = world.person(lead)
    contact = world.emulator.convert(world.org.org_id, lead)["contactId"]
    world.edit(person, first_name="Augusta")
    world.push()
    assert world.link(contact).person_id == person.pk
    assert world.row("Lead", lead, "FirstName")["FirstName"] == "Ada"
    assert [p.pk for p in world.people() if p.is_active] == [person.pk]


def test_sync_now_goes_both_ways_at_once(two_way: World) -> None:
    world = two_way
    lead = world.lead(Email="ada@example.com", FirstName="Ada", LastName="Byron")
    world.sync()
    world.change("Lead", lead, FirstName="Augusta")
    person = world.person(lead)
    world.edit(person, last_name="Lovelace")
    run = world.sync_now(person)
    assert run.state == "completed"
    row = world.row("Lead", lead, "FirstName", "LastName")
    assert (row["FirstName"], row["LastName"]) == ("Augusta", "Lovelace")
    assert world.person(lead).first_name == "Augusta"
    world.change("Lead", lead, FirstName="Ada")
    world.sync_now(person)
    assert world.person(lead).first_name == "Ada"


def test_a_field_that_is_mapped_while_a_push_is_open_goes_out_with_it(two_way: World) -> None:
    """Found by histories (level 2, seed 7106): a push that broke off went on with the mappings that it had begun with,
    and was done with a change of a field that they did not know."""
    world = two_way
    lead = world.lead(Email="ada@example.com", LastName="Byron", Phone="1")
    world.sync()
    with tenant_transaction(world.tenant_id):
        mappings = FieldMapping.objects.filter(step__sobject="Lead", local_field="phone")
        kept = list(mappings)
        mappings.delete()
    world.edit(world.person(lead), last_name="Lovelace")
    assert kept
    assert begin_due_push(world.tenant_id) is not None
    with tenant_transaction(world.tenant_id):
        FieldMapping.objects.bulk_create(kept)
    world.edit(world.person(lead), phone="2")
    world.push()
    assert world.row("Lead", lead, "LastName", "Phone") == {"Id": lead, "LastName": "Lovelace", "Phone": "2"}
    assert world.waiting() == []
