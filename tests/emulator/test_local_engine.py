"""The whole product against an emulator in the same process: how the tests of many histories are built."""

from apps.sync.models import RunState
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


def test_full_and_differential_sync_need_no_server(near_world: World) -> None:
    lead = near_world.lead(Email="a@example.com", Title="Buyer")
    assert near_world.sync().state == RunState.COMPLETED
    for n in range(5):
        near_world.change("Lead", lead, Title=f"Title {n}")
        near_world.poll()
        assert near_world.person(lead).title == f"Title {n}"


def test_session_that_ended_is_renewed_here_too(near_world: World) -> None:
    lead = near_world.lead(Email="a@example.com")
    near_world.emulator.expire_tokens()
    assert near_world.sync().state == RunState.COMPLETED
    assert near_world.person(lead).email == "a@example.com"


def test_deletion_merge_and_conversion_arrive(near_world: World) -> None:
    gone, winner, loser, lead = (near_world.lead(Email=f"{n}@example.com") for n in range(4))
    near_world.sync()
    near_world.emulator.delete(near_world.org.org_id, "Lead", gone)
    near_world.emulator.merge(near_world.org.org_id, "Lead", winner, loser)
    made = near_world.emulator.convert(near_world.org.org_id, lead)
    near_world.poll()
    active = {p.leading_remote_id for p in near_world.people() if p.is_active}
    assert gone not in active
    assert loser not in active
    assert made["contactId"] in active
