"""What an org does to values and whom it refuses: triggers, rules, locks, rights."""

from typing import Any

import pytest

from tests.emulator.client import Client


def title(sf: Client) -> Any:
    return sf.rows("SELECT Title FROM Lead")[0]["Title"]


def write(sf: Client, lead: str, **values: Any) -> str:
    """Write by the API; answers the code of the refusal, if any."""
    told = sf.patch(f"sobjects/Lead/{lead}", values)
    return "" if told.status == 204 else told.code


@pytest.mark.parametrize(
    ("trigger", "sent", "stored"),
    [
        ({"do": "upper"}, "boss", "BOSS"),
        ({"do": "trim"}, "the  big   boss", "the big boss"),
        ({"do": "cut", "length": 3}, "boss", "bos"),
        ({"do": "set", "value": "fixed"}, "boss", "fixed"),
    ],
)
def test_trigger_rewrites_what_comes_in(sf: Client, trigger: dict[str, Any], sent: str, stored: str) -> None:
    lead = sf.lead()
    sf.control.add_trigger(sf.org_id, "Lead", "Title", **trigger)
    write(sf, lead, Title=sent)
    assert title(sf) == stored
    sf.control.clear_rules(sf.org_id)
    write(sf, lead, Title=sent)
    assert title(sf) == sent


def test_trigger_rounds_numbers(sf: Client) -> None:
    sf.control.add_fields(sf.org_id, {"sobject": "Lead", "name": "Size__c", "type": "double", "scale": 4})
    sf.control.add_trigger(sf.org_id, "Lead", "Size__c", "round", digits=1)
    sf.post("sobjects/Lead", {"LastName": "A", "Company": "B", "Size__c": 2.35})
    assert sf.rows("SELECT Size__c FROM Lead") == [{"Size__c": 2.4}]


def test_trigger_never_leaves_what_was_written(sf: Client) -> None:
    lead = sf.lead()
    sf.control.add_trigger(sf.org_id, "Lead", "Title", "flip", values=["ours", "theirs"])
    for sent in ("mine", "ours", "theirs", "ours"):
        write(sf, lead, Title=sent)
        assert title(sf) != sent


def test_trigger_may_touch_a_field_that_was_not_written(sf: Client) -> None:
    lead = sf.lead()
    sf.control.add_trigger(sf.org_id, "Lead", "Title", "set", value="touched", always=True)
    write(sf, lead, Phone="1")
    assert title(sf) == "touched"


def test_validation_rules_tell_all_that_is_broken(sf: Client) -> None:
    lead = sf.lead()
    sf.control.add_validation_rule(sf.org_id, "Lead", "Title", "^x", "No x")
    sf.control.add_validation_rule(sf.org_id, "Lead", "Phone", "^y", "No y")
    told = sf.patch(f"sobjects/Lead/{lead}", {"Title": "x", "Phone": "y"})
    assert [(one["errorCode"], one["message"], one["fields"]) for one in told.body] == [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No x", ["Title"]),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No y", ["Phone"]),
    ]


def test_duplicate_rule_that_warns_is_passed_by_the_header(sf: Client) -> None:
    known = sf.lead(Email="a@x.example")
    sf.control.add_duplicate_rule(sf.org_id, "Lead", "Email")
    values = {"LastName": "A", "Company": "B", "Email": "a@x.example"}
    told = sf.post("sobjects/Lead", values)
    assert told.code == "DUPLICATES_DETECTED"
    result = told.body[0]["duplicateResut"]  # Salesforce's own spelling
    assert result["allowSave"] is True
    assert result["matchResults"][0]["matchRecords"][0]["record"]["Id"] == known
    assert sf.post("sobjects/Lead", values, Sforce_Duplicate_Rule_Header="allowSave=true").status == 201


