"""Commands of rules without Salesforce: what each one comes to."""

from datetime import date
from typing import Any

import pytest

from apps.domain.commands import (
    Nothing,
    Plan,
    Refused,
    Row,
    case,
    create,
    made_by,
    member,
    opportunity,
    ownership,
    remote_values,
    removal,
    task,
    update,
)
from apps.domain.failures import Category
from apps.domain.ports import FieldSchema, ObjectSchema, WriteOperation

TODAY = date(2026, 11, 26)


def schema(name: str, *fields: FieldSchema) -> ObjectSchema:
    return ObjectSchema(name, name, f"{name}s", "000", True, True, True, {field.name: field for field in fields})


def one(name: str, kind: str = "string", **facts: Any) -> FieldSchema:
    return FieldSchema(name, name, kind, **{"createable": True, "updateable": True, "length": 80} | facts)


LEAD = schema(
    "Lead",
    one("LastName", nillable=False),
    one("Company", nillable=False),
    one("Title", length=5),
    one("AnnualRevenue", "currency", scale=2),
    one("OwnerId"),
    one("HasOptedOutOfEmail", "boolean"),
    one("Score", updateable=False, createable=False),
    one("Syncline_Id__c"),
)
ROW = Row("Lead", "00Q1", {"Title": "Head", "AnnualRevenue": 5.0, "HasOptedOutOfEmail": False})


def test_lines_of_further_values() -> None:
    assert remote_values("A = 1\nnonsense\n = x\nB = a = b\n") == {"A": "1", "B": "a = b"}


def test_a_new_row_has_its_defaults_and_leaves_out_what_is_empty_or_hidden() -> None:
    made = create(LEAD, {"LastName": "", "Title": "x", "Nowhere": "y"}, defaults={"LastName": "U", "Company": "C"})
    assert made == Plan("Lead", WriteOperation.CREATE, {"Title": "x", "LastName": "U", "Company": "C"})


def test_a_new_row_is_upserted_where_the_org_has_our_key() -> None:
    made = create(LEAD, {"LastName": "B", "Company": "C"}, external=("Syncline_Id__c", "p-1"))
    assert isinstance(made, Plan)
    assert (made.operation, made.key_field, made.values["Syncline_Id__c"]) == ("upsert", "Syncline_Id__c", "p-1")


@pytest.mark.parametrize(
    ("values", "category", "field"),
    [
        ({"LastName": "B"}, Category.REQUIRED_FIELD_MISSING, "Company"),
        ({"LastName": "B", "Company": "C", "Title": "too long"}, Category.TOO_LONG, "Title"),
        ({"LastName": "B", "Company": "C", "AnnualRevenue": "much"}, Category.INVALID_VALUE, "AnnualRevenue"),
    ],
)
def test_what_salesforce_would_refuse_is_not_sent(values: dict[str, str], category: Category, field: str) -> None:
    made = create(LEAD, values)
    assert isinstance(made, Refused)
    assert (made.failures[0].category, made.failures[0].fields) == (category, (field,))


def test_only_what_differs_is_written() -> None:
    made = update(LEAD, ROW, {"Title": "Chief", "AnnualRevenue": "5.00"})
    assert made == Plan("Lead", WriteOperation.UPDATE, {"Title": "Chief"}, "00Q1", before={"Title": "Head"})
    assert isinstance(update(LEAD, ROW, {"Title": "Head"}), Nothing)


@pytest.mark.parametrize(
    ("row", "values", "category"),
    [
        (Row("Lead", "00Q1", {"IsConverted": True}), {"Title": "x"}, Category.CONVERTED_LEAD),
        (ROW, {"HasOptedOutOfEmail": "false"}, Category.INVALID_VALUE),
        (ROW, {"HasOptedOutOfEmail": ""}, Category.INVALID_VALUE),
        (ROW, {"Gone__c": "x"}, Category.FIELD_GONE),
        (ROW, {"Score": "x"}, Category.INSUFFICIENT_ACCESS),
        (ROW, {"Title": "too long"}, Category.TOO_LONG),
    ],
)
def test_what_is_never_written(row: Row, values: dict[str, str], category: Category) -> None:
    made = update(LEAD, row, values)
    assert isinstance(made, Refused)
    assert made.failures[0].category is category


def test_an_opt_out_may_be_told() -> None:
    assert isinstance(update(LEAD, ROW, {"HasOptedOutOfEmail": "true"}), Plan)


