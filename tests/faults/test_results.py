"""F23 and F25 to F29: equal stamps, rows that move, cursors and jobs that end early or never, odd values in CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.domain.failures import Category, JobLost
from apps.integrations.gateways import Gateway
from apps.integrations.soql import window_text
from apps.salesforce.gateway import SalesforceGateway
from apps.sync.models import RunState
from emulator.local import local_emulator
from tests.emulator.adapter import leading_to
from tests.faults.conftest import Near
from tests.salesforce.conftest import Tokens, gateway_to
from tests.salesforce.stub import Answer, running_stub
from tests.sync.world import World

FIELDS = ("Id", "LastName", "SystemModstamp", "IsDeleted")
SINCE = datetime(2026, 11, 24, 10, tzinfo=UTC)


def _stamp(row: dict[str, Any]) -> datetime:
    return datetime.strptime(row["SystemModstamp"], "%Y-%m-%dT%H:%M:%S.%f%z")


def _window(
    gateway: Gateway, since: datetime, until: datetime, limit: int, between: Any = lambda page: None
) -> list[dict[str, Any]]:
    """All rows of a window, page by page; ``between`` happens before each page is asked for."""
    rows: list[dict[str, Any]] = []
    after = None
    for page in range(100):
        between(page)
        soql = window_text("Lead", FIELDS, since=since, until=until, after=after, limit=limit)
        found = list(gateway.query(soql, include_deleted=True))
        rows += found
        if len(found) < limit:
            return rows
        after = _stamp(found[-1]), found[-1]["Id"]
    raise AssertionError("the window does not end")


# -- F23 --------------------------------------------------------------------------------------------------------


def test_f23_five_thousand_rows_of_one_stamp_are_read_once_each_and_the_window_ends(near: Near) -> None:
    near.control.stop_clock(near.org_id, SINCE.isoformat())
    made = {near.lead(LastName=str(n)) for n in range(5000)}
    near.control.shift_clock(near.org_id, 60)
    rows = _window(near.gateway(), SINCE, SINCE + timedelta(seconds=1), 2000)
    assert len(rows) == 5000
    assert {row["Id"] for row in rows} == made
    assert len(near.control.calls("/queryAll")) == 3


def test_f23_stamps_that_end_exactly_with_a_page_lose_nothing(near: Near) -> None:
    near.control.stop_clock(near.org_id, SINCE.isoformat())
    for size in (4, 4, 1):
        for n in range(size):
            near.lead(LastName=str(n))
        near.control.shift_clock(near.org_id, 1)
    rows = _window(near.gateway(), SINCE, SINCE + timedelta(seconds=10), 4)
    assert len({row["Id"] for row in rows}) == len(rows) == 9


# -- F25 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edited", range(4))
def test_f25_rows_that_change_while_pages_are_read_are_in_this_window_or_the_next(near: Near, edited: int) -> None:
    near.control.stop_clock(near.org_id, SINCE.isoformat())
    leads = []
    for n in range(20):
        leads.append(near.lead(LastName=f"old {n}"))
        near.control.shift_clock(near.org_id, 1)
    until = SINCE + timedelta(seconds=20)

    def people_work(page: int) -> None:
        if page != edited:
            return
        for number in (0, 7, 19):  # before, at and behind the place that is being read
            near.control.update(near.org_id, "Lead", leads[number], LastName=f"new {number}")
        near.control.delete(near.org_id, "Lead", leads[12])
        near.control.shift_clock(near.org_id, 10)
        near.control.update(near.org_id, "Lead", leads[3], LastName="new 3")

    gateway = near.gateway()
    rows = _window(gateway, SINCE, until, 6, people_work)
    rows += _window(gateway, until, until + timedelta(hours=1), 6)
    told = {row["Id"]: (row["LastName"], row["IsDeleted"]) for row in rows}
    soql = "SELECT Id, LastName, IsDeleted FROM Lead"
    truth = {row["Id"]: (row["LastName"], row["IsDeleted"]) for row in near.control.query(near.org_id, soql)}
    assert told == truth


def test_f25_expired_cursor_is_told_as_a_lost_job(near: Near) -> None:
    near.control.seed(near.org_id, leads=4500)
    act = {"org": near.org_id, "verb": "cursors"}
    near.control.before(r"/query/\w", act, nth=2)
    seen: list[str] = []
    with pytest.raises(JobLost) as caught:
        seen.extend(row["Id"] for row in near.gateway().query("SELECT Id FROM Lead"))
    assert (caught.value.category, len(seen)) == (Category.CURSOR_EXPIRED, 4000)
    near.control.expire_cursors(near.org_id)
    near.control.before(r"/query/\w", act)
    with pytest.raises(JobLost):
        near.gateway().query_many(["SELECT Id FROM Lead"])


# -- F26, F27, F28: jobs ----------------------------------------------------------------------------------------

GONE = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_f26_results_that_are_gone_are_asked_for_by_a_new_job(
    world: World, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.sync.pull.fetch.PAGE_ROWS", 3)
    leads = [world.lead(Email=f"{n}@example.com") for n in range(8)]
    world.emulator.fault(r"jobs/query/\w+/results", status=404, body=GONE, nth=nth)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert run.warnings == []
    assert sorted(p.leading_remote_id for p in world.people()) == sorted(leads)


def test_f26_gone_job_is_told_apart_from_other_refusals(near: Near) -> None:
    gateway = near.gateway()
    job = gateway.bulk.create("SELECT Id FROM Lead").id
    near.control.end_job(near.org_id, job, "gone")
    for look in (gateway.bulk.look, lambda one: gateway.bulk.page(one, locator="", max_records=5).__enter__()):
        with pytest.raises(JobLost) as caught:
            look(job)
        assert caught.value.category is Category.JOB_GONE


def test_f27_job_that_never_ends_is_aborted_and_asked_anew(world: World) -> None:
    lead = world.lead(Email="a@example.com")
    world.emulator.doom_jobs(world.org.org_id, "query", "stall")
    run = world.start()
    for _ in range(4):
        for lane in ("fetch", "apply"):
            world.finish_lane(run, lane)
    assert world.people() == []
    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        done = world.finish(run)
    assert done.state == RunState.COMPLETED
    assert world.person(lead).email == "a@example.com"
    aborted = [call for call in world.emulator.calls(r"jobs/query/\w+$", world.org.org_id) if call["method"] == "PATCH"]
    assert len(aborted) == 1


def test_f27_small_answer_is_there_by_rest_while_bulk_stands_still(near: Near) -> None:
    lead = near.lead()
    near.control.doom_jobs(near.org_id, "query", "stall")
    gateway = near.gateway()
    job = gateway.bulk.create("SELECT Id FROM Lead")
    assert not gateway.bulk.look(job.id).is_complete
    gateway.bulk.abort(job.id)
    assert gateway.bulk.look(job.id).is_lost
    assert list(gateway.query("SELECT Id FROM Lead")) == [{"Id": lead}]


@pytest.mark.parametrize("what", ["fail", "abort"])
@pytest.mark.parametrize("times", [1, 2])
def test_f28_job_that_fails_or_is_aborted_is_asked_anew(world: World, what: str, times: int) -> None:
    lead = world.lead(Email="a@example.com")
    world.emulator.doom_jobs(world.org.org_id, "query", what, times=times)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert run.warnings == []
    assert world.person(lead).email == "a@example.com"


def test_f28_job_that_ends_between_two_pages_is_never_taken_for_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.sync.pull.fetch.PAGE_ROWS", 3)
    leads = [world.lead(Email=f"{n}@example.com") for n in range(8)]
    refusal = [{"errorCode": "INVALIDJOBSTATE", "message": "Job state is Aborted"}]
    world.emulator.fault(r"jobs/query/\w+/results", status=400, body=refusal, nth=2)
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert sorted(p.leading_remote_id for p in world.people()) == sorted(leads)


# -- F29: odd values --------------------------------------------------------------------------------------------

ODD = [
    "N/A", "#N/A", "NULL", "null", "\\N", '"', '""', "'", ",", ";", "a\nb", "a\r\nb", "a\rb", '"a",\n"b"', "\\.",
    "=1+1", "é", "😀👩‍👩‍👧", "a\u2028b", "\ufeffx", "\u200bx", "0123", "1e5", "true", " inside  blanks ", "\tx",
]  # fmt: skip


def _rows(gateway: SalesforceGateway, soql: str) -> list[dict[str, str]]:
    job = gateway.bulk.create(soql)
    with gateway.bulk.page(job.id, locator="", max_records=1000) as page:
        text = b"".join(iter(page.stream.read, b"")).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("value", ODD)
def test_f29_odd_text_is_the_same_by_bulk_by_rest_and_in_the_org(near: Near, value: str) -> None:
    lead = near.lead(Title=value)
    (truth,) = near.control.query(near.org_id, f"SELECT Title FROM Lead WHERE Id = '{lead}'")
    gateway = near.gateway()
    soql = "SELECT Title FROM Lead"
    assert truth["Title"] == value.strip(" \t\r\n")
    assert _rows(gateway, soql) == [{"Title": truth["Title"]}]
    assert list(gateway.query(soql)) == [{"Title": truth["Title"]}]


def test_f29_longest_text_and_empty_result_arrive_whole(near: Near) -> None:
    longest = {"sobject": "Lead", "name": "Long__c", "type": "textarea", "length": 131_072}
    near.control.add_fields(near.org_id, longest)
    assert _rows(near.gateway(), "SELECT Long__c FROM Lead") == []
    text = ('"x",\n' * 30_000)[:131_071] + "z"
    near.lead(Long__c=text)
    assert _rows(near.gateway(), "SELECT Long__c FROM Lead") == [{"Long__c": text}]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=120), max_size=8))
def test_f29_any_text_comes_back_bit_by_bit(texts: list[str]) -> None:
    with local_emulator() as local, leading_to(local):
        org_id = local.control.create_org()["id"]
        near = Near(local, org_id, local.control.grant(org_id)["access_token"])
        for text in texts:
            near.lead(Description=text)
        told = [row["Description"] for row in _rows(near.gateway(), "SELECT Description FROM Lead ORDER BY Id")]
        truth = [
            row["Description"] or "" for row in near.control.query(org_id, "SELECT Description FROM Lead ORDER BY Id")
        ]
        assert told == truth


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'\xef\xbb\xbf"Id"\n"1"\n', b'"Id"\n"1"\n'),
        (b'"Id"\n"a\x00b"\n', b'"Id"\n"ab"\n'),
        (b'"Id"\n"\xef\xbb\xbfx"\n', b'"Id"\n"\xef\xbb\xbfx"\n'),
    ],
    ids=["mark of byte order", "NUL", "mark inside a value"],
)
def test_f29_bytes_that_no_table_takes_are_left_out_and_no_others(sent: bytes, read: bytes) -> None:
    with running_stub() as stub:
        headers = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "1", "Sforce-Locator": "null"}
        stub.say(Answer(200, sent, headers))
        with gateway_to(stub, Tokens()).bulk.page("750000000000001", locator="", max_records=5) as page:
            assert b"".join(iter(page.stream.read, b"")) == read


def test_f29_odd_texts_reach_the_person_as_they_are(world: World) -> None:
    leads = {world.lead(Email=f"{n}@example.com", Title=value): value for n, value in enumerate(ODD)}
    blank = world.lead(Email="blank@example.com")
    run = world.sync()
    assert run.state == RunState.COMPLETED
    assert world.live_errors() == []
    truth = {
        row["Id"]: row["Title"]
        for row in world.emulator.query(world.org.org_id, "SELECT Id, Title FROM Lead WHERE Title != NULL")
    }
    for lead in leads:
        assert world.person(lead).title == truth[lead].replace("\r\n", "\n").replace("\r", "\n"), leads[lead]
    assert world.person(blank).title == ""