def test_duplicate_rule_that_blocks_is_not_passed(sf: Client) -> None:
    sf.lead(Email="a@x.example")
    sf.control.add_duplicate_rule(sf.org_id, "Lead", "Email", block=True)
    values = {"LastName": "A", "Company": "B", "Email": "a@x.example"}
    told = sf.post("sobjects/Lead", values, Sforce_Duplicate_Rule_Header="allowSave=true")
    assert told.code == "DUPLICATES_DETECTED"
    assert told.body[0]["duplicateResut"]["allowSave"] is False


def test_altered_field_refuses_what_no_longer_fits(sf: Client) -> None:
    lead = sf.lead()
    sf.control.change_field(sf.org_id, "Lead.Title", length=3)
    sf.control.change_field(sf.org_id, "Lead.Rating", restricted=True, values=["Hot"])
    sf.control.change_field(sf.org_id, "Lead.Phone", required=True)
    assert write(sf, lead, Title="long") == "STRING_TOO_LONG"
    assert write(sf, lead, Rating="Lukewarm") == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert write(sf, lead, Phone=None) == "REQUIRED_FIELD_MISSING"
    assert write(sf, lead, Title="ok", Rating="Hot", Phone="1") == ""


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED", "INSUFFICIENT_ACCESS_OR_READONLY"])
def test_locked_row_refuses_so_many_writes(sf: Client, code: str) -> None:
    lead = sf.lead()
    sf.control.lock_rows(sf.org_id, lead, times=2, code=code)
    assert [write(sf, lead, Title=str(n)) for n in range(3)] == [code, code, ""]


def test_rights_bind_the_client_and_not_the_people(sf: Client) -> None:
    lead = sf.lead()
    sf.control.protect(sf.org_id, "Lead.Title")
    assert write(sf, lead, Title="x") == "INVALID_FIELD_FOR_INSERT_UPDATE"
    sf.control.hide(sf.org_id, "Lead.Title")
    assert write(sf, lead, Title="x") == "INVALID_FIELD"
    sf.control.update(sf.org_id, "Lead", lead, Title="by a person")
    sf.control.hide(sf.org_id)
    assert title(sf) == "by a person"


def test_hidden_rows_are_there_for_people_only(sf: Client) -> None:
    lead = sf.lead()
    sf.control.hide_rows(sf.org_id, lead)
    assert sf.rows("SELECT Id FROM Lead", everything=True) == []
    assert sf.get(f"sobjects/Lead/{lead}").status == 404
    assert write(sf, lead, Title="x") == "NOT_FOUND"
    assert len(sf.control.query(sf.org_id, "SELECT Id FROM Lead")) == 1
    sf.control.hide_rows(sf.org_id, lead, visible=True)
    assert len(sf.rows("SELECT Id FROM Lead")) == 1


