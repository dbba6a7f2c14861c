"""Records by the hundred, held against the recorded answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.domain.failures import Category, Failure, Transient
from apps.domain.ports import WriteOperation
from apps.salesforce.gateway import SalesforceGateway
from tests.salesforce.stub import Answer, Asked, Stub, recorded

IDS = [f"0030000000{n:05d}AAA" for n in range(4500)]


def records_of(truth: Path, name: str) -> Any:
    return json.loads((truth / "recorded" / "collections" / f"{name}.json").read_text())["request"]["body"]["records"]


def test_rows_are_read_two_thousand_a_call_and_what_is_gone_is_absent(gateway: SalesforceGateway, stub: Stub) -> None:
    def answer(asked: Asked) -> Answer:
        wanted = asked.json["ids"]
        return Answer(200, [{"attributes": {"type": "Contact"}, "Id": i, "Email": None} for i in wanted[1:]] + [None])

    stub.script = answer
    found = gateway.read("Contact", IDS, ["Id", "Email"])
    assert [len(call.json["ids"]) for call in stub.asked] == [2000, 2000, 500]
    assert set(IDS) - set(found) == {IDS[0], IDS[2000], IDS[4000]}
    assert found[IDS[1]] == {"Id": IDS[1], "Email": None}
    assert stub.asked[0].path == "/services/data/v66.0/composite/sobjects/Contact"


def test_short_ids_are_answered_by_their_long_form(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, [{"Id": "0034S000005YF8A"}]))
    assert list(gateway.read("Contact", ["0034S000005YF8A"], ["Id"])) == ["0034S000005YF8AQAW"]


def test_created_records_have_their_ids(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "collections/create-ok-200.json")
    stub.say(answer)
    (result,) = gateway.write("Account", WriteOperation.CREATE, [{"Name": "(test) Big Account5"}])
    assert (result.remote_id, result.created, result.is_success) == (answer.body[0]["id"], True, True)
    call = stub.asked[0]
    assert (call.method, call.headers["Sforce-Auto-Assign"]) == ("POST", "FALSE")
    assert "Sforce-Duplicate-Rule-Header" not in call.headers
    assert call.body.find(b"attributes") < call.body.find(b"Name")  # else refused: collections/upsert-error-200
    assert call.json == {
        "allOrNone": False,
        "records": [{"attributes": {"type": "Account"}, "Name": "(test) Big Account5"}],
    }


def test_one_refused_record_does_not_stop_the_other(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    answer = recorded(salesforce_truth, "collections/update-partial-invalid-email-200.json")
    stub.say(answer)
    sent = records_of(salesforce_truth, "update-partial-invalid-email-200")
    records = [{"Id": r["id"], "Email": r["Email"]} for r in sent]
    results = list(gateway.write("Contact", WriteOperation.UPDATE, records))
    assert [result.is_success for result in results] == [told["success"] for told in answer.body]
    refused = next(result for result in results if not result.is_success)
    assert refused.failures[0].category is Category.INVALID_EMAIL
    assert refused.failures[0].fields == ("email_field__c",)
    assert not any(result.created for result in results)
    assert stub.asked[0].method == "PATCH"
    assert stub.asked[0].json["records"][0]["id"] == records[0]["Id"]
    assert "Id" not in stub.asked[0].json["records"][0]


def test_upsert_tells_what_was_made(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "collections/upsert-created-200.json")
    stub.say(answer)
    records = [{"Syncline_Id__c": str(n)} for n in range(len(answer.body))]
    results = list(gateway.write("Contact", WriteOperation.UPSERT, records, key_field="Syncline_Id__c"))
    assert [result.created for result in results] == [told["created"] for told in answer.body]
    assert stub.asked[0].path.endswith("/composite/sobjects/Contact/Syncline_Id__c")


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("create-required-field-missing-200", Category.REQUIRED_FIELD_MISSING),
        ("update-converted-lead-200", Category.CONVERTED_LEAD),
        ("campaignmember-duplicate-200", Category.DUPLICATE_VALUE),
        ("campaignmember-of-converted-lead-200", Category.CONVERTED_LEAD),
        ("restricted-picklist-200", Category.RESTRICTED_PICKLIST),
        ("json-parser-error-200", Category.INVALID_VALUE),
        ("duplicates-detected-documentation-200", Category.DUPLICATE_DETECTED),
        ("upsert-error-200", Category.INVALID_VALUE),
        ("allornone-rolled-back-create", None),
    ],
)
def test_recorded_refusals_of_records(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path, name: str, category: Category | None
) -> None:
    answer = recorded(salesforce_truth, f"collections/{name}.json")
    stub.say(answer)
    results = list(gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "x"}] * len(answer.body)))
    refused = [result for result in results if not result.is_success]
    assert refused
    if category is not None:
        assert {failure.category for result in refused for failure in result.failures} == {category}
    else:
        assert Category.ROW_LOCKED in {failure.category for result in refused for failure in result.failures}


def test_records_go_two_hundred_a_call_in_order(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.script = lambda asked: Answer(
        200, [{"id": r["LastName"], "success": True, "errors": []} for r in asked.json["records"]]
    )
    names = [str(n) for n in range(450)]
    results = gateway.write("Lead", WriteOperation.CREATE, ({"LastName": name} for name in names))
    assert [result.remote_id for result in results] == names
    assert [len(call.json["records"]) for call in stub.asked] == [200, 200, 50]


def test_deletes_name_ids_only(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "collections/delete-ok-200.json"))
    ids = ["0034S000005YF8AQAW", "0034S000005YF37QAG"]
    results = list(gateway.write("Contact", WriteOperation.DELETE, [{"Id": record_id} for record_id in ids]))
    assert [result.remote_id for result in results] == ids
    assert stub.asked[0].path.partition("?")[2] == "ids=" + "%2C".join(ids) + "&allOrNone=false"


def test_rules_that_only_warn_may_be_passed(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, [{"id": IDS[0], "success": True, "errors": []}]))
    list(gateway.write("Contact", WriteOperation.CREATE, [{"LastName": "x"}], allow_duplicates=True))
    assert stub.asked[0].headers["Sforce-Duplicate-Rule-Header"] == "allowSave=true"


@pytest.mark.parametrize("body", [[], {"a": 1}, [{"success": True}] * 3])
def test_answer_that_does_not_fit_its_records_is_not_believed(
    gateway: SalesforceGateway, stub: Stub, body: object
) -> None:
    stub.say(Answer(200, body))
    with pytest.raises(Transient):
        list(gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "x"}]))


def test_refusal_without_a_reason_is_still_a_refusal(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, [{"success": False, "errors": []}]))
    (result,) = gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "x"}])
    assert not result.is_success


def test_refusal_of_the_whole_call_is_raised(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "collections/empty-records-400.json"))
    with pytest.raises(Failure) as failure:
        list(gateway.write("Lead", WriteOperation.CREATE, [{"LastName": "x"}]))
    assert failure.value.category is Category.REQUIRED_FIELD_MISSING


@pytest.mark.parametrize("bad", ["//evil.example/x", "003", "../x"])
def test_odd_ids_and_names_make_no_call(gateway: SalesforceGateway, stub: Stub, bad: str) -> None:
    with pytest.raises(ValueError):
        gateway.read("Contact", [bad], ["Id"])
    with pytest.raises(ValueError):
        list(gateway.write("Contact", WriteOperation.UPDATE, [{"Id": bad}]))
    with pytest.raises(ValueError):
        list(gateway.write("Contact", WriteOperation.DELETE, [{"Id": bad}]))
    with pytest.raises(ValueError):
        list(gateway.write(bad, WriteOperation.CREATE, [{"LastName": "x"}])) if "/" in bad else gateway.describe("0")
    assert stub.asked == []
