"""F51 to F79: workers that are killed, stopped and doubled, a broker that forgets, people who click."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.audience.models import Engagement
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.task_switches import set_task_kinds
from apps.outbox.models import OutboundChange
from apps.sync.due import begin_due_push
from apps.sync.lanes import LEASE
from apps.sync.models import RunLane, RunState, SyncRun, WriteIntent
from apps.sync.push.claims import HELD_FOR
from apps.sync.services import start_differential_sync, sync_now
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.faults.processes import start
from tests.sync.world import World

COMMITTED = pytest.mark.django_db(transaction=True)
"""Other processes and threads must see what the test writes."""


class Crasher:
    """Runs lanes in processes that end at a named point."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def tell(self, order: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def advance(self, place: str, run: SyncRun, lane: str) -> str:
        """What became of a process that advanced the lane."""
        return self.tell(f"{place} {run.tenant_id} {run.pk} {lane}")


@pytest.fixture
def crasher(emulator: EmulatorControl, transactional_db: None) -> Iterator[Crasher]:
    process = start("tests.faults.crashing", emulator=emulator)
    yield Crasher(process)
    process.kill()
    process.communicate()


@pytest.fixture
def two_way(world: World) -> World:
    world.both_ways("Lead", "Contact")
    return world


def _leases_run_out(world: World) -> None:
    """As if the time of every lease had passed."""
    past = timezone.now() - timedelta(seconds=1)
    with tenant_transaction(world.tenant_id):
        RunLane.objects.filter(lease_until__isnull=False).update(lease_until=past)
        OutboundChange.objects.filter(lease_until__isnull=False).update(lease_until=past)


def _begin(world: World, lane: str, lead: str) -> SyncRun:
    """A run whose lane is about to be advanced for the first time."""
    with tenant_transaction(world.tenant_id):
        if lane == "pull":
            run = start_differential_sync(connection=world.connection)
        elif lane == "record":
            person_id = world.person(lead).pk
            run = sync_now(connection=world.connection, local_type="person", record_id=person_id, user=world.user)
        else:
            OutboundChange.objects.filter(state="waiting").update(due_at=timezone.now())
            run_id = begin_due_push(world.tenant_id)
            run = SyncRun.objects.get(id=run_id)
    assert run is not None
    return run


# -- F51 --------------------------------------------------------------------------------------------------------

POINTS = {
    "pull": ["claimed", "asked", "applied", "covered"],
    "push": ["claimed", "taken", "read", "intended", "written", "settled"],
    "record": ["claimed", "taken", "read", "intended", "written", "settled"],
}


@COMMITTED
@pytest.mark.parametrize("lane", POINTS)
def test_f51_worker_killed_at_any_point_loses_and_doubles_nothing(two_way: World, crasher: Crasher, lane: str) -> None:
    world = two_way
    leads = [world.lead(LastName=f"Byron {n}", Email=f"a{n}@example.com") for n in range(len(POINTS[lane]))]
    world.sync()
    for number, place in enumerate(POINTS[lane]):
        lead = leads[number]
        world.emulator.shift_clock(world.org.org_id, 20)
        world.change("Lead", lead, Title=f"Title {number}")
        world.edit(world.person(lead), last_name=f"Name {number}")
        if lane == "push":
            world.add_person(email=f"new{number}@example.com", last_name=f"New {number}", company_name="Acme")
        world.emulator.shift_clock(world.org.org_id, 20)
        run = _begin(world, lane, lead)
        assert crasher.advance(place, run, lane) == "killed", place
        _leases_run_out(world)
        assert world.finish(run).state == RunState.COMPLETED
    world.push()
    world.poll()
    people = {person.leading_remote_id: person for person in world.people()}
    rows = world.emulator.query(world.org.org_id, "SELECT Id, LastName, Title, Email FROM Lead")
    assert {row["Id"]: (row["LastName"], row["Title"] or "") for row in rows} == {
        lead: (person.last_name, person.title) for lead, person in people.items()
    }
    for number, lead in enumerate(leads):
        assert (people[lead].last_name, people[lead].title) == (f"Name {number}", f"Title {number}")
    emails = [row["Email"] for row in rows]
    assert len(emails) == len(set(emails)) == len(leads) * (2 if lane == "push" else 1)
    assert world.waiting() == []
    assert world.live_errors() == []
    with tenant_transaction(world.tenant_id):
        assert not WriteIntent.objects.filter(closed_at__isnull=True).exists()


@COMMITTED
@pytest.mark.parametrize("has_package", [True, False], ids=["package", "no package"])
def test_f51_events_become_one_task_each_wherever_a_worker_dies(
    world: World, crasher: Crasher, has_package: bool
) -> None:
    world.emulator.change_org(world.org.org_id, package_fields=has_package)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    person = world.person(lead)
    with tenant_transaction(world.tenant_id):
        set_task_kinds(kinds=["form_submitted"])
    world.settings(activity_form_submitted=True)
    for place in ["activities_taken", "activities_intended", "activities_written"]:
        with tenant_transaction(world.tenant_id):
            events = [EventDraft(kind="form_submitted", person_id=person.pk, subject=f"{place} {n}") for n in range(3)]
            record_engagements(events=events, origin="api")
        run = _begin(world, "push", lead)
        assert crasher.advance(place, run, "push") == "killed", place
        _leases_run_out(world)
        with tenant_transaction(world.tenant_id):
            Engagement.objects.filter(task_state="waiting").update(task_due_at=timezone.now())
        assert world.finish(run).state == RunState.COMPLETED
        subjects = [row["Subject"] for row in world.emulator.query(world.org.org_id, "SELECT Subject FROM Task")]
        assert sorted(s for s in subjects if s.startswith(place)) == [f"{place} {n}" for n in range(3)]
    with tenant_transaction(world.tenant_id):
        assert set(Engagement.objects.values_list("task_state", flat=True)) == {"sent"}
        assert not WriteIntent.objects.filter(closed_at__isnull=True).exists()


def test_f51_what_a_dead_worker_held_is_taken_up_within_a_minute() -> None:
    tick = timedelta(seconds=10)
    assert max(LEASE, HELD_FOR) + 2 * tick <= timedelta(seconds=60)
