"""Two hundred records a call: results in order, one refused record stops no other, all or none on request."""

from pathlib import Path
from typing import Any

from tests.emulator.client import Client, differences, recorded

PATH = "composite/sobjects"


def of(name: str, **values: Any) -> dict[str, Any]:
    return {"attributes": {"type": name}} | values


def lead(**values: Any) -> dict[str, Any]:
    return of("Lead", LastName="L", Company="C", **values)


def real(truth: Path, name: str) -> Any:
    return recorded(truth, f"collections/{name}.json")


def test_results_come_in_order_and_one_refusal_stops_no_other(salesforce_truth: Path, sf: Client) -> None:
    told = sf.post(PATH, {"allOrNone": False, "records": [lead(), of("Account", Name=None), lead()]})
    assert told.status == 200
    good, bad, last = told.body
    assert (good["success"], bad["success"], last["success"]) == (True, False, True)
    assert not differences(real(salesforce_truth, "create-200")[0], good)
    assert bad == real(salesforce_truth, "create-required-field-missing-200")[0]


def test_all_or_none_rolls_back_the_innocent(salesforce_truth: Path, sf: Client) -> None:
    told = sf.post(PATH, {"allOrNone": True, "records": [of("Lead", Company="C"), lead()]})
    assert told.body == real(salesforce_truth, "allornone-rolled-back-create")
    assert sf.rows("SELECT Id FROM Lead", everything=True) == []


def test_update_names_its_records_by_id(salesforce_truth: Path, sf: Client) -> None:
    own = sf.lead()
    told = sf.patch(PATH, {"records": [of("Lead", id=own, Title="New"), of("Lead", id=own, Email="badone")]})
    assert told.body[0] == {"id": own, "success": True, "errors": []}
    assert told.body[1]["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    assert told.body[1]["errors"][0]["fields"] == ["Email"]
    nameless = sf.patch(PATH, {"records": [of("Lead", Title="x"), of("Lead", Title="x")]})
    assert nameless.body == real(salesforce_truth, "update-without-ids")
    strange = sf.patch(PATH, {"records": [of("Account", id="001xx000003DHP0AAO", Name="x")]})
    assert strange.body == real(salesforce_truth, "update-error-200")


def test_upsert_tells_what_was_created(salesforce_truth: Path, sf: Client) -> None:
    records = [lead(Syncline_Id__c="a"), lead(Syncline_Id__c="b")]
    made = sf.patch(f"{PATH}/Lead/Syncline_Id__c", {"records": records})
    assert [row["created"] for row in made.body] == [True, True]
    assert not differences(real(salesforce_truth, "upsert-created-200"), made.body)
    again = sf.patch(f"{PATH}/Lead/Syncline_Id__c", {"records": records})
    assert [(row["created"], row["id"]) for row in again.body] == [(False, row["id"]) for row in made.body]


def test_deletion_takes_ids_from_the_address(salesforce_truth: Path, sf: Client) -> None:
    ids = [sf.lead(), sf.lead()]
    told = sf.call("DELETE", f"{PATH}?ids={','.join(ids)}&allOrNone=false")
    assert [row["id"] for row in told.body] == ids
    assert not differences(real(salesforce_truth, "delete-ok-200"), told.body)
    again = sf.call("DELETE", f"{PATH}?ids={ids[0]}")
    assert again.body[0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_rows_are_read_by_id_and_missing_ones_are_null(sf: Client) -> None:
    seen, deleted, hidden = sf.lead(Email="s@x.example"), sf.lead(), sf.lead()
    sf.control.delete(sf.org_id, "Lead", deleted)
    sf.control.hide_rows(sf.org_id, hidden)
    told = sf.post(f"{PATH}/Lead", {"ids": [seen, deleted, hidden, seen[:15]], "fields": ["Email"]})
    assert [row and row["Email"] for row in told.body] == ["s@x.example", None, None, "s@x.example"]
    assert sf.post(f"{PATH}/Lead", {"ids": [seen], "fields": ["Nope"]}).code == "INVALID_FIELD"


def test_wrong_values_are_told_as_recorded(salesforce_truth: Path, sf: Client) -> None:
    sf.control.change_field(sf.org_id, "Lead.Rating", restricted=True, values=["Hot"])
    told = sf.patch(PATH, {"records": [of("Lead", id=sf.lead(), Rating="Other")]}).body[0]
    assert told["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert told["errors"][0]["message"] == "Rating: bad value for restricted picklist field: Other"
    parsed = sf.patch(PATH, {"records": [of("Lead", id=sf.lead(), HasOptedOutOfEmail="other")]}).body
    assert parsed == real(salesforce_truth, "json-parser-error-200")
    assert sf.post(PATH, {"records": []}).body == real(salesforce_truth, "empty-records-400")


def test_converted_lead_refuses_writes_and_memberships(salesforce_truth: Path, sf: Client) -> None:
    own = sf.lead()
    campaign = sf.control.create(sf.org_id, "Campaign", Name="C")
    sf.control.convert(sf.org_id, own)
    told = sf.patch(PATH, {"records": [of("Lead", id=own, Title="x")]})
    assert told.body == real(salesforce_truth, "update-converted-lead-200")
    member = sf.post(PATH, {"records": [of("CampaignMember", CampaignId=campaign, LeadId=own)]})
    assert member.body == real(salesforce_truth, "campaignmember-of-converted-lead-200")


def test_second_membership_is_refused(salesforce_truth: Path, sf: Client) -> None:
    contact = sf.control.create(sf.org_id, "Contact", LastName="A")
    campaign = sf.control.create(sf.org_id, "Campaign", Name="C")
    records = [of("CampaignMember", CampaignId=campaign, ContactId=contact)] * 2
    assert sf.post(PATH, {"records": records}).body[1] == real(salesforce_truth, "campaignmember-duplicate-200")[0]


def test_more_than_two_hundred_are_too_many(sf: Client) -> None:
    assert sf.post(PATH, {"records": [lead()] * 201}).status == 400
    assert sf.rows("SELECT Id FROM Lead") == []
