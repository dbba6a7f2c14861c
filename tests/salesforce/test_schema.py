"""Describes of real orgs become schemas; what is hidden is absent."""

import json
from pathlib import Path

import pytest

from apps.domain.values import FieldType
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.schema import ObjectSchema, object_schema
from tests.salesforce.stub import Answer, Stub


def described(truth: Path, name: str) -> ObjectSchema:
    return object_schema(json.loads((truth / "describe" / f"{name}.json").read_text()))


@pytest.mark.parametrize(
    "name",
    ["Account", "Account.person-accounts", "Campaign", "Case", "Contact", "Contact.v42", "Custom__c", "Event",
     "Knowledge__kav", "Lead", "Lead.v42", "Opportunity", "OpportunityContactRole", "Task"],
)  # fmt: skip
def test_every_recorded_describe_is_read_and_survives_storage(salesforce_truth: Path, name: str) -> None:
    answer = json.loads((salesforce_truth / "describe" / f"{name}.json").read_text())
    schema = object_schema(answer)
    assert len(schema.fields) == len(answer["fields"])
    assert {field.type for field in schema.fields.values()} <= set(FieldType)
    assert ObjectSchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_required_fields_of_a_lead(salesforce_truth: Path) -> None:
    lead = described(salesforce_truth, "Lead")
    assert {name for name, field in lead.fields.items() if field.is_required_on_create} == {"LastName", "Company"}


def test_opt_out_hidden_from_the_sync_user_is_absent(salesforce_truth: Path) -> None:
    assert "HasOptedOutOfEmail" not in described(salesforce_truth, "Lead").fields


def test_what_is_a_view_of_its_parts_is_known(salesforce_truth: Path) -> None:
    lead = described(salesforce_truth, "Lead").fields
    assert lead["Address"].is_compound
    assert (lead["City"].part_of, lead["City"].is_compound) == ("Address", False)


def test_keys_numbers_and_choices(salesforce_truth: Path) -> None:
    lead = described(salesforce_truth, "Lead").fields
    assert (lead["Id"].id_lookup, lead["Email"].id_lookup, lead["LastName"].id_lookup) == (True, True, False)
    account = described(salesforce_truth, "Account").fields
    assert (account["AnnualRevenue"].precision, account["AnnualRevenue"].scale) == (18, 0)
    assert lead["Status"].default_choice in {value for value, _ in lead["Status"].picklist}


def test_schema_stored_by_an_older_release_is_read(salesforce_truth: Path) -> None:
    data = described(salesforce_truth, "Lead").to_dict()
    for field in data["fields"].values():
        for name in ("precision", "unique", "id_lookup", "auto_number", "part_of", "default_choice"):
            del field[name]
    assert ObjectSchema.from_dict(data).fields["LastName"].label == "Last Name"


def test_global_describe_lists_every_object(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = json.loads((salesforce_truth / "describe" / "global.json").read_text())
    stub.say(Answer(200, answer))
    found = gateway.sobjects()
    assert len(found) == len(answer["sobjects"])
    assert {"Lead", "Account"} <= {item["name"] for item in found}


def test_record_types_are_known_by_name_without_the_one_that_stands_for_none(salesforce_truth: Path) -> None:
    account = described(salesforce_truth, "Account.person-accounts")
    assert ("0125j000000RqVlAAK", "Organization") in account.record_types
    assert "Master" not in dict(account.record_types).values()
    assert described(salesforce_truth, "Lead").record_types == ()
