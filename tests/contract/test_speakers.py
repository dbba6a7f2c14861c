"""What foreign clients get from the emulator: both must be content with the same answers."""

from urllib.parse import quote

import pytest

from tests.contract.conftest import Place
from tests.contract.speakers import Refusal, Speaker

VALUES = {"LastName": "O'Neil é", "Company": 'Acme "and" Sons', "Email": "o@x.example", "AnnualRevenue": 12.0}


def test_record_lives_from_creation_to_deletion(speaker: Speaker) -> None:
    lead = speaker.create("Lead", VALUES)
    read = speaker.read("Lead", lead)
    assert {name: read[name] for name in VALUES} == VALUES
    speaker.update("Lead", lead, {"Title": "Boss", "Email": None})
    read = speaker.read("Lead", lead)
    assert (read["Title"], read["Email"]) == ("Boss", None)
    speaker.delete("Lead", lead)
    with pytest.raises(Refusal) as caught:
        speaker.read("Lead", lead)
    assert (caught.value.status, caught.value.code) == (404, "NOT_FOUND")


def test_query_is_read_to_its_last_page(speaker: Speaker, place: Place) -> None:
    place.control.seed(place.org_id, leads=2500)
    assert len({row["Id"] for row in speaker.query("SELECT Id FROM Lead")}) == 2500


def test_deleted_rows_are_found_where_asked_for(speaker: Speaker, place: Place) -> None:
    winner, loser = place.lead(), place.lead()
    place.control.merge(place.org_id, "Lead", winner, loser)
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Lead ORDER BY Id"
    assert [row["Id"] for row in speaker.query(soql)] == [winner]
    assert speaker.query(soql, include_deleted=True)[1] == {
        "Id": loser,
        "IsDeleted": True,
        "MasterRecordId": winner,
    }


def test_parents_come_as_objects(speaker: Speaker, place: Place) -> None:
    account = place.control.create(place.org_id, "Account", Name="Acme")
    place.control.create(place.org_id, "Contact", LastName="A", AccountId=account)
    (row,) = speaker.query("SELECT Account.Name, Owner.Name FROM Contact")
    assert (row["Account"]["Name"], row["Owner"]["Name"]) == ("Acme", "Integration User")


def test_describe_tells_fields(speaker: Speaker) -> None:
    fields = {field["name"]: field for field in speaker.describe("Lead")["fields"]}
    assert (fields["Email"]["type"], fields["LastName"]["nillable"]) == ("email", False)


def test_upsert_by_key_creates_and_updates(speaker: Speaker) -> None:
    values = {"LastName": "A", "Company": "B"}
    assert speaker.upsert("Lead", "Syncline_Id__c", "p-1", values) == 201
    assert speaker.upsert("Lead", "Syncline_Id__c", "p-1", values | {"Title": "x"}) == 200
    assert speaker.query("SELECT Syncline_Id__c, Title FROM Lead") == [{"Syncline_Id__c": "p-1", "Title": "x"}]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Company": "B"}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "A", "Company": "B", "Email": "no"}, "INVALID_EMAIL_ADDRESS"),
        ({"LastName": "A", "Company": "B", "Title": "x" * 200}, "STRING_TOO_LONG"),
        ({"LastName": "A", "Company": "B", "Nope__c": 1}, "INVALID_FIELD"),
    ],
)
def test_refusals_carry_their_code(speaker: Speaker, values: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        speaker.create("Lead", values)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_wrong_query_is_refused(speaker: Speaker) -> None:
    with pytest.raises(Refusal) as caught:
        speaker.query("SELECT Nope FROM Lead")
    assert (caught.value.status, caught.value.code) == (400, "INVALID_FIELD")


def test_collections_write_what_they_can(speaker: Speaker) -> None:
    records = [{"attributes": {"type": "Lead"}, "LastName": "A", "Company": "B"}, {"attributes": {"type": "Lead"}}]
    good, bad = speaker.rest("POST", "composite/sobjects", {"allOrNone": False, "records": records})
    assert (good["success"], bad["success"]) == (True, False)
    assert bad["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"


def test_composite_writes_through_references_all_or_none(speaker: Speaker, place: Place) -> None:
    lead = place.lead()
    base = "/services/data/v66.0"
    (row,) = speaker.query("SELECT SystemModstamp FROM Lead")
    stamp = row["SystemModstamp"].replace("+0000", "Z")
    soql = f"SELECT Id FROM Lead WHERE Id = '{lead}' AND SystemModstamp = {stamp}"
    asked = [
        {"method": "GET", "url": f"{base}/query?q={quote(soql)}", "referenceId": "seen"},
        {
            "method": "PATCH",
            "url": f"{base}/sobjects/Lead/@{{seen.records[0].Id}}",
            "referenceId": "written",
            "body": {"Title": "x"},
        },
    ]
    body = {"allOrNone": True, "compositeRequest": asked}
    told = speaker.rest("POST", "composite", body)["compositeResponse"]
    assert [part["httpStatusCode"] for part in told] == [200, 204]
    place.control.commit_late(place.org_id, 60, "update", sobject="Lead", id=lead, values={"Title": "y"})
    told = speaker.rest("POST", "composite", body)["compositeResponse"]
    assert [part["body"][0]["errorCode"] for part in told] == ["PROCESSING_HALTED"] * 2
    assert speaker.query("SELECT Title FROM Lead") == [{"Title": "y"}]


def test_bulk_query_is_read_page_by_page(speaker: Speaker, place: Place) -> None:
    for n in range(7):
        place.lead(LastName=f"L{n}", Description='a "b",\nc')
    rows = speaker.bulk_query("Lead", "SELECT LastName, Description FROM Lead")
    assert sorted(row["LastName"] for row in rows) == [f"L{n}" for n in range(7)]
    assert {row["Description"] for row in rows} == {'a "b",\nc'}


def test_bulk_upsert_writes_rows(speaker: Speaker) -> None:
    rows = [{"Syncline_Id__c": str(n), "LastName": f"L{n}", "Company": "C"} for n in range(4)]
    assert speaker.bulk_upsert("Lead", "Syncline_Id__c", rows) == (4, 0)
    assert len(speaker.query("SELECT Id FROM Lead")) == 4
    assert speaker.bulk_upsert("Lead", "Syncline_Id__c", [rows[0] | {"Company": "x" * 300}]) == (1, 1)


def test_limits_count_the_calls(speaker: Speaker, place: Place) -> None:
    place.control.set_usage(place.org_id, used=5, limit=100)
    assert speaker.rest("GET", "limits")["DailyApiRequests"] == {"Max": 100, "Remaining": 94}


def test_ended_session_is_refused(speaker: Speaker, place: Place) -> None:
    place.control.expire_tokens(org_id=place.org_id)
    with pytest.raises(Refusal) as caught:
        speaker.rest("GET", "limits")
    assert (caught.value.status, caught.value.code) == (401, "INVALID_SESSION_ID")
