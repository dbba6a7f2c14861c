"""A differential sync that is due begins in the transaction that makes it, and its lane is held by who makes it."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from apps.sync.drive import advance, advance_held
from apps.sync.due import begin_due_sync
from apps.sync.lanes import LEASE, Hold, LeaseLost
from apps.sync.models import RunLane, RunState, Schedule, SyncRun
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

EVERY = timedelta(minutes=60)


def make_due(world: World) -> datetime:
    """Let the time of the next differential sync be a moment ago."""
    at = timezone.now() - timedelta(seconds=1)
    with tenant_transaction(world.tenant_id):
        assert Schedule.objects.update(differential_due_at=at) == 1
    return at


def next_due(world: World) -> datetime | None:
    with tenant_transaction(world.tenant_id):
        due: datetime | None = Schedule.objects.get().differential_due_at
        return due


def run_of(world: World, hold: Hold) -> SyncRun:
    with tenant_transaction(world.tenant_id):
        found: SyncRun = SyncRun.objects.get(id=hold.run_id)
        return found


@pytest.fixture
def synced(world: World) -> World:
    """A tenant with one lead, every hour."""
    world.settings(frequency_minutes=60)
    world.lead(Email="first@example.com")
    assert world.sync().state == RunState.COMPLETED
    return world


def begin(world: World) -> Hold | None:
    return begin_due_sync(world.tenant_id, world.connection.pk)


def test_a_sync_that_is_due_is_begun_and_held_and_does_its_work(synced: World) -> None:
    synced.lead(Email="second@example.com")
    synced.later(6)
    due = make_due(synced)
    hold = begin(synced)
    assert hold is not None
    run = run_of(synced, hold)
    assert (run.kind, run.state, run.trigger) == ("differential", RunState.RUNNING, "schedule")
    assert run.started_at is not None
    assert run.started_at >= due
    moved_to = next_due(synced)
    assert moved_to is not None
    assert timezone.now() < moved_to <= timezone.now() + EVERY
    advance(synced.tenant_id, run.pk, "pull")
    assert run_of(synced, hold).is_open, "whoever does not hold the lane does nothing"
    advance_held(hold)
    assert run_of(synced, hold).state == RunState.COMPLETED
    assert {person.email for person in synced.people()} == {"first@example.com", "second@example.com"}


def test_a_sync_begins_once(synced: World) -> None:
    make_due(synced)
    assert begin(synced) is not None
    assert begin(synced) is None


def test_a_sync_that_is_not_due_does_not_begin(synced: World) -> None:
    with tenant_transaction(synced.tenant_id):
        Schedule.objects.update(differential_due_at=timezone.now() + EVERY)
    assert begin(synced) is None


def test_beside_another_pull_it_waits_for_its_next_slot(synced: World) -> None:
    full = synced.start()
    make_due(synced)
    assert begin(synced) is None
    moved_to = next_due(synced)
    assert moved_to is not None
    assert moved_to > timezone.now()
    assert synced.finish(full).state == RunState.COMPLETED


def test_while_syncs_are_off_it_waits_for_its_next_slot(synced: World) -> None:
    synced.settings(syncs_enabled=False)
    make_due(synced)
    assert begin(synced) is None
    moved_to = next_due(synced)
    assert moved_to is not None
    assert moved_to > timezone.now()


def test_where_its_worker_dies_another_goes_on_and_the_dead_one_changes_nothing(synced: World) -> None:
    synced.lead(Email="second@example.com")
    synced.later(6)
    make_due(synced)
    dead = begin(synced)
    assert dead is not None
    with tenant_transaction(synced.tenant_id):
        lane = RunLane.objects.get(run_id=dead.run_id)
        assert lane.lease_until is not None
        assert lane.lease_until <= timezone.now() + LEASE
        RunLane.objects.filter(id=lane.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    advance(synced.tenant_id, dead.run_id, "pull")
    assert run_of(synced, dead).state == RunState.COMPLETED
    assert {person.email for person in synced.people()} == {"first@example.com", "second@example.com"}
    with tenant_transaction(synced.tenant_id), pytest.raises(LeaseLost):
        dead.check()
