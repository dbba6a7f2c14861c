"""F21 to F25: rows that come late, move or change while they are read, and clocks that are wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.domain.windows import LOOK_BACK
from apps.sync.models import Watermark
from apps.sync.pull import differential
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

TIMEOUT = [{"message": "Your query request was running for too long.", "errorCode": "QUERY_TIMEOUT"}]


def _covered(world: World) -> datetime:
    with tenant_transaction(world.tenant_id):
        found: datetime = Watermark.objects.get(sobject="Lead").covered_to
        return found


def _org_now(world: World) -> datetime:
    return datetime.fromisoformat(world.emulator.org_time(world.org.org_id))


# -- F21 --------------------------------------------------------------------------------------------------------


def test_f21_window_that_is_too_slow_is_halved_until_it_passes(world: World) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    world.later(1800)
    world.change("Lead", lead, LastName="Lovelace")
    world.later(7200)
    before = _covered(world)
    world.emulator.fault("/composite$", status=200, body=_composite_refusal(world), times=1)
    world.emulator.fault("/queryAll", status=500, body=TIMEOUT, times=2)
    run = world.poll()
    assert world.person(lead).last_name == "Lovelace", run.warnings
    assert before < _covered(world) < _org_now(world) - timedelta(minutes=30), "only what was read is covered"
    world.poll()
    assert _org_now(world) - _covered(world) < timedelta(minutes=1)
    assert world.live_errors() == []


def test_f21_window_that_never_passes_asks_a_person_and_leaves_the_watermark(world: World) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    world.later(7200)
    world.change("Lead", lead, LastName="Lovelace")
    world.later(60)
    before = _covered(world)
    world.emulator.fault("/composite$", status=200, body=_composite_refusal(world), times=1)
    world.emulator.fault("/queryAll", status=500, body=TIMEOUT, times=50)
    run = world.poll()
    assert _covered(world) == before
    assert "Leads was left out" in run.warnings[0]
    assert [(error.category, error.state) for error in world.live_errors()] == [("query_too_slow", "blocked")]
    world.emulator.clear_faults()
    world.poll()
    assert world.person(lead).last_name == "Lovelace"
    assert world.live_errors() == []


def _composite_refusal(world: World) -> dict[str, object]:
    """A Composite answer in which the question for leads ran too long and the others found nothing."""
    empty = {"totalSize": 0, "done": True, "records": []}
    parts = [{"body": empty, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": f"query{n}"} for n in range(5)]
    parts[2] = {"body": TIMEOUT, "httpHeaders": {}, "httpStatusCode": 500, "referenceId": "query2"}
    return {"compositeResponse": parts}


# -- F22 --------------------------------------------------------------------------------------------------------


def test_f22_commit_that_comes_late_is_picked_up_by_the_next_look_back_or_by_the_night(world: World) -> None:
    leads = [world.lead(LastName="Byron") for _ in range(5)]
    world.sync()
    world.later(7200)
    world.poll()
    delays = [LOOK_BACK.total_seconds() * part for part in (0, 0.25, 0.5, 0.9, 2)]
    for lead, delay in zip(leads, delays, strict=True):
        facts = {"sobject": "Lead", "id": lead, "values": {"LastName": f"Late by {delay:.0f}"}}
        world.emulator.commit_late(world.org.org_id, delay, "update", **facts)
    world.poll()
    names = {lead: world.person(lead).last_name for lead in leads}
    assert list(names.values()) == ["Late by 0", "Late by 150", "Late by 300", "Late by 540", "Byron"]
    world.sweep()
    assert world.person(leads[4]).last_name == "Late by 1200"


# -- F23, F25 ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of ten, so that thirty rows are several."""
    monkeypatch.setattr(differential, "PAGE", 10)
    monkeypatch.setattr(differential, "BATCH", 4)


def test_f23_more_rows_of_one_stamp_than_a_page_holds_arrive_once_each(world: World, small_pages: None) -> None:
    world.sync()
    world.later(3600)
    stamp = world.emulator.org_time(world.org.org_id)
    for number in range(34):
        values = {"LastName": f"Name {number}", "Company": "Acme"}
        world.emulator.act(world.org.org_id, "create", sobject="Lead", values=values, stamp=stamp)
    run = world.poll()
    assert sorted(person.last_name for person in world.people()) == sorted(f"Name {n}" for n in range(34))
    assert world.counts(run)["Lead"] == (34, 0, 0, 0, 0)


def test_f25_rows_that_change_between_two_pages_are_neither_lost_nor_doubled(world: World, small_pages: None) -> None:
    world.sync()
    world.later(3600)
    leads = [world.lead(LastName=f"Name {number}", Email=f"a{number}@example.com") for number in range(34)]
    world.later(60)
    for page, moved in enumerate((leads[2], leads[15], leads[33]), start=1):
        values = {"LastName": f"Moved {page}"}
        act = {"org": world.org.org_id, "verb": "update", "sobject": "Lead", "id": moved, "values": values}
        world.emulator.before("/queryAll", act, nth=page)
    world.poll()
    world.poll()
    people = {person.leading_remote_id: person.last_name for person in world.people()}
    assert len(people) == 34
    assert [people[lead] for lead in (leads[2], leads[15], leads[33])] == ["Moved 1", "Moved 2", "Moved 3"]


# -- F24 --------------------------------------------------------------------------------------------------------


@contextmanager
def _clock_wrong_by(minutes: float) -> Iterator[None]:
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        yield


@pytest.mark.parametrize("minutes", [-10, 10])
def test_f24_wrong_clock_of_ours_moves_no_window(world: World, minutes: float) -> None:
    lead = world.lead(LastName="Byron")
    with _clock_wrong_by(minutes):
        world.sync()
        assert abs(_covered(world) - _org_now(world)) < timedelta(seconds=60)
        world.later(3600)
        world.change("Lead", lead, LastName="Lovelace")
        world.poll()
        assert world.person(lead).last_name == "Lovelace"
        assert timedelta(0) < _org_now(world) - _covered(world) < timedelta(seconds=60)
    before = _covered(world)
    world.change("Lead", lead, LastName="King")
    world.poll()
    assert world.person(lead).last_name == "King"
    assert _covered(world) >= before


@pytest.mark.parametrize("minutes", [-10, 10])
@pytest.mark.parametrize("ours_is_later", [True, False])
def test_f24_wrong_clock_of_ours_names_no_wrong_winner(two_way: World, minutes: float, ours_is_later: bool) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    world.sync()
    world.later(120)
    with _clock_wrong_by(minutes):
        if ours_is_later:
            world.change("Lead", lead, LastName="Theirs")
            world.later(60)
        world.edit(world.person(lead), last_name="Ours")
        if not ours_is_later:
            world.later(60)
            world.change("Lead", lead, LastName="Theirs")
        world.push()
    kept = "Ours" if ours_is_later else "Theirs"
    assert world.row("Lead", lead, "LastName")["LastName"] == world.person(lead).last_name == kept