def test_read_only_maintenance_refuses_writes_and_jobs_but_not_queries(sf: Client) -> None:
    lead = sf.lead()
    sf.control.maintenance(sf.org_id, "read_only")
    code = "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"
    assert write(sf, lead, Title="x") == code
    rows = sf.patch("composite/sobjects", {"records": [{"attributes": {"type": "Lead"}, "id": lead, "Title": "x"}]})
    assert rows.body[0]["errors"][0]["statusCode"] == code
    assert sf.post("jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}).status == 503
    assert len(sf.rows("SELECT Id FROM Lead")) == 1
    sf.control.maintenance(sf.org_id, "")
    assert write(sf, lead, Title="x") == ""


def test_campaigns_need_a_marketing_user(sf: Client) -> None:
    made = sf.control.add_user(sf.org_id, "plain@x.example")
    sf.token = sf.control.grant(sf.org_id, user=made["username"])["access_token"]
    assert sf.post("sobjects/Campaign", {"Name": "C"}).code == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_member_status_decides_who_responded(sf: Client) -> None:
    campaign = sf.control.create(sf.org_id, "Campaign", Name="C")
    lead = sf.lead()
    made = sf.post("sobjects/CampaignMember", {"CampaignId": campaign, "LeadId": lead}).body["id"]
    soql = "SELECT Status, HasResponded FROM CampaignMember"
    assert sf.rows(soql) == [{"Status": "Sent", "HasResponded": False}]
    sf.patch(f"sobjects/CampaignMember/{made}", {"Status": "Responded"})
    assert sf.rows(soql) == [{"Status": "Responded", "HasResponded": True}]


def test_new_address_clears_the_bounce(sf: Client) -> None:
    contact = sf.control.create(sf.org_id, "Contact", LastName="A", Email="a@x.example", EmailBouncedReason="full")
    soql = "SELECT IsEmailBounced, EmailBouncedReason FROM Contact"
    assert sf.rows(soql) == [{"IsEmailBounced": True, "EmailBouncedReason": "full"}]
    sf.patch(f"sobjects/Contact/{contact}", {"Email": "b@x.example"})
    assert sf.rows(soql) == [{"IsEmailBounced": False, "EmailBouncedReason": None}]


def test_text_is_trimmed_and_empty_text_is_null(sf: Client) -> None:
    lead = sf.lead()
    write(sf, lead, Title="  boss \n")
    assert title(sf) == "boss"
    write(sf, lead, Title="")
    assert title(sf) is None


def test_task_takes_its_account_from_its_contact(sf: Client) -> None:
    account = sf.control.create(sf.org_id, "Account", Name="Acme")
    contact = sf.control.create(sf.org_id, "Contact", LastName="A", AccountId=account)
    sf.post("sobjects/Task", {"WhoId": contact, "Subject": "Call"})
    assert sf.rows("SELECT AccountId FROM Task") == [{"AccountId": account}]


def test_task_of_a_lead_takes_no_other_object(sf: Client) -> None:
    account = sf.control.create(sf.org_id, "Account", Name="Acme")
    told = sf.post("sobjects/Task", {"WhoId": sf.lead(), "WhatId": account, "Subject": "Call"})
    assert told.status == 400


def test_person_account_has_one_hidden_contact(sf: Client) -> None:
    org_id = sf.control.create_org(person_accounts=True)["id"]
    account = sf.control.create(org_id, "Account", LastName="Sample", FirstName="Sam", PersonEmail="s@x.example")
    (row,) = sf.control.query(
        org_id, f"SELECT Name, IsPersonAccount, PersonContactId FROM Account WHERE Id = '{account}'"
    )
    (contact,) = sf.control.query(org_id, "SELECT Id, Email, IsPersonAccount FROM Contact")
    assert (row["Name"], row["IsPersonAccount"], row["PersonContactId"]) == ("Sam Sample", True, contact["Id"])
    assert (contact["Email"], contact["IsPersonAccount"]) == ("s@x.example", True)
    sf.control.update(org_id, "Account", account, PersonEmail="new@x.example")
    assert sf.control.query(org_id, "SELECT Email FROM Contact") == [{"Email": "new@x.example"}]


def test_an_assignment_rule_chooses_the_owner_of_a_lead_unless_it_was_told_not_to(sf: Client) -> None:
    queue = sf.control.create(sf.org_id, "Group", Name="Hot leads", Type="Queue")
    sf.control.change_org(sf.org_id, assignment_owner=queue)
    (rule,) = sf.rows("SELECT Id FROM AssignmentRule WHERE SobjectType = 'Lead'")
    values = {"LastName": "Lead", "Company": "Acme"}
    sf.post("sobjects/Lead", values)
    told = sf.post("sobjects/Lead", values, Sforce_Auto_Assign="FALSE").body["id"]
    owners = {row["Id"]: row["OwnerId"] for row in sf.rows("SELECT Id, OwnerId FROM Lead")}
    assert owners.pop(told) != queue
    assert list(owners.values()) == [queue]
    sf.patch(f"sobjects/Lead/{told}", {"Title": "x"})
    assert sf.rows(f"SELECT OwnerId FROM Lead WHERE Id = '{told}'")[0]["OwnerId"] != queue
    sf.patch(f"sobjects/Lead/{told}", {"Title": "y"}, Sforce_Auto_Assign=rule["Id"])
    assert sf.rows(f"SELECT OwnerId FROM Lead WHERE Id = '{told}'")[0]["OwnerId"] == queue
