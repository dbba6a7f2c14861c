"""Errors that are tried again: what has been set right goes through, and what lasts is said anew."""

from apps.sync_errors.models import SyncError
from apps.sync_errors.services import retry_errors
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World


def retry_all(world: World) -> int:
    with tenant_transaction(world.tenant_id):
        return retry_errors(errors=SyncError.objects.all(), user=world.user)


def taken_address(world: World) -> str:
    """A lead whose new address belongs to somebody else here."""
    world.lead(Email="taken@example.com", LastName="First")
    second = world.lead(Email="second@example.com", LastName="Second")
    world.sync()
    world.change("Lead", second, Email="taken@example.com")
    world.poll()
    assert [error.category for error in world.live_errors()] == ["identity_taken"]
    return second


def test_a_row_that_can_be_stored_now_is_read_again_though_it_has_not_changed(world: World) -> None:
    world.both_ways("Lead")
    second = taken_address(world)
    first = next(person for person in world.people() if person.last_name == "First")
    world.edit(first, email="other@example.com")
    world.emulator.shift_clock(world.org.org_id, 3600)
    assert retry_all(world) == 1
    world.poll()
    assert world.person(second).email == "taken@example.com"
    assert world.live_errors() == []


def test_an_error_that_lasts_is_open_again_and_counted(world: World) -> None:
    taken_address(world)
    world.emulator.shift_clock(world.org.org_id, 3600)
    retry_all(world)
    world.poll()
    error = world.live_errors()[0]
    assert (error.state, error.next_attempt_at) == ("open", None)
    assert error.occurrences >= 2


def test_a_held_change_goes_out_when_its_error_is_tried_again(world: World) -> None:
    world.both_ways("Lead")
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    world.edit(world.person(lead), last_name="x" * 200)
    world.push()
    assert [change.state for change in world.waiting()] == ["held"]
    retry_all(world)
    assert [change.state for change in world.waiting()] == ["waiting"]
