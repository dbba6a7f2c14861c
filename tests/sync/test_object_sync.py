"""A sync of one object (B13), and filters that look at fields which are not mapped (C12)."""

import pytest

from apps.domain.filters import Group, Operator, Rule, to_dict
from apps.domain.values import FieldType
from apps.field_mappings.models import SyncStep
from apps.sync.models import RunState, SyncRun, Watermark
from apps.sync.services import CannotStart, start_object_sync
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


def start(world: World, sobject: str) -> SyncRun:
    with tenant_transaction(world.tenant_id):
        return start_object_sync(connection=world.connection, sobject=sobject, user=world.user)


def marks(world: World) -> dict[str, object]:
    with tenant_transaction(world.tenant_id):
        return dict(Watermark.objects.values_list("sobject", "covered_to"))


def test_one_object_comes_in_and_the_others_wait(near_world: World) -> None:
    near_world.lead(LastName="Lovelace", Email="ada@acme.example")
    near_world.contact(LastName="Hopper", Email="grace@acme.example")
    run = near_world.finish(start(near_world, "Lead"))
    assert run.state == RunState.COMPLETED, run.failure
    assert list(near_world.counts(run)) == ["Lead"]
    assert [person.last_name for person in near_world.people()] == ["Lovelace"]
    assert marks(near_world) == {}


def test_no_watermark_moves_and_what_was_deleted_there_is_still_seen_afterwards(near_world: World) -> None:
    lead = near_world.lead(LastName="Lovelace", Email="ada@acme.example")
    near_world.sync()
    before = marks(near_world)
    near_world.emulator.shift_clock(near_world.org.org_id, 60)
    near_world.emulator.delete(near_world.org.org_id, "Lead", lead)
    near_world.finish(start(near_world, "Lead"))
    assert marks(near_world) == before
    near_world.poll()
    assert not near_world.people()[0].is_active


def test_an_object_that_was_switched_on_later_joins_the_differential_syncs(near_world: World) -> None:
    with tenant_transaction(near_world.tenant_id):
        SyncStep.objects.filter(sobject="Contact").update(is_enabled=False)
    near_world.contact(LastName="Hopper", Email="grace@acme.example")
    near_world.sync()
    assert near_world.people() == []
    with tenant_transaction(near_world.tenant_id):
        SyncStep.objects.filter(sobject="Contact").update(is_enabled=True)
    near_world.finish(start(near_world, "Contact"))
    near_world.emulator.shift_clock(near_world.org.org_id, 60)
    near_world.contact(LastName="Hamilton", Email="margaret@acme.example")
    near_world.poll()
    assert {person.last_name for person in near_world.people()} == {"Hopper", "Hamilton"}


def test_pressed_twice_it_is_one_run_and_beside_another_sync_it_is_refused(near_world: World) -> None:
    first = start(near_world, "Lead")
    assert start(near_world, "Lead").pk == first.pk
    with pytest.raises(CannotStart, match="Another sync is running"):
        start(near_world, "Contact")


def test_while_syncs_are_off_it_does_not_start(near_world: World) -> None:
    near_world.settings(syncs_enabled=False)
    with pytest.raises(CannotStart, match="switched off"):
        start(near_world, "Lead")


def test_an_outbound_filter_may_look_at_a_field_that_is_not_mapped(near_world: World) -> None:
    near_world.both_ways("Lead")
    tree = Group((Rule("city", FieldType.STRING, Operator.EQUALS, ("London",)),))
    with tenant_transaction(near_world.tenant_id):
        SyncStep.objects.filter(sobject="Lead").update(outbound_filter=to_dict(tree))
    near_world.sync()
    near_world.add_person(last_name="Lovelace", email="ada@acme.example", city="London")
    near_world.add_person(last_name="Hopper", email="grace@acme.example", city="Arlington")
    near_world.push()
    rows = near_world.emulator.query(near_world.org.org_id, "SELECT LastName FROM Lead")
    assert [row["LastName"] for row in rows] == ["Lovelace"]