MEMBER = schema("CampaignMember", one("CampaignId"), one("LeadId"), one("ContactId"), one("Status"))
PRESENT = Row("CampaignMember", "00v1", {"Status": "Sent"})


@pytest.mark.parametrize(
    ("present", "status", "adds", "outcome"),
    [
        (None, "Sent", True, {"CampaignId": "701", "LeadId": "00Q1", "Status": "Sent"}),
        (None, "", True, {"CampaignId": "701", "LeadId": "00Q1"}),
        (PRESENT, "Responded", True, None),
        (PRESENT, "Responded", False, {"Status": "Responded"}),
        (PRESENT, "Sent", False, None),
        (None, "Responded", False, None),
    ],
)
def test_membership(present: Row | None, status: str, adds: bool, outcome: dict[str, str] | None) -> None:
    made = member(MEMBER, ROW, "701", status, present, adds=adds)
    assert (made.values if isinstance(made, Plan) else None) == outcome


def test_removal() -> None:
    assert removal(PRESENT) == Plan("CampaignMember", WriteOperation.DELETE, {}, "00v1")
    assert isinstance(removal(None), Nothing)


TASK = schema(
    "Task", one("WhoId"), one("Subject"), one("ActivityDate", "date"), one("OwnerId"), one("Syncline_Activity_Id__c")
)


@pytest.mark.parametrize(("owner", "given"), [("", "0051"), ("0059", "0059")])
def test_a_task_is_its_rows_owners_unless_somebody_is_named(owner: str, given: str) -> None:
    row = Row("Lead", "00Q1", {"OwnerId": "0051"})
    told = {"subject": "Call", "days": "7", "owner": owner}
    made = task(TASK, row, told, today=TODAY, external=("Syncline_Activity_Id__c", "p-c1"))
    assert isinstance(made, Plan)
    assert (made.values["OwnerId"], made.values["ActivityDate"], made.key_field) == (
        given,
        "2026-12-03",
        "Syncline_Activity_Id__c",
    )


def test_only_a_contact_is_referred_to_by_a_case() -> None:
    cases = schema("Case", one("Subject"), one("ContactId"), one("SuppliedEmail"))
    told = {"subject": "Help"}
    of_contact = case(cases, Row("Contact", "0031"), told, email="a@x.example", name="Ada")
    of_lead = case(cases, ROW, told, email="a@x.example", name="Ada")
    assert isinstance(of_contact, Plan)
    assert isinstance(of_lead, Plan)
    assert (of_contact.values.get("ContactId"), of_lead.values.get("ContactId")) == ("0031", None)


def test_an_open_opportunity_of_the_name_is_updated() -> None:
    deals = schema(
        "Opportunity", one("Name"), one("AccountId"), one("StageName"), one("CloseDate"), one("Amount", "currency")
    )
    told = {"name": "Deal", "stage": "Won", "days": "30", "amount": "1,500"}
    made = opportunity(deals, told, account="001", present=None, today=TODAY)
    assert isinstance(made, Plan)
    assert (made.values["Amount"], made.values["CloseDate"], made.values["AccountId"]) == ("1500", "2026-12-26", "001")
    there = Row("Opportunity", "0061", {"StageName": "New", "Amount": 1500.0})
    again = opportunity(deals, told, account="001", present=there, today=TODAY)
    assert isinstance(again, Plan)
    assert (again.remote_id, again.values) == ("0061", {"StageName": "Won"})


@pytest.mark.parametrize(
    ("row", "owner", "outcome"),
    [
        (ROW, "0059", Plan),
        (ROW, "00G1", Plan),
        (ROW, "01Q1", Plan),
        (Row("Contact", "0031"), "00G1", Refused),
        (Row("Contact", "0031"), "01Q1", Refused),
        (Row("Lead", "00Q1", {"OwnerId": "0059"}), "0059", Nothing),
        (Row("Lead", "00Q1", {"IsConverted": True}), "01Q1", Refused),
    ],
)
def test_owners(row: Row, owner: str, outcome: type) -> None:
    assert isinstance(ownership(LEAD, row, owner), outcome)


def test_a_row_is_ours_only_if_no_other_command_made_it_and_it_has_what_was_sent() -> None:
    rows = [Row("Task", f"00T{n}", {"WhoId": who}) for n, who in enumerate(["00Q1", "00Q2", "00Q1"])]
    assert [row.remote_id for row in made_by(rows, {"WhoId": "00Q1", "Subject": "x"}, ["00T0"])] == ["00T2"]
