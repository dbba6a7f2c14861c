"""The error table against every recorded answer, every known code and every shape of a body."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from apps.domain.failures import (
    AuthorizationLost,
    Category,
    Failure,
    Internal,
    JobLost,
    MappingBroken,
    NotPermitted,
    Transient,
)
from apps.domain.remedies import WORDS
from apps.salesforce.codes import CODES, TREE
from apps.salesforce.errors import bulk_row_failure, category_of, failure_from, oauth_failure, row_failure, scrubbed

EXPECTED: dict[str, Category] = {
    "DUPLICATE_VALUE-400": Category.DUPLICATE_VALUE,
    "ENTITY_IS_DELETED-404": Category.RECORD_DELETED,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY-400": Category.INSUFFICIENT_ACCESS,
    "INVALID_FIELD-400": Category.FIELD_GONE,
    "INVALID_FIELD-query-400": Category.FIELD_GONE,
    "INVALID_FIELD_FOR_INSERT_UPDATE-400": Category.FIELD_GONE,
    "INVALID_FIELD_FOR_INSERT_UPDATE-MasterRecordId-400": Category.FIELD_GONE,
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD-401": Category.INVALID_GRANT,
    "INVALID_QUERY_FILTER_OPERATOR-400": Category.MALFORMED_QUERY,
    "INVALID_SESSION_ID-401": Category.SESSION_EXPIRED,
    "INVALID_TYPE-400": Category.OBJECT_GONE,
    "INVALID_TYPE-query-400": Category.OBJECT_GONE,
    "JSON_PARSER_ERROR-400": Category.INVALID_VALUE,
    "MALFORMED_ID-400": Category.BAD_REFERENCE,
    "MALFORMED_QUERY-query-400": Category.MALFORMED_QUERY,
    "MALFORMED_SEARCH-400": Category.MALFORMED_QUERY,
    "NOT_FOUND-bad-external-id-field-404": Category.RECORD_DELETED,
    "NOT_FOUND-deleted-record-404": Category.RECORD_DELETED,
    "REQUIRED_FIELD_MISSING-400": Category.REQUIRED_FIELD_MISSING,
    "quoted/API_CURRENTLY_DISABLED-403": Category.API_DISABLED,
    "quoted/API_DISABLED_FOR_ORG-403": Category.API_DISABLED,
    "quoted/CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY-trigger": Category.ROW_LOCKED,
    "quoted/DUPLICATES_DETECTED-account-v56-block-400": Category.DUPLICATE_DETECTED,
    "quoted/DUPLICATES_DETECTED-contact-v50-400": Category.DUPLICATE_DETECTED,
    "quoted/DUPLICATES_DETECTED-contact-v54-400": Category.DUPLICATE_DETECTED,
    "quoted/ENTITY_IS_LOCKED-400": Category.RECORD_LOCKED,
    "quoted/FIELD_CUSTOM_VALIDATION_EXCEPTION-two-400": Category.VALIDATION_RULE,
    "quoted/FIELD_FILTER_VALIDATION_EXCEPTION-400": Category.INVALID_VALUE,
    "quoted/FIELD_INTEGRITY_EXCEPTION-fullname-400": Category.INVALID_VALUE,
    "quoted/FIELD_INTEGRITY_EXCEPTION-state-country-400": Category.INVALID_VALUE,
    "quoted/INSUFFICIENT_ACCESS_OR_READONLY-400": Category.INSUFFICIENT_ACCESS,
    "quoted/INSUFFICIENT_ACCESS_OR_READONLY-delete": Category.INSUFFICIENT_ACCESS,
    "quoted/INVALID_AUTH_HEADER-401": Category.INTERNAL,
    "quoted/INVALID_CROSS_REFERENCE_KEY-400": Category.BAD_REFERENCE,
    "quoted/INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST-400": Category.RESTRICTED_PICKLIST,
    "quoted/NOT_FOUND-xml.xml": Category.RECORD_DELETED,
    "quoted/QUERY_TIMEOUT-400": Category.QUERY_TOO_SLOW,
    "quoted/REQUEST_LIMIT_EXCEEDED-403": Category.REQUEST_LIMIT,
    "quoted/REQUEST_LIMIT_EXCEEDED-concurrent-403": Category.CONCURRENT_LIMIT,
    "quoted/SERVER_UNAVAILABLE-503": Category.UNAVAILABLE,
    "quoted/STRING_TOO_LONG-400": Category.TOO_LONG,
    "quoted/TXN_SECURITY_METERING_ERROR-400": Category.UNAVAILABLE,
    "quoted/TXN_SECURITY_NO_ACCESS-400": Category.INSUFFICIENT_ACCESS,
    "quoted/UNABLE_TO_LOCK_ROW-400": Category.ROW_LOCKED,
    "quoted/UNABLE_TO_LOCK_ROW-in-apex-400": Category.ROW_LOCKED,
}
NOT_A_CALL = {"quoted/STRING_TOO_LONG-composite-200", "MALFORMED_ID-save-result"}


def recorded_errors(truth: Path) -> dict[str, dict[str, Any]]:
    folder = truth / "recorded" / "errors"
    files = sorted(folder.rglob("*.json"))
    return {
        str(path.relative_to(folder)).removesuffix(".json"): json.loads(path.read_text())["response"] for path in files
    }


def failure_of(answer: dict[str, Any]) -> Failure:
    body = answer["body"]
    return failure_from(answer["status"], body if isinstance(body, str) else json.dumps(body))


def test_every_recorded_error_has_the_category_that_it_means(salesforce_truth: Path) -> None:
    answers = recorded_errors(salesforce_truth)
    assert set(answers) == set(EXPECTED) | NOT_A_CALL
    assert {name: failure_of(answers[name]).category for name in EXPECTED} == EXPECTED


def test_every_code_of_the_reference_is_in_the_table_on_purpose(salesforce_truth: Path) -> None:
    listed = json.loads((salesforce_truth / "reference" / "rest-error-codes.json").read_text())["codes"]
    assert [code for code in listed if code not in CODES] == []


def test_every_category_has_words_and_a_kind_of_its_remedy() -> None:
    assert set(Category) == set(WORDS)
    assert all(issubclass(kind, Failure) for kind in TREE.values())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("quoted/SERVER_UNAVAILABLE-503", Transient),
        ("quoted/REQUEST_LIMIT_EXCEEDED-403", Transient),
        ("quoted/API_DISABLED_FOR_ORG-403", NotPermitted),
        ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD-401", AuthorizationLost),
        ("INVALID_FIELD-query-400", MappingBroken),
        ("MALFORMED_QUERY-query-400", Internal),
    ],
)
def test_kind_of_failure_says_who_can_help(salesforce_truth: Path, name: str, kind: type[Failure]) -> None:
    assert type(failure_of(recorded_errors(salesforce_truth)[name])) is kind


def test_two_validation_rules_are_told_together(salesforce_truth: Path) -> None:
    failure = failure_of(recorded_errors(salesforce_truth)["quoted/FIELD_CUSTOM_VALIDATION_EXCEPTION-two-400"])
    assert failure.message == "no ACME accounts no 123 phone"


def test_fields_of_an_error_are_kept(salesforce_truth: Path) -> None:
    failure = failure_of(recorded_errors(salesforce_truth)["DUPLICATE_VALUE-400"])
    assert failure.fields == ("AssigneeId", "PermissionSetId")


@pytest.mark.parametrize("status", [406, 408, 420, 429, 500, 502, 503, 504, 520, 529])
@pytest.mark.parametrize("body", ["", "<html><h1>Down for maintenance</h1></html>", "{", "null", "[]", "[null]", "7"])
def test_outage_without_words_is_waited_for(status: int, body: str) -> None:
    failure = failure_from(status, body, 7.0)
    assert (type(failure), failure.category, failure.retry_after) == (Transient, Category.UNAVAILABLE, 7.0)


@pytest.mark.parametrize("body", ["", "<html>", '{"error":null}', "[[1]]", '[{"errorCode": 7}]', '"text"'])
def test_refusal_without_words_is_ours_to_look_at(body: str) -> None:
    failure = failure_from(400, body)
    assert (type(failure), failure.category) == (Internal, Category.INTERNAL)


def test_unauthorized_without_words_counts_as_an_expired_session() -> None:
    assert failure_from(401, "<html>login</html>").category is Category.SESSION_EXPIRED


def test_soap_fault_is_read() -> None:
    body = (
        "<soapenv:Fault><faultcode>sf:INVALID_OPERATION_WITH_EXPIRED_PASSWORD</faultcode>"
        "<faultstring>The user's password has expired</faultstring></soapenv:Fault>"
    )
    assert failure_from(500, body).category is Category.INVALID_GRANT


def test_unknown_code_of_a_call_is_ours_and_of_a_row_is_a_refused_value() -> None:
    body = json.dumps([{"errorCode": "SOMETHING_NEW", "message": "no"}])
    assert failure_from(400, body).category is Category.INTERNAL
    assert failure_from(503, body).category is Category.UNAVAILABLE
    assert row_failure({"statusCode": "SOMETHING_NEW", "message": "no"}).category is Category.INVALID_VALUE


def test_maintenance_and_foreign_job_versions_are_told_apart() -> None:
    maintenance = [{"errorCode": "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "message": "read only"}]
    failure = failure_from(400, json.dumps(maintenance))
    assert (type(failure), failure.category) == (Transient, Category.MAINTENANCE)
    other = failure_from(409, '[{"errorCode": "API_ERROR", "message": "The version of the job is another one"}]')
    assert (type(other), other.category) == (JobLost, Category.JOB_GONE)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("err-compound-400", Category.BULK_UNSUPPORTED),
        ("err-not-supported-object-400", Category.BULK_UNSUPPORTED),
        ("err-daily-query-jobs-400", Category.REQUEST_LIMIT),
        ("err-daily-query-volume-400", Category.REQUEST_LIMIT),
    ],
)
def test_refusals_of_bulk_are_known_by_their_words(salesforce_truth: Path, name: str, category: Category) -> None:
    answer = json.loads((salesforce_truth / "recorded" / "bulk2" / f"{name}.json").read_text())["response"]
    assert failure_of(answer).category is category


@pytest.mark.parametrize("spelling", ["duplicateResut", "duplicateResult"])
def test_matches_of_a_duplicate_rule_are_found_in_both_spellings(salesforce_truth: Path, spelling: str) -> None:
    answers = recorded_errors(salesforce_truth)
    error = answers["quoted/DUPLICATES_DETECTED-contact-v50-400"]["body"][0]
    failure = row_failure({spelling: error["duplicateResut"], **{k: v for k, v in error.items() if "Resut" not in k}})
    assert failure.category is Category.DUPLICATE_DETECTED
    assert failure.matched_ids == ("0030000000EXAMPAA1",)


def test_converted_lead_of_a_save_result(salesforce_truth: Path) -> None:
    answer = json.loads((salesforce_truth / "recorded" / "collections" / "update-converted-lead-200.json").read_text())
    error = next(result for result in answer["response"]["body"] if not result["success"])["errors"][0]
    assert row_failure(error).category is Category.CONVERTED_LEAD


@pytest.mark.parametrize(
    ("text", "category", "message", "fields"),
    [
        ("DUPLICATE_VALUE:duplicate value found: Key__c:--", Category.DUPLICATE_VALUE, None, ()),
        ("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--", Category.BAD_REFERENCE, None, ()),
        ("STRING_TOO_LONG:Last Name: data value too large: x (max length=80):LastName --", Category.TOO_LONG, None,
         ("LastName",)),
        ("REQUIRED_FIELD_MISSING:Required fields are missing: [A, B]:A,B --", Category.REQUIRED_FIELD_MISSING,
         "Required fields are missing: [A, B]", ("A", "B")),
        ("INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'x' is not a valid value for the type "
         "xsd:date:CloseDate --", Category.INVALID_VALUE, None, ("CloseDate",)),
        ("something without a code", Category.INVALID_VALUE, "something without a code", ()),
        ("", Category.INVALID_VALUE, "Salesforce gave no reason.", ()),
    ],
)  # fmt: skip
def test_error_cell_of_a_bulk_row_is_taken_apart(
    text: str, category: Category, message: str | None, fields: tuple[str, ...]
) -> None:
    failure = bulk_row_failure(text)
    assert (failure.category, failure.fields) == (category, fields)
    assert message is None or failure.message == message


def test_words_of_oauth_errors(salesforce_truth: Path) -> None:
    seen: dict[str, Category] = {}
    for path in sorted((salesforce_truth / "recorded" / "oauth").rglob("*400.json")):
        body = json.loads(path.read_text())["response"]["body"]
        seen[body["error"]] = oauth_failure(body["error"], body["error_description"]).category
    assert seen == {
        "invalid_client": Category.CONFIGURATION,
        "invalid_client_id": Category.CONFIGURATION,
        "invalid_grant": Category.INVALID_GRANT,
        "invalid_token": Category.INVALID_GRANT,
        "unsupported_grant_type": Category.CONFIGURATION,
    }
    assert oauth_failure("OAUTH_APP_BLOCKED").category is Category.APP_NOT_INSTALLED
    assert oauth_failure("access-denied").category is Category.ACCESS_DENIED


def test_raw_answer_is_bounded_and_opens_no_door() -> None:
    secret = "00D5g000004QxYz!AQ0AQLoUdSecret.Part"
    raw = scrubbed(f'{{"access_token":"{secret}","refresh_token":"5Aep861KIwKdekr.x"}} Bearer {secret} ' + "x" * 9000)
    assert len(raw) == 4000
    assert "Secret" not in raw
    assert "KIwKdekr" not in raw
    assert failure_from(500, secret).raw == "…"


def test_failure_crosses_processes_whole_and_says_no_more_than_its_sentence() -> None:
    failure = failure_from(
        403, '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]', 30
    )
    copy = pickle.loads(pickle.dumps(failure))
    assert type(copy) is Transient
    assert vars(copy) == vars(failure)
    assert str(copy) == "TotalRequests Limit exceeded."
    assert copy.retry_after == 30


def test_phrase_of_a_message_goes_before_its_code() -> None:
    assert category_of("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: UNABLE_TO_LOCK_ROW: y") is Category.ROW_LOCKED
    assert category_of("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "x: my own rule") is Category.VALIDATION_RULE
