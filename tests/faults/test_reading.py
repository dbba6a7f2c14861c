"""F21 to F36: rows that come late, move, hide, vanish, return or change their kind while they are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.audience.models import Person
from apps.domain.windows import LOOK_BACK
from apps.field_mappings.models import FieldMapping
from apps.integrations.metadata import refresh_metadata
from apps.sync.models import RunState, SyncRun, Watermark, WriteIntent
from apps.sync.pull import differential
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

TIMEOUT = [{"message": "Your query request was running for too long.", "errorCode": "QUERY_TIMEOUT"}]


@pytest.fixture
def two_way(world: World) -> World:
    world.both_ways("Lead", "Contact")
    return world


def _later(world: World, seconds: float) -> None:
    world.emulator.shift_clock(world.org.org_id, seconds)


def _covered(world: World) -> datetime:
    with tenant_transaction(world.tenant_id):
        found: datetime = Watermark.objects.get(sobject="Lead").covered_to
        return found


def _org_now(world: World) -> datetime:
    return datetime.fromisoformat(world.emulator.org_time(world.org.org_id))


def _paused(world: World) -> dict[str, str]:
    """Reasons of mappings that are out of use, by their remote field, of leads."""
    with tenant_transaction(world.tenant_id):
        rows = FieldMapping.objects.filter(step__sobject="Lead").exclude(paused_reason="")
        return dict(rows.values_list("remote_field", "paused_reason"))


# -- F21 --------------------------------------------------------------------------------------------------------


def test_f21_window_that_is_too_slow_is_halved_until_it_passes(world: World) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    _later(world, 1800)
    world.change("Lead", lead, LastName="Lovelace")
    _later(world, 7200)
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
    _later(world, 7200)
    world.change("Lead", lead, LastName="Lovelace")
    _later(world, 60)
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
    _later(world, 7200)
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
    _later(world, 3600)
    stamp = world.emulator.org_time(world.org.org_id)
    for number in range(34):
        values = {"LastName": f"Name {number}", "Company": "Acme"}
        world.emulator.act(world.org.org_id, "create", sobject="Lead", values=values, stamp=stamp)
    run = world.poll()
    assert sorted(person.last_name for person in world.people()) == sorted(f"Name {n}" for n in range(34))
    assert world.counts(run)["Lead"] == (34, 0, 0, 0, 0)


def test_f25_rows_that_change_between_two_pages_are_neither_lost_nor_doubled(world: World, small_pages: None) -> None:
    world.sync()
    _later(world, 3600)
    leads = [world.lead(LastName=f"Name {number}", Email=f"a{number}@example.com") for number in range(34)]
    _later(world, 60)
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
        _later(world, 3600)
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
    _later(world, 120)
    with _clock_wrong_by(minutes):
        if ours_is_later:
            world.change("Lead", lead, LastName="Theirs")
            _later(world, 60)
        world.edit(world.person(lead), last_name="Ours")
        if not ours_is_later:
            _later(world, 60)
            world.change("Lead", lead, LastName="Theirs")
        world.push()
    kept = "Ours" if ours_is_later else "Theirs"
    assert world.row("Lead", lead, "LastName")["LastName"] == world.person(lead).last_name == kept


# -- F30 --------------------------------------------------------------------------------------------------------


def test_f30_field_that_is_hidden_before_a_look_stops_its_mapping_only_and_blanks_nothing(world: World) -> None:
    lead = world.lead(LastName="Byron", Title="Countess", Email="ada@example.com")
    world.sync()
    _later(world, 60)
    world.emulator.hide(world.org.org_id, "Lead.Title")
    world.change("Lead", lead, LastName="Lovelace")
    world.poll()
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Countess")
    assert _paused(world).keys() == {"Title"}
    world.emulator.hide(world.org.org_id)
    world.change("Lead", lead, Title="Analyst")
    refresh_metadata(world.tenant_id, world.connection.pk)
    world.poll()
    assert world.person(lead).title == "Analyst"
    assert _paused(world) == {}


@pytest.mark.parametrize("path", ["/jobs/query$", "/jobs/query/[^/]+/results$"])
def test_f30_field_that_is_hidden_during_a_full_sync_blanks_nothing(world: World, path: str) -> None:
    lead = world.lead(LastName="Byron", Title="Countess", Email="ada@example.com")
    world.sync()
    _later(world, 60)
    world.change("Lead", lead, LastName="Lovelace")
    world.emulator.before(path, {"org": world.org.org_id, "verb": "hide", "fields": ["Lead.Title"]})
    run = world.sync()
    assert run.state == RunState.COMPLETED, run.failure
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Countess")


@pytest.mark.parametrize("verb", ["hide", "protect"])
def test_f30_field_that_is_hidden_before_a_write_stops_its_mapping_only(two_way: World, verb: str) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="Countess", Email="ada@example.com")
    world.sync()
    _later(world, 60)
    getattr(world.emulator, verb)(world.org.org_id, "Lead.Title")
    world.edit(world.person(lead), last_name="Lovelace", title="Analyst")
    for _ in range(3):
        world.push()
    row = world.emulator.query(world.org.org_id, "SELECT LastName, Title FROM Lead")[0]
    assert (row["LastName"], row["Title"]) == ("Lovelace", "Countess")
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Analyst")


# -- F31, F32 ---------------------------------------------------------------------------------------------------


def test_f31_object_that_is_taken_from_sight_deactivates_nobody_and_the_others_go_on(world: World) -> None:
    lead, contact = world.lead(LastName="Byron"), world.contact(LastName="King")
    world.sync()
    _later(world, 60)
    world.emulator.hide(world.org.org_id, "Lead")
    world.change("Contact", contact, LastName="Lovelace")
    world.poll()
    assert world.person(contact).last_name == "Lovelace"
    world.sweep()
    assert all(person.is_active for person in world.people())
    assert world.link(lead).is_live
    world.emulator.hide(world.org.org_id)
    world.change("Lead", lead, LastName="Milbanke")
    refresh_metadata(world.tenant_id, world.connection.pk)
    world.poll()
    assert world.person(lead).last_name == "Milbanke"


def test_f31_rows_that_come_back_into_sight_end_the_question(world: World) -> None:
    leads = [world.lead(LastName=f"Name {n}") for n in range(50)]
    world.sync()
    world.emulator.hide_rows(world.org.org_id, *leads[:25])
    world.sweep()
    assert [error.category for error in world.live_errors()] == ["rows_out_of_sight"]
    world.emulator.hide_rows(world.org.org_id, *leads[:25], visible=True)
    world.sweep()
    assert world.live_errors() == []
    assert all(person.is_active for person in world.people())


def test_f32_rows_purged_before_we_looked_are_asked_for_by_id_and_only_then_deactivated(world: World) -> None:
    leads = [world.lead(LastName=f"Name {n}") for n in range(6)]
    world.sync()
    for lead in leads[:2]:
        world.emulator.delete(world.org.org_id, "Lead", lead)
        world.emulator.purge(world.org.org_id, "Lead", lead)
    run = world.sweep()
    asked = [call for call in world.emulator.calls("/queryAll", world.org.org_id) if leads[0] in call["query"]]
    assert asked
    assert [world.link(lead).is_live for lead in leads] == [False] * 2 + [True] * 4
    assert sorted(p.last_name for p in world.people() if not p.is_active) == ["Name 0", "Name 1"]
    assert len(world.entries(run, "deactivated")) == 2


# -- F33, F34 ---------------------------------------------------------------------------------------------------


def test_f33_row_that_is_undeleted_is_the_same_record_with_the_same_link(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Email="ada@example.com")
    world.sync()
    person = world.person(lead)
    world.emulator.delete(world.org.org_id, "Lead", lead)
    world.poll()
    assert not world.people()[0].is_active
    _later(world, 60)
    world.emulator.undelete(world.org.org_id, "Lead", lead)
    world.change("Lead", lead, LastName="Lovelace")
    run = world.poll()
    found = world.people()
    assert [(p.pk, p.is_active, p.last_name) for p in found] == [(person.pk, True, "Lovelace")]
    assert (world.link(lead).is_live, world.link(lead).is_leading) == (True, True)
    assert len(world.entries(run, "reactivated")) == 1
    world.edit(person, last_name="King")
    world.push()
    assert world.row("Lead", lead, "LastName")["LastName"] == "King"


@pytest.mark.parametrize("out", ["winner", "loser"])
def test_f34_merged_rows_leave_one_person_the_strictest_consent_and_every_value_in_the_log(
    two_way: World, out: str
) -> None:
    world = two_way
    winner = world.lead(LastName="Byron", Email="w@example.com", HasOptedOutOfEmail=out == "winner")
    loser = world.lead(LastName="Lovelace", Email="l@example.com", Phone="+44", HasOptedOutOfEmail=out == "loser")
    world.sync()
    kept, gone = world.person(winner), world.person(loser)
    _later(world, 60)
    world.emulator.merge(world.org.org_id, "Lead", winner, loser)
    run = world.poll()
    people = {person.pk: person for person in world.people()}
    assert (people[kept.pk].is_active, people[gone.pk].is_active) == (True, False)
    assert people[kept.pk].email_opt_out
    assert (world.link(loser).person_id, world.link(loser).is_live) == (kept.pk, False)
    noted = {entry.local_id: entry.changes for entry in world.entries(run, "merged")}
    assert noted[gone.pk]["last_name"]["before"] == "Lovelace"  # type: ignore[index]  # an entry with values
    world.push()
    world.poll()
    assert world.row("Lead", winner, "HasOptedOutOfEmail", "Phone") == {
        "Id": winner, "HasOptedOutOfEmail": True, "Phone": "+44",
    }  # fmt: skip
    assert world.waiting() == []


# -- F35 --------------------------------------------------------------------------------------------------------


def test_f35_lead_converted_between_read_and_write_is_never_written_to(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Email="ada@example.com", FirstName="Ada")
    world.sync()
    person = world.person(lead)
    _later(world, 60)
    world.edit(person, first_name="Augusta")
    world.emulator.before("/composite$", {"org": world.org.org_id, "verb": "convert", "id": lead})
    assert world.sync_now(person).state == RunState.COMPLETED
    world.push()
    row = world.row("Lead", lead, "FirstName", "ConvertedContactId")
    assert row["FirstName"] == "Ada"
    assert world.link(row["ConvertedContactId"]).person_id == person.pk
    assert [(p.pk, p.is_active) for p in world.people()] == [(person.pk, True)]
    with tenant_transaction(world.tenant_id):
        assert not WriteIntent.objects.filter(closed_at__isnull=True).exists()


# -- F36 --------------------------------------------------------------------------------------------------------


def _one_push(world: World, person: Person, **values: str) -> SyncRun:
    world.edit(person, **values)
    run = world.push()
    assert run is not None
    return run


@pytest.mark.parametrize("is_known", [False, True])
def test_f36_field_that_became_shorter_blocks_the_rows_that_do_not_fit(two_way: World, is_known: bool) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="Lady", Email="ada@example.com")
    world.sync()
    world.emulator.change_field(world.org.org_id, "Lead.Title", length=10)
    if is_known:
        refresh_metadata(world.tenant_id, world.connection.pk)
    calls = world.writes()
    _one_push(world, world.person(lead), title="Countess of Lovelace")
    (error,) = world.live_errors()
    assert (error.category, error.state, error.field) == ("too_long", "blocked", "Title")
    assert world.writes() - calls == (1 if is_known else 2), "what is known not to fit is not sent"
    assert world.row("Lead", lead, "Title")["Title"] == "Lady"
    _one_push(world, world.person(lead), title="Countess")
    assert world.row("Lead", lead, "Title")["Title"] == "Countess"
    assert world.live_errors() == []


def test_f36_picklist_that_lost_a_value_blocks_the_rows_that_hold_it(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="Lady", Email="ada@example.com")
    world.sync()
    facts = {"type": "picklist", "values": ["Lady", "Lord"], "restricted": True}
    world.emulator.change_field(world.org.org_id, "Lead.Title", **facts)
    refresh_metadata(world.tenant_id, world.connection.pk)
    _one_push(world, world.person(lead), title="Duke")
    (error,) = world.live_errors()
    assert (error.category, error.state, error.field) == ("restricted_picklist", "blocked", "Title")
    assert "Duke" in error.message


def test_f36_field_that_became_a_number_blocks_the_rows_whose_text_is_none(two_way: World) -> None:
    world = two_way
    lead = world.lead(LastName="Byron", Title="5", Email="ada@example.com")
    other = world.lead(LastName="Babbage", Title="6", Email="charles@example.com")
    world.sync()
    world.emulator.change_field(world.org.org_id, "Lead.Title", type="double")
    refresh_metadata(world.tenant_id, world.connection.pk)
    world.edit(world.person(lead), title="Duke")
    world.edit(world.person(other), title="7")
    world.push()
    assert world.row("Lead", other, "Title")["Title"] == 7
    (error,) = world.live_errors()
    assert (error.category, error.state, error.field) == ("invalid_value", "blocked", "Title")
    assert "Duke" in error.message
