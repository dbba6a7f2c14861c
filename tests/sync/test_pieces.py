"""Large pages are applied in pieces, so that two lanes can work at one object."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from django.db import connection as database
from django.utils import timezone

from apps.audience.models import Person
from apps.core.served import note_served
from apps.sync.erasing import erase_person
from apps.sync.models import RunLane, RunObject, RunPage, RunState, SyncRun
from apps.sync.pull import pieces
from apps.sync.pull.pieces import Piece, apply_piece
from apps.sync.pull.staging import drop_page
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

LEADS = 8


@pytest.fixture(autouse=True)
def every_page_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LARGE", 1)


@pytest.fixture
def run(world: World) -> SyncRun:
    """A full sync whose leads are staged; accounts and contacts there are none."""
    for number in range(LEADS):
        world.lead(Email=f"{number}@example.com")
    run = world.start()
    for _ in range(12):
        world.finish_lane(run, "fetch")
    with tenant_transaction(world.tenant_id):
        RunObject.objects.filter(run=run, fetched=0).update(is_done=True)
        planned: SyncRun = SyncRun.objects.get(id=run.pk)
        return planned


def _piece(world: World, run: SyncRun) -> Piece:
    with tenant_transaction(world.tenant_id):
        return apply_piece(run, RunObject.objects.get(run=run, sobject="Lead"), halves_only=True)


def _page(world: World) -> RunPage:
    with tenant_transaction(world.tenant_id):
        page: RunPage = RunPage.objects.get(run_object__sobject="Lead")
        return page


@contextmanager
def _held_by_another_lane(run_object: RunObject, half: int) -> Iterator[None]:
    settings = database.settings_dict
    with closing(
        psycopg2.connect(
            host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], user=settings["USER"],
            password=settings["PASSWORD"],
        )
    ) as link, link, link.cursor() as cursor:  # fmt: skip
        name = f"half {half} of object {run_object.pk}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        yield


def test_a_page_comes_in_three_pieces(world: World, run: SyncRun) -> None:
    assert _piece(world, run) is Piece.APPLIED
    first = _page(world)
    assert first.halves_done == 0b01
    assert 0 < first.created < LEADS
    assert len(world.people()) == first.created
    assert _piece(world, run) is Piece.APPLIED
    assert (_page(world).halves_done, _page(world).created, len(world.people())) == (0b11, LEADS, LEADS)
    assert _piece(world, run) is Piece.APPLIED
    assert _page(world).is_applied
    assert _piece(world, run) is Piece.NONE
    assert world.counts(world.finish(run))["Lead"] == (LEADS, 0, 0, 0, 0)


def test_what_another_lane_holds_is_left_to_it(world: World, run: SyncRun) -> None:
    with tenant_transaction(world.tenant_id):
        leads = RunObject.objects.get(run=run, sobject="Lead")
    with _held_by_another_lane(leads, 0):
        assert _piece(world, run) is Piece.APPLIED
        assert _page(world).halves_done == 0b10
        assert _piece(world, run) is Piece.HELD
    assert _piece(world, run) is Piece.APPLIED
    assert _page(world).halves_done == 0b11


def test_a_page_that_a_crash_emptied_between_its_pieces_is_fetched_again_and_counted_once(
    world: World, run: SyncRun
) -> None:
    assert _piece(world, run) is Piece.APPLIED
    with tenant_transaction(world.tenant_id):
        drop_page(_page(world).table)
    assert _piece(world, run) is Piece.AWAITED
    done = world.finish(run)
    assert done.state == RunState.COMPLETED
    assert world.counts(done)["Lead"] == (LEADS, 0, 0, 0, 0)
    with tenant_transaction(world.tenant_id):
        assert RunObject.objects.get(run=run, sobject="Lead").fetched == LEADS


def test_somebody_erased_between_the_pieces_does_not_come_back(world: World, run: SyncRun) -> None:
    assert _piece(world, run) is Piece.APPLIED
    with tenant_transaction(world.tenant_id):
        person = Person.objects.order_by("id").first()
        assert person is not None
        gone = person.email
        erase_person(person=person, user=world.user)
    done = world.finish(run)
    assert done.state == RunState.COMPLETED
    assert gone not in {person.email for person in world.people()}
    assert len(world.people()) == LEADS - 1
    assert sum(world.counts(done)["Lead"]) == LEADS


@pytest.mark.parametrize("is_another", [True, False])
def test_the_second_lane_steps_aside_while_another_tenant_is_served(
    world: World, run: SyncRun, is_another: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    note_served(world.tenant_id + 1 if is_another else world.tenant_id)
    world.finish_lane(run, "assist")
    with tenant_transaction(world.tenant_id):
        lane = RunLane.objects.get(run=run, name="assist")
        assert not lane.is_done
        assert not is_another or lane.due_at > timezone.now()
    assert len(world.people()) == (0 if is_another else LEADS)
    assert world.counts(world.finish(run))["Lead"] == (LEADS, 0, 0, 0, 0)
