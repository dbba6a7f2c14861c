"""A write that a change in between refuses: one call, and nothing written where the row has moved."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.domain.failures import Category, MappingBroken, Transient
from apps.domain.ports import Changed, WriteResult
from apps.salesforce.gateway import SalesforceGateway
from tests.salesforce.stub import Answer, Stub

LEAD = "00Q000000000001AAA"
SEEN = datetime(2026, 11, 24, 9, 30, 5, tzinfo=UTC)
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


def told(seen: tuple[int, Any], written: tuple[int, Any]) -> Answer:
    parts = zip(("seen", "written"), (seen, written), strict=True)
    answers = [
        {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}
        for name, (status, body) in parts
    ]
    return Answer(200, {"compositeResponse": answers})


def error(code: str, message: str, *fields: str) -> list[dict[str, Any]]:
    return [{"errorCode": code, "message": message, "fields": list(fields)}]


HALTED = (400, error("PROCESSING_HALTED", ROLLED_BACK))
FOUND = (200, {"totalSize": 1, "done": True, "records": [{"Id": LEAD}]})


def test_query_and_write_go_out_as_one_all_or_none_call(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(told(FOUND, (204, None)))
    result = gateway.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "CEO"}, allow_duplicates=True)
    assert result == WriteResult(LEAD)
    (call,) = stub.asked
    assert call.path == "/services/data/v66.0/composite"
    assert call.json["allOrNone"] is True
    query, write = call.json["compositeRequest"]
    assert parse_qs(urlsplit(query["url"]).query)["q"] == [
        f"SELECT Id FROM Lead WHERE Id = '{LEAD}' AND SystemModstamp = 2026-11-24T09:30:05.000Z"
    ]
    assert (write["method"], write["url"], write["body"]) == (
        "PATCH",
        "/services/data/v66.0/sobjects/Lead/@{seen.records[0].Id}",
        {"Title": "CEO"},
    )
    assert write["httpHeaders"] == {"Sforce-Auto-Assign": "FALSE", "Sforce-Duplicate-Rule-Header": "allowSave=true"}


@pytest.mark.parametrize(
    "message",
    [
        "Invalid reference specified. No value for seen.records[0].Id found in seen",
        "Invalid reference specified. No value for seen.records[0].Id found in seen. Provided referenceId "
        "('seen.records[0].Id') must start with a letter or a number, and it can contain only letters, numbers and "
        "underscores ('_').",
    ],
)
def test_row_that_moved_on_is_told_as_changed(gateway: SalesforceGateway, stub: Stub, message: str) -> None:
    stub.say(told(HALTED, (400, error("PROCESSING_HALTED", message))))
    assert gateway.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "CEO"}) == Changed(LEAD)


def test_refused_value_is_a_failure_of_the_row(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(told(HALTED, (400, error("STRING_TOO_LONG", "Title: data value too large", "Title"))))
    result = gateway.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "x"})
    assert isinstance(result, WriteResult)
    assert (result.failures[0].category, result.failures[0].fields) == (Category.TOO_LONG, ("Title",))


def test_halt_without_a_culprit_is_tried_again_later(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(told(HALTED, HALTED))
    result = gateway.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "x"})
    assert isinstance(result, WriteResult)
    assert result.failures[0].category is Category.ROW_LOCKED


def test_refused_query_is_a_failure_of_the_call(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(told((400, error("INVALID_TYPE", "sObject type 'Lead' is not supported.")), HALTED))
    with pytest.raises(MappingBroken):
        gateway.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "x"})


def test_answer_without_words_is_an_outage(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(told(HALTED, (500, None)))
    with pytest.raises(Transient):
        gateway.write_if_unchanged("Lead", LEAD, SEEN, {"Title": "x"})


def test_stranger_than_an_id_goes_nowhere(gateway: SalesforceGateway, stub: Stub) -> None:
    with pytest.raises(ValueError):
        gateway.write_if_unchanged("Lead", "00Q'; DROP", SEEN, {"Title": "x"})
    assert not stub.asked
