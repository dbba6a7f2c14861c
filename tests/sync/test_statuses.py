"""Sequence status and inbox state as Lead Status, through the value map of a step (E08)."""

from typing import Any

import pytest

from apps.audience.models import Person
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.sequences import create_sequence, enrol
from apps.field_mappings.models import Profile, StepKind, SyncStep
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]

WORKING, OPEN = "Working - Contacted", "Open - Not Contacted"


def translate(world: World, source: str, value_map: dict[str, str]) -> None:
    """The active profile translates a state into Lead Status."""
    with tenant_transaction(world.tenant_id):
        profile = Profile.objects.get(is_active=True)
        position = SyncStep.objects.filter(profile=profile).count()
        SyncStep.objects.create(
            profile=profile, position=position, kind=StepKind.STATUS, sobject="Lead", local_type=source,
            direction="push", value_map=value_map,
        )  # fmt: skip


def join(world: World, person: Person, name: str = "Welcome") -> None:
    with tenant_transaction(world.tenant_id):
        enrol(people=[person], sequence=create_sequence(name=name, user=None), origin="manual")


def replies(world: World, person: Person, **details: Any) -> None:
    with tenant_transaction(world.tenant_id):
        record_engagements(events=[EventDraft(kind="replied", person_id=person.pk, details=details)], origin="api")


def status(world: World, lead: str) -> str:
    return str(world.row("Lead", lead, "Status")["Status"])


@pytest.mark.parametrize("is_on", [False, True])
def test_enrolling_sets_the_status_where_a_step_says_so(near_world: World, is_on: bool) -> None:
    world = near_world
    if is_on:
        translate(world, "sequence_status", {"active": WORKING})
    lead = world.lead(Email="ada@example.com", Status=OPEN)
    world.sync()
    join(world, world.person(lead))
    run = world.push()
    assert run is not None
    assert status(world, lead) == (WORKING if is_on else OPEN)
    assert world.waiting() == []
    if is_on:
        assert world.entries(run, "written")[0].changes == {
            "lead_status": {"before": OPEN, "after": WORKING, "rule": "status_map"}
        }


def test_of_two_states_the_one_that_changed_last_counts(near_world: World) -> None:
    world = near_world
    translate(world, "sequence_status", {"active": WORKING})
    translate(world, "inbox_state", {"interested": "Closed - Not Converted"})
    lead = world.lead(Email="ada@example.com", Status=OPEN)
    world.sync()
    join(world, world.person(lead))
    replies(world, world.person(lead), inbox_state="interested")
    world.push()
    assert status(world, lead) == "Closed - Not Converted"


def test_a_state_without_a_status_changes_nothing_and_what_sales_set_stays(near_world: World) -> None:
    world = near_world
    translate(world, "sequence_status", {"active": WORKING})
    lead = world.lead(Email="ada@example.com", Status=OPEN)
    world.sync()
    join(world, world.person(lead))
    world.push()
    world.change("Lead", lead, Status=OPEN)
    world.poll()
    world.push()
    replies(world, world.person(lead))
    world.push()
    assert status(world, lead) == OPEN


def test_a_mapped_status_takes_it_in_as_news(near_world: World) -> None:
    world = near_world
    translate(world, "sequence_status", {"active": WORKING})
    lead = world.lead(Email="ada@example.com", Status=OPEN)
    world.sync()
    join(world, world.person(lead))
    world.push()
    world.poll()
    world.push()
    assert (status(world, lead), world.live_errors()) == (WORKING, [])


def test_contacts_have_no_status_and_nobody_is_made_a_lead_for_it(near_world: World) -> None:
    world = near_world
    translate(world, "sequence_status", {"active": WORKING})
    world.both_ways("Lead")
    contact = world.contact(Email="ada@example.com")
    world.sync()
    with tenant_transaction(world.tenant_id):
        loner: Person = Person.objects.create(email="loner@example.com", last_name="Loner")
    join(world, world.person(contact))
    join(world, loner, "Other")
    world.push()
    assert world.emulator.query(world.org.org_id, "SELECT Id FROM Lead") == []
    assert (world.waiting(), world.live_errors()) == ([], [])
