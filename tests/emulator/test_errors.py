"""Refusals: each recorded error body, brought about by what causes it."""

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.client import Client, Told, differences, recorded


def assert_as_recorded(truth: Path, name: str, told: Told) -> None:
    """Status, code and keys as recorded."""
    real = recorded(truth, f"errors/{name}.json")
    assert told.code == real[0]["errorCode"]
    assert not differences(real, told.body)


def test_required_field(salesforce_truth: Path, sf: Client) -> None:
    told = sf.post("sobjects/Lead", {"Company": "Acme"})
    assert_as_recorded(salesforce_truth, "REQUIRED_FIELD_MISSING-400", told)
    assert told.body[0]["message"] == "Required fields are missing: [LastName]"
    assert told.body[0]["fields"] == ["LastName"]


def test_duplicate_value(salesforce_truth: Path, sf: Client) -> None:
    sf.lead(Syncline_Id__c="one")
    told = sf.post("sobjects/Lead", {"LastName": "A", "Company": "B", "Syncline_Id__c": "ONE"})
    assert_as_recorded(salesforce_truth, "DUPLICATE_VALUE-400", told)
    assert "duplicates value on record with id: 00Q" in told.body[0]["message"]


def test_reference_out_of_sight(salesforce_truth: Path, sf: Client) -> None:
    account = sf.control.create(sf.org_id, "Account", Name="Hidden")
    sf.control.hide_rows(sf.org_id, account)
    told = sf.post("sobjects/Contact", {"LastName": "A", "AccountId": account})
    assert_as_recorded(salesforce_truth, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY-400", told)


def test_id_of_another_object(salesforce_truth: Path, sf: Client) -> None:
    told = sf.post("sobjects/Contact", {"LastName": "A", "AccountId": sf.lead()})
    assert_as_recorded(salesforce_truth, "MALFORMED_ID-400", told)


@pytest.mark.parametrize("field", ["MasterRecordId", "SystemModstamp", "CreatedDate"])
def test_read_only_field(salesforce_truth: Path, sf: Client, field: str) -> None:
    told = sf.post("sobjects/Lead", {"LastName": "A", "Company": "B", field: None})
    assert_as_recorded(salesforce_truth, "INVALID_FIELD_FOR_INSERT_UPDATE-400", told)
    assert field in told.body[0]["fields"]


def test_unknown_field_in_a_write(salesforce_truth: Path, sf: Client) -> None:
    told = sf.post("sobjects/Lead", {"LastName": "A", "Company": "B", "Nope__c": 1})
    assert_as_recorded(salesforce_truth, "INVALID_FIELD-400", told)
    assert told.body[0]["message"] == "No such column 'Nope__c' on sobject of type Lead"


def test_value_of_the_wrong_kind(salesforce_truth: Path, sf: Client) -> None:
    told = sf.patch(f"sobjects/Lead/{sf.lead()}", {"HasOptedOutOfEmail": "other"})
    assert_as_recorded(salesforce_truth, "JSON_PARSER_ERROR-400", told)
    assert told.body == recorded(salesforce_truth, "errors/JSON_PARSER_ERROR-400.json")


def test_expired_session(salesforce_truth: Path, sf: Client) -> None:
    sf.control.expire_tokens(org_id=sf.org_id)
    told = sf.get("limits")
    assert (told.status, told.body) == (401, recorded(salesforce_truth, "errors/INVALID_SESSION_ID-401.json"))


def test_search_without_words(salesforce_truth: Path, sf: Client) -> None:
    assert_as_recorded(salesforce_truth, "MALFORMED_SEARCH-400", sf.get("search?q=x"))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"Title": "x" * 129}, "STRING_TOO_LONG"),
        ({"NumberOfEmployees": 10**12}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"NumberOfEmployees": "many"}, "JSON_PARSER_ERROR"),
        ({"OwnerId": "005000000000001AAA"}, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
        ({"OwnerId": "not-an-id"}, "MALFORMED_ID"),
    ],
)
def test_values_that_salesforce_refuses(sf: Client, values: dict[str, Any], code: str) -> None:
    assert sf.post("sobjects/Lead", {"LastName": "A", "Company": "B"} | values).code == code


def test_inactive_owner(sf: Client) -> None:
    made = sf.control.add_user(sf.org_id, "gone@x.example")
    sf.control.update(sf.org_id, "User", made["id"], IsActive=False)
    told = sf.post("sobjects/Lead", {"LastName": "A", "Company": "B", "OwnerId": made["id"]})
    assert told.code == "INACTIVE_OWNER_OR_USER"


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"api_enabled": False}, 403, "API_DISABLED_FOR_ORG"),
        ({"api_limit": 0}, 403, "REQUEST_LIMIT_EXCEEDED"),
        ({"maintenance": "down"}, 503, "SERVER_UNAVAILABLE"),
    ],
)
def test_org_that_answers_nobody(sf: Client, options: dict[str, Any], status: int, code: str) -> None:
    sf.control.change_org(sf.org_id, **options)
    told = sf.get("limits")
    assert (told.status, told.code) == (status, code)


def test_user_without_the_api(sf: Client) -> None:
    made = sf.control.add_user(sf.org_id, "plain@x.example")
    profile = sf.control.query(sf.org_id, "SELECT Id FROM Profile WHERE Name = 'Standard User'")[0]["Id"]
    sf.control.update(sf.org_id, "Profile", profile, PermissionsApiEnabled=False)
    sf.token = sf.control.grant(sf.org_id, user=made["username"])["access_token"]
    told = sf.get("limits")
    assert (told.status, told.code) == (403, "API_CURRENTLY_DISABLED")


def test_body_that_is_no_json(sf: Client) -> None:
    assert sf.call("POST", "sobjects/Lead", b"{oops").code == "JSON_PARSER_ERROR"
    assert sf.call("POST", "sobjects/Lead", b"[]").code == "JSON_PARSER_ERROR"


def test_place_that_is_none(sf: Client) -> None:
    assert sf.get("nowhere").status == 404
    assert sf.get("/services/else").status == 404
    assert sf.call("PUT", "sobjects/Lead", {}).status == 405
