"""Single records and lists of ids, as recorded."""

from pathlib import Path

import pytest

from tests.emulator.client import Client, differences, recorded

TRUTH = "rest/{}.json"


def test_create_read_update_and_delete_answer_as_recorded(salesforce_truth: Path, sf: Client) -> None:
    made = sf.post("sobjects/Account", {"Name": "Test Account"})
    assert made.status == 201
    assert not differences(recorded(salesforce_truth, TRUTH.format("create-record-201")), made.body)
    path = f"sobjects/Account/{made.body['id']}"
    assert made.headers["location"].endswith(path)
    changed = sf.patch(path, {"Name": "Updated", "Industry": "Technology"})
    assert (changed.status, changed.text) == (204, "")
    read = sf.get(path)
    assert (read.body["Name"], read.body["Industry"]) == ("Updated", "Technology")
    assert not differences(recorded(salesforce_truth, TRUTH.format("get-record-account-200"))["attributes"],
                           read.body["attributes"])  # fmt: skip
    gone = sf.call("DELETE", path)
    assert (gone.status, gone.text) == (204, "")
    told = sf.get(path)
    assert (told.status, told.body) == (404, recorded(salesforce_truth, "errors/NOT_FOUND-deleted-record-404.json"))
    again = sf.call("DELETE", path)
    assert (again.status, again.body) == (404, recorded(salesforce_truth, "errors/ENTITY_IS_DELETED-404.json"))


@pytest.mark.parametrize(
    ("name", "sobject"),
    [
        ("get-record-account-200", "Account"),
        ("netcoreforce-contact-200", "Contact"),
        ("get-converted-lead-200", "Lead"),
    ],
)
def test_records_have_the_kinds_of_values_that_were_recorded(
    salesforce_truth: Path, sf: Client, name: str, sobject: str
) -> None:
    sf.control.seed(sf.org_id, leads=5, contacts=5, accounts=5)
    real = recorded(salesforce_truth, TRUTH.format(name))
    own = sf.rows(f"SELECT Id FROM {sobject} LIMIT 1")[0]["Id"]
    ours = sf.get(f"sobjects/{sobject}/{own}").body
    both = [key for key in real if key in ours and key != "attributes"]
    assert len(both) > 25
    # Address codes exist in orgs with picklists of states only.
    plain = [key for key in both if not isinstance(real[key], dict)]
    assert not differences({key: real[key] for key in plain}, {key: ours[key] for key in plain})


def test_fields_can_be_chosen(sf: Client) -> None:
    lead = sf.lead(Email="a@x.example")
    assert set(sf.get(f"sobjects/Lead/{lead}?fields=Email").body) == {"attributes", "Email", "Id"}
    assert sf.get(f"sobjects/Lead/{lead}?fields=Nope").code == "INVALID_FIELD"


def test_unchanged_record_needs_no_body(sf: Client) -> None:
    path = f"sobjects/Lead/{sf.lead()}"
    tag = sf.get(path).headers["etag"]
    assert sf.get(path, If_None_Match=tag).status == 304
    sf.patch(path, {"Title": "New"})
    assert sf.get(path, If_None_Match=tag).status == 200


def test_upsert_by_key_creates_then_updates(salesforce_truth: Path, sf: Client) -> None:
    path = "sobjects/Contact/Email/test_upsert%40example.com"
    made = sf.patch(path, {"LastName": "Example"})
    assert made.status == 201
    assert not differences(recorded(salesforce_truth, TRUTH.format("upsert-by-external-id-created-201")), made.body)
    changed = sf.patch(path, {"LastName": "Changed"})
    assert changed.status == 200
    assert not differences(recorded(salesforce_truth, TRUTH.format("upsert-by-external-id-updated-200")), changed.body)
    assert changed.body == {"id": made.body["id"], "success": True, "errors": [], "created": False}
    old = sf.patch(f"/services/data/v42.0/{path}", {"LastName": "Old"})
    assert (old.status, old.text) == (204, "")


