"""Scripted faults: the call they meet, what it sees, and whether its work was done."""

from typing import Any

import pytest

from emulator.local import ConnectionDropped
from tests.emulator.client import Client

LEAD = {"LastName": "L", "Company": "C"}


def names(sf: Client) -> list[str]:
    return [row["LastName"] for row in sf.control.query(sf.org_id, "SELECT LastName FROM Lead ORDER BY Id")]


@pytest.mark.parametrize(
    ("which", "met"),
    [
        ({}, [True, False, False, False]),
        ({"nth": 3}, [False, False, True, False]),
        ({"times": 2}, [True, True, False, False]),
        ({"every": 2}, [False, True, False, True]),
        ({"method": "POST"}, [False, False, False, False]),
        ({"org": "00D000000000000AAA"}, [False, False, False, False]),
    ],
)
def test_fault_meets_the_calls_it_names(sf: Client, which: dict[str, Any], met: list[bool]) -> None:
    sf.control.fault("/limits$", status=500, body="", **which)
    assert [sf.get("limits").status == 500 for _ in range(4)] == met


def test_fault_may_look_at_the_body(sf: Client) -> None:
    sf.control.fault("sobjects/Lead", body_has="Poison", status=500, body="")
    assert sf.post("sobjects/Lead", LEAD).status == 201
    assert sf.post("sobjects/Lead", LEAD | {"LastName": "Poison"}).status == 500


@pytest.mark.parametrize(("after_commit", "made"), [(False, []), (True, ["L"])])
def test_dropped_connection_before_or_after_the_work(sf: Client, after_commit: bool, made: list[str]) -> None:
    sf.control.drop("sobjects/Lead", after_commit=after_commit)
    with pytest.raises(ConnectionDropped):
        sf.post("sobjects/Lead", LEAD)
    assert names(sf) == made


def test_truncated_body_tells_its_whole_length(sf: Client) -> None:
    sf.control.truncate("/limits", 10)
    answer = sf.local.send("GET", "/services/data/v66.0/limits", {"Authorization": f"Bearer {sf.token}"}, b"")
    assert answer.cut == 10
    assert int(answer.headers["Content-Length"]) == len(answer.body) > 10


def test_page_for_people_comes_as_html(sf: Client) -> None:
    sf.control.html("/limits")
    told = sf.get("limits")
    assert (told.status, told.headers["content-type"]) == (200, "text/html;charset=UTF-8")
    assert told.text.startswith("<!doctype html>")


def test_busy_org_says_when_to_return(sf: Client) -> None:
    sf.control.busy("/limits", seconds=7)
    told = sf.get("limits")
    assert (told.status, told.headers["retry-after"], told.code) == (503, "7", "SERVER_UNAVAILABLE")


def test_daily_limit_refuses_until_it_is_raised(sf: Client) -> None:
    sf.control.set_usage(sf.org_id, used=99, limit=100)
    assert [sf.get("limits").status for _ in range(2)] == [200, 403]
    assert sf.get("limits").body == [
        {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
    ]
    sf.control.set_usage(sf.org_id, used=0)
    assert sf.get("limits").status == 200


def test_more_calls_at_once_than_the_org_takes(sf: Client) -> None:
    sf.control.limit_concurrency(sf.org_id, 0)
    told = sf.get("limits")
    assert (told.status, told.body[0]["message"]) == (403, "ConcurrentPerOrgLongTxn Limit exceeded.")


def test_query_over_too_many_rows_is_too_slow_however_few_are_wanted(sf: Client) -> None:
    for n in range(4):
        sf.lead(LastName=str(n))
    sf.control.slow_beyond(sf.org_id, 3)
    told = sf.query("SELECT Id FROM Lead ORDER BY Id LIMIT 1")
    assert (told.status, told.code) == (400, "QUERY_TIMEOUT")
    assert len(sf.rows("SELECT Id FROM Lead WHERE LastName < '3'")) == 3
    sf.control.slow_beyond(sf.org_id, None)
    assert len(sf.rows("SELECT Id FROM Lead")) == 4


def test_people_may_act_at_the_last_moment(sf: Client) -> None:
    lead = sf.lead(LastName="Before")
    act = {"org": sf.org_id, "verb": "update", "sobject": "Lead", "id": lead, "values": {"LastName": "Between"}}
    sf.control.before("/query", act)
    assert sf.rows("SELECT LastName FROM Lead") == [{"LastName": "Between"}]


def test_people_may_act_between_work_and_reply(sf: Client) -> None:
    lead = sf.lead(LastName="Before")
    act = {"org": sf.org_id, "verb": "update", "sobject": "Lead", "id": lead, "values": {"LastName": "After"}}
    sf.control.after("/query", act)
    assert sf.rows("SELECT LastName FROM Lead") == [{"LastName": "Before"}]
    assert names(sf) == ["After"]


def test_field_may_vanish_in_the_middle_of_a_run(sf: Client) -> None:
    sf.lead()
    sf.control.before("/query", {"org": sf.org_id, "verb": "hide", "fields": ["Lead.Title"]}, nth=2)
    assert sf.query("SELECT Title FROM Lead").status == 200
    assert sf.query("SELECT Title FROM Lead").code == "INVALID_FIELD"


def test_calls_are_remembered_with_what_became_of_them(sf: Client) -> None:
    sf.control.clear_calls()
    sf.get("limits")
    sf.query("nonsense")
    sf.control.drop("/limits", after_commit=True)
    with pytest.raises(ConnectionDropped):
        sf.get("limits")
    told = [(call["path"].rpartition("/")[2], call["status"], call["org"]) for call in sf.control.calls()]
    assert told == [("limits", 200, sf.org_id), ("query", 400, sf.org_id), ("limits", 0, sf.org_id)]


def test_fair_weather_after_clearing(sf: Client) -> None:
    sf.control.fault("/limits", status=500, body="", times=100)
    assert sf.get("limits").status == 500
    sf.control.clear_faults()
    assert sf.get("limits").status == 200
