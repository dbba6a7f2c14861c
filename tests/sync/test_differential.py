"""Differential syncs: everything that happens to rows in Salesforce arrives, and nothing else moves."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.sync.models import RecordLink, Watermark
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World


def covered(world: World) -> dict[str, object]:
    with tenant_transaction(world.tenant_id):
        return dict(Watermark.objects.values_list("sobject", "covered_to"))


def test_a_changed_row_and_a_new_one_arrive(world: World) -> None:
    lead = world.lead(Email="ada@example.com", FirstName="Ada", LastName="Byron")
    world.sync()
    world.change("Lead", lead, LastName="Lovelace")
    new = world.lead(Email="grace@example.com", LastName="Hopper")
    run = world.poll()
    assert world.person(lead).last_name == "Lovelace"
    assert world.person(new).email == "grace@example.com"
    assert world.counts(run)["Lead"][:2] == (1, 1)


def test_a_second_sync_finds_only_what_the_look_back_shows_again(world: World) -> None:
    world.lead(LastName="Byron")
    world.sync()
    world.poll()
    version = world.people()[0].version
    run = world.poll()
    assert world.counts(run)["Lead"][:2] == (0, 0)
    assert world.people()[0].version == version


def test_an_idle_sync_costs_two_calls(world: World) -> None:
    world.lead(LastName="Byron")
    world.sync()
    world.emulator.shift_clock(world.org.org_id, 3600)
    world.poll()
    world.emulator.shift_clock(world.org.org_id, 3600)
    before = len(world.emulator.calls("/services/data/", world.org.org_id))
    run = world.poll()
    assert len(world.emulator.calls("/services/data/", world.org.org_id)) - before == 2
    assert world.counts(run) == {}


def test_the_watermark_follows_org_time_and_never_ours(world: World) -> None:
    world.lead(LastName="Byron")
    world.sync()
    world.emulator.shift_clock(world.org.org_id, 86_400)
    before = covered(world)["Lead"]
    world.poll()
    after = covered(world)["Lead"]
    assert after - before > timedelta(hours=23)  # type: ignore[operator]  # both are moments


def test_a_deleted_row_deactivates_its_record_and_an_undelete_brings_it_back(world: World) -> None:
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    world.sync()
    person = world.person(lead)
    world.emulator.delete(world.org.org_id, "Lead", lead)
    world.poll()
    assert (world.people()[0].is_active, world.link(lead).is_live) == (False, False)
    world.emulator.undelete(world.org.org_id, "Lead", lead)
    world.poll()
    back = world.people()[0]
    assert (back.pk, back.is_active, world.link(lead).is_live) == (person.pk, True, True)
    assert len(world.people()) == 1


def test_a_merge_makes_two_people_one_and_drops_nothing(world: World) -> None:
    winner = world.lead(LastName="Byron", Email="winner@example.com", Phone="")
    loser = world.lead(LastName="Lovelace", Email="loser@example.com", Phone="+44 1", HasOptedOutOfEmail=True)
    world.sync()
    kept, gone = world.person(winner), world.person(loser)
    world.emulator.merge(world.org.org_id, "Lead", winner, loser)
    world.poll()
    people = {person.pk: person for person in world.people()}
    assert (people[kept.pk].is_active, people[gone.pk].is_active) == (True, False)
    assert people[kept.pk].email_opt_out
    assert world.link(loser).person_id == kept.pk
    assert not world.link(loser).is_live


def test_somebody_whose_rows_are_gone_lives_on_with_those_that_a_merge_brings(world: World) -> None:
    """Found by histories, seed 940018308."""
    winner = world.lead(LastName="Byron", Email="winner@example.com")
    loser, second = (world.lead(LastName="Lovelace", Email="loser@example.com") for _ in range(2))
    world.sync()
    kept, gone = world.person(winner), world.person(loser)
    world.emulator.merge(world.org.org_id, "Lead", winner, loser)
    world.emulator.delete(world.org.org_id, "Lead", winner)
    world.sync_now(kept)
    assert [person.pk for person in world.people() if not person.is_active] == [kept.pk]
    world.poll()
    assert [person.pk for person in world.people() if not person.is_active] == [gone.pk]
    assert world.link(second).person_id == kept.pk


def test_a_merge_of_one_that_is_here_into_one_that_is_not_moves_the_link(world: World) -> None:
    loser = world.lead(LastName="Lovelace", Email="loser@example.com")
    world.sync()
    person = world.person(loser)
    winner = world.lead(LastName="Byron", Email="winner@example.com")
    world.emulator.merge(world.org.org_id, "Lead", winner, loser)
    world.poll()
    assert world.link(winner).person_id == person.pk
    assert [p.last_name for p in world.people()] == ["Byron"]


def test_a_converted_lead_goes_on_as_its_contact(world: World) -> None:
    lead = world.lead(LastName="Byron", FirstName="Ada", Email="ada@example.com")
    world.sync()
    person = world.person(lead)
    contact = world.emulator.convert(world.org.org_id, lead)["contactId"]
    world.poll()
    assert [(p.pk, p.is_active, p.leading_remote_id) for p in world.people()] == [(person.pk, True, contact)]
    assert not world.link(lead).is_live


def test_an_opt_out_arrives_and_an_update_does_not_take_it_back(world: World) -> None:
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    world.sync()
    world.change("Lead", lead, HasOptedOutOfEmail=True)
    world.poll()
    assert world.people()[0].email_opt_out
    world.change("Lead", lead, HasOptedOutOfEmail=False)
    world.poll()
    assert world.people()[0].email_opt_out


def long_ago(world: World) -> None:
    """As if the last sync had been years ago: seeded rows carry stamps of the past."""
    with tenant_transaction(world.tenant_id):
        Watermark.objects.update(covered_to=datetime(2001, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("rows", [4_500, 12_500])
def test_more_rows_than_a_page_and_than_this_road_takes_arrive_once_each(world: World, rows: int) -> None:
    world.sync()
    world.emulator.seed(world.org.org_id, seed=5, leads=rows)
    long_ago(world)
    counts = world.counts(world.poll())["Lead"]
    assert sum(counts) >= rows
    assert counts[4] == 0
    with tenant_transaction(world.tenant_id):
        assert RecordLink.objects.filter(sobject="Lead").count() == rows
    assert covered(world)["Lead"] > datetime(2020, 1, 1, tzinfo=UTC)  # type: ignore[operator]  # a moment