def test_upsert_with_several_matches_names_them(sf: Client) -> None:
    ids = [sf.control.create(sf.org_id, "Contact", LastName="Twin", Email="t@x.example") for _ in range(2)]
    answer = sf.patch("sobjects/Contact/Email/t@x.example", {"LastName": "Which"})
    assert answer.status == 300
    assert answer.body == [f"/services/data/v66.0/sobjects/Contact/{one}" for one in ids]


def test_upsert_refuses_its_key_in_the_body_and_keys_that_are_none(salesforce_truth: Path, sf: Client) -> None:
    assert sf.patch("sobjects/Contact/Email/a@x.example", {"LastName": "A", "Email": "b@x.example"}).status == 400
    answer = sf.patch("sobjects/Contact/rid/1", {"LastName": "A"})
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert set(answer.body[0]) == set(recorded(salesforce_truth, "errors/NOT_FOUND-bad-external-id-field-404.json")[0])
    only = sf.patch("sobjects/Contact/Email/none@x.example?updateOnly=true", {"LastName": "A"})
    assert only.status == 404


def test_upsert_after_deletion_makes_a_new_record_or_meets_the_deleted_one(sf: Client) -> None:
    path = "sobjects/Lead/Syncline_Id__c/p-1"
    values = {"LastName": "A", "Company": "C"}
    first = sf.patch(path, values).body["id"]
    sf.control.delete(sf.org_id, "Lead", first)
    sf.control.change_org(sf.org_id, upsert_meets_deleted=True)
    assert sf.patch(path, values).code == "ENTITY_IS_DELETED"
    sf.control.change_org(sf.org_id, upsert_meets_deleted=False)
    again = sf.patch(path, values)
    assert again.status == 201
    assert again.body["id"] != first


def test_updated_and_deleted_ids_come_by_window(salesforce_truth: Path, sf: Client) -> None:
    sf.control.stop_clock(sf.org_id, "2026-11-24T10:00:30Z")
    kept, gone = sf.lead(), sf.lead()
    sf.control.shift_clock(sf.org_id, 120)
    sf.control.delete(sf.org_id, "Lead", gone)
    sf.control.shift_clock(sf.org_id, 600)
    window = "start=2026-11-24T10:00:00Z&end=2026-11-24T10:10:00Z"
    updated, deleted = sf.get(f"sobjects/Lead/updated?{window}"), sf.get(f"sobjects/Lead/deleted?{window}")
    assert not differences(recorded(salesforce_truth, TRUTH.format("get-updated-200")), updated.body)
    assert not differences(recorded(salesforce_truth, TRUTH.format("get-deleted-200")), deleted.body)
    assert updated.body["ids"] == [kept]
    assert deleted.body["deletedRecords"] == [{"id": gone, "deletedDate": "2026-11-24T10:02:30.000+0000"}]
    short = sf.get("sobjects/Lead/updated?start=2026-11-24T10:00:00Z&end=2026-11-24T10:00:30Z")
    assert short.code == "INVALID_REPLICATION_DATE"


def test_usage_is_told_on_data_and_on_errors_but_not_on_401(sf: Client) -> None:
    sf.control.set_usage(sf.org_id, used=10, limit=15000)
    assert sf.get("limits").headers["sforce-limit-info"] == "api-usage=11/15000"
    assert sf.query("nonsense").headers["sforce-limit-info"] == "api-usage=12/15000"
    assert "sforce-limit-info" not in sf.get("/services/data").headers
    sf.control.expire_tokens()
    refused = sf.get("limits")
    assert refused.status == 401
    assert "sforce-limit-info" not in refused.headers


def test_api_knows_only_its_versions(sf: Client) -> None:
    assert sf.get("/services/data/v30.0/limits").status == 404
    assert sf.get("/services/data/v31.0/limits").status == 200
