"""REST queries: page by page, several for the price of one, and never led astray (F17, F25, F30)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.domain.failures import Category, Failure, Internal, JobLost, MappingBroken
from apps.salesforce.gateway import SalesforceGateway
from tests.salesforce.stub import Answer, Asked, Stub, recorded


def pages(stub: Stub, count: int, size: int = 3) -> None:
    """A result of ``count`` pages."""

    def answer(asked: Asked) -> Answer:
        number = int(asked.path.rpartition("-")[2]) // size if "/query/0r8" in asked.path else 0
        rows = [{"attributes": {"type": "Lead"}, "Id": str(number * size + n)} for n in range(size)]
        body: dict[str, Any] = {"totalSize": count * size, "done": number + 1 == count, "records": rows}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/v66.0/query/0r8xx3d1iW02BzeAAE-{(number + 1) * size}"
        return Answer(200, body)

    stub.script = answer


def test_rows_come_page_by_page_without_their_attributes(gateway: SalesforceGateway, stub: Stub) -> None:
    pages(stub, 3)
    rows: Iterator[dict[str, Any]] = gateway.query("SELECT Id FROM Lead")
    assert next(rows) == {"Id": "0"}
    assert len(stub.asked) == 1
    assert [row["Id"] for row in rows] == [str(n) for n in range(1, 9)]
    assert len(stub.asked) == 3


def test_recorded_first_page_leads_to_its_next(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    first = recorded(salesforce_truth, "query/first-page-nextRecordsUrl-200.json")
    stub.say(first, recorded(salesforce_truth, "query/last-page-200.json"))
    rows = list(gateway.query("SELECT Id FROM Account"))
    assert stub.asked[1].path == first.body["nextRecordsUrl"]
    assert all("attributes" not in row for row in rows)


def test_deleted_rows_are_asked_for_by_name(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "query/queryAll-200.json")
    answer.body["done"] = True
    stub.say(answer)
    assert list(gateway.query("SELECT Id FROM Lead", include_deleted=True))
    assert urlsplit(stub.asked[0].path).path == "/services/data/v66.0/queryAll/"


def test_empty_result_has_no_rows(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "query/empty-200.json"))
    assert list(gateway.query("SELECT Id FROM Lead")) == []


def test_query_is_sent_as_it_is(gateway: SalesforceGateway, stub: Stub) -> None:
    pages(stub, 1)
    soql = "SELECT Id FROM Lead WHERE LastName = 'a+b & c=é%' AND SystemModstamp >= 2026-01-01T00:00:00.000+00:00"
    list(gateway.query(soql))
    assert parse_qs(urlsplit(stub.asked[0].path).query)["q"] == [soql]


def test_expired_cursor_is_told_so_that_the_window_begins_anew(gateway: SalesforceGateway, stub: Stub) -> None:
    pages(stub, 2)
    rows = gateway.query("SELECT Id FROM Lead")
    next(rows)
    stub.say(Answer(400, [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}]))
    with pytest.raises(JobLost) as lost:
        list(rows)
    assert lost.value.category is Category.CURSOR_EXPIRED


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/data/v66.0/query/0r8-2000",
        "//evil.example/services/data/v66.0/query/0r8-2000",
        "@evil.example/",
        "/services/oauth2/revoke?token=x",
        "/services/data/v66.0/query/../../../oauth2/revoke",
        "/services/data/v66.0/sobjects/Lead/00Q",
        "",
        None,
    ],
)
def test_next_page_is_only_ever_one_of_the_query(gateway: SalesforceGateway, stub: Stub, url: str | None) -> None:
    stub.say(Answer(200, {"totalSize": 2, "done": False, "records": [], "nextRecordsUrl": url}))
    with pytest.raises(Internal):
        list(gateway.query("SELECT Id FROM Lead"))
    assert len(stub.asked) == 1


@pytest.mark.parametrize(
    ("name", "category"),
    [("INVALID_FIELD-query-400", Category.FIELD_GONE), ("INVALID_TYPE-query-400", Category.OBJECT_GONE)],
)
def test_field_or_object_that_is_gone_breaks_the_mapping(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path, name: str, category: Category
) -> None:
    stub.say(recorded(salesforce_truth, f"errors/{name}.json"))
    with pytest.raises(MappingBroken) as broken:
        list(gateway.query("SELECT Gone__c FROM Lead"))
    assert broken.value.category is category


def test_too_long_query_makes_no_call(gateway: SalesforceGateway, stub: Stub) -> None:
    with pytest.raises(Internal):
        gateway.query("SELECT Id FROM Lead WHERE LastName = '" + "é" * 4000 + "'")
    assert stub.asked == []


def test_count_is_the_total(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "rest/netcoreforce-count_query-200.json")
    stub.say(answer)
    assert gateway.count("Lead") == answer.body["totalSize"]


def test_five_queries_cost_one_call(gateway: SalesforceGateway, stub: Stub) -> None:
    def answer(asked: Asked) -> Answer:
        parts = [
            {
                "body": {"totalSize": 1, "done": True, "records": [{"attributes": {}, "Id": part["url"][-5:]}]},
                "httpHeaders": {},
                "httpStatusCode": 200,
                "referenceId": part["referenceId"],
            }
            for part in asked.json["compositeRequest"]
        ]
        return Answer(200, {"compositeResponse": parts[::-1]})

    stub.script = answer
    names = ["AAAAA", "BBBBB", "CCCCC", "DDDDD", "EEEEE", "FFFFF"]
    results = gateway.query_many([f"SELECT Id FROM {name}" for name in names], include_deleted=True)
    assert results == [[{"Id": name}] for name in names]
    assert [len(call.json["compositeRequest"]) for call in stub.asked] == [5, 1]
    assert stub.asked[0].json["allOrNone"] is False
    assert (
        stub.asked[0].json["compositeRequest"][0]["url"] == "/services/data/v66.0/queryAll?q=SELECT%20Id%20FROM%20AAAAA"
    )


def test_refused_query_of_several_leaves_the_others(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    answer = recorded(salesforce_truth, "composite/subrequest-invalid-type-200.json")
    for number, part in enumerate(answer.body["compositeResponse"]):
        part["referenceId"] = f"query{number}"
    stub.say(answer)
    kept, refused = gateway.query_many(["select count() from Account", "select count() from XYZZY"])
    assert kept == []
    assert isinstance(refused, Failure)
    assert refused.category is Category.OBJECT_GONE


def test_several_queries_follow_their_own_pages(gateway: SalesforceGateway, stub: Stub) -> None:
    first = {"totalSize": 2, "done": False, "records": [{"Id": "1"}],
             "nextRecordsUrl": "/services/data/v66.0/query/0r8xx3d1iW02BzeAAE-1"}  # fmt: skip
    part = {"body": first, "httpHeaders": {}, "httpStatusCode": 200, "referenceId": "query0"}
    stub.say(
        Answer(200, {"compositeResponse": [part]}),
        Answer(200, {"totalSize": 2, "done": True, "records": [{"Id": "2"}]}),
    )
    assert gateway.query_many(["SELECT Id FROM Lead"]) == [[{"Id": "1"}, {"Id": "2"}]]
