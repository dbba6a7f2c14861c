"""Describes: what was recorded of real orgs, for the objects and fields that the emulator has."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.client import Client, differences, recorded
from tests.emulator.conftest import client_of

OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "Campaign", "Task", "Case", "OpportunityContactRole")
SAME = (
    "type", "createable", "updateable", "nillable", "length", "precision", "scale", "digits", "calculated",
    "autoNumber", "relationshipName", "idLookup", "defaultedOnCreate",
    "compoundFieldName",
)  # fmt: skip


def real(truth: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((truth / "describe" / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", OBJECTS)
def test_fields_are_those_of_a_real_org(salesforce_truth: Path, sf: Client, name: str) -> None:
    told = {field["name"]: field for field in real(salesforce_truth, name)["fields"]}
    ours = {field["name"]: field for field in sf.get(f"sobjects/{name}/describe").body["fields"]}
    both = told.keys() & ours.keys()
    assert len(both) >= min(len(told), 9)
    wrong = [
        f"{name}.{field}.{key}: {told[field][key]} became {ours[field][key]}"
        for field in sorted(both)
        for key in SAME
        if key in told[field] and told[field][key] != ours[field][key]
    ]
    assert not wrong
    assert all(set(ours[field]["referenceTo"]) <= set(told[field]["referenceTo"]) for field in both)


@pytest.mark.parametrize("name", ["Lead", "Account"])
def test_describe_has_the_recorded_keys(salesforce_truth: Path, sf: Client, name: str) -> None:
    told, ours = real(salesforce_truth, name), sf.get(f"sobjects/{name}/describe").body
    missing = told.keys() - ours.keys()
    assert not missing - {"implementedBy", "implementsInterfaces", "extendedBy", "extendsInterfaces"}, missing
    by_name = {field["name"]: field for field in ours["fields"]}
    for field in told["fields"]:
        if field["name"] in by_name:
            assert not field.keys() - by_name[field["name"]].keys(), field["name"]


def test_list_of_objects_has_the_recorded_shape(salesforce_truth: Path, sf: Client) -> None:
    told, ours = real(salesforce_truth, "global"), sf.get("sobjects").body
    assert (ours["encoding"], ours["maxBatchSize"]) == (told["encoding"], told["maxBatchSize"])
    assert set(ours["sobjects"][0]) >= set(told["sobjects"][0])


def test_basic_information_has_the_recorded_shape(salesforce_truth: Path, sf: Client) -> None:
    told = recorded(salesforce_truth, "rest/get-sobject-basic-info-200.json")
    assert list(sf.get("sobjects/Account").body) == list(told)


def test_hidden_fields_and_objects_are_absent(sf: Client) -> None:
    sf.control.hide(sf.org_id, "Lead.HasOptedOutOfEmail", "Campaign")
    names = {field["name"] for field in sf.get("sobjects/Lead/describe").body["fields"]}
    assert "HasOptedOutOfEmail" not in names
    assert "Email" in names
    assert sf.get("sobjects/Campaign/describe").status == 404
    assert "Campaign" not in {entry["name"] for entry in sf.get("sobjects").body["sobjects"]}


def test_fresh_orgs_hide_the_opt_out_where_asked(sf: Client) -> None:
    shy = client_of(sf.local, hide_opt_out=True)
    names = {field["name"] for field in shy.get("sobjects/Contact/describe").body["fields"]}
    assert not names & {"HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall"}


def test_altered_field_is_told(sf: Client) -> None:
    sf.control.change_field(sf.org_id, "Lead.Rating", restricted=True, values=["Hot", "Cold"])
    sf.control.change_field(sf.org_id, "Lead.Title", length=10, required=True)
    fields = {field["name"]: field for field in sf.get("sobjects/Lead/describe").body["fields"]}
    assert fields["Rating"]["restrictedPicklist"] is True
    assert [value["value"] for value in fields["Rating"]["picklistValues"]] == ["Hot", "Cold"]
    assert (fields["Title"]["length"], fields["Title"]["nillable"]) == (10, False)


def test_protected_field_is_told_as_read_only(sf: Client) -> None:
    sf.control.protect(sf.org_id, "Lead.Title")
    field = next(f for f in sf.get("sobjects/Lead/describe").body["fields"] if f["name"] == "Title")
    assert (field["createable"], field["updateable"]) == (False, False)


def test_package_fields_are_external_ids_where_installed(sf: Client) -> None:
    fields = {field["name"]: field for field in sf.get("sobjects/Contact/describe").body["fields"]}
    assert (fields["Syncline_Id__c"]["externalId"], fields["Syncline_Id__c"]["unique"]) == (True, True)
    bare = client_of(sf.local, package_fields=False)
    assert "Syncline_Id__c" not in {f["name"] for f in bare.get("sobjects/Contact/describe").body["fields"]}


def test_person_account_org_has_the_person_fields(sf: Client) -> None:
    rich = client_of(sf.local, person_accounts=True)
    names = {field["name"] for field in rich.get("sobjects/Account/describe").body["fields"]}
    assert {"IsPersonAccount", "PersonContactId", "PersonEmail", "FirstName", "LastName"} <= names
    types = rich.get("sobjects/Account/describe").body["recordTypeInfos"]
    assert "Person Account" in {entry["name"] for entry in types}


def test_versions_need_no_token(salesforce_truth: Path, sf: Client) -> None:
    sf.token = "none"
    told = recorded(salesforce_truth, "rest/list-versions-200.json")
    ours = sf.get("/services/data").body[: len(told)]
    assert [entry["url"] for entry in ours] == [entry["url"] for entry in told]
    assert [entry["label"] for entry in ours] == [entry["label"].replace("’", "'") for entry in told]


def test_limits_have_the_recorded_shape(salesforce_truth: Path, sf: Client) -> None:
    ours = sf.get("limits").body
    assert set(ours) <= set(recorded(salesforce_truth, "rest/limits-200.json"))
    assert not differences(
        recorded(salesforce_truth, "rest/limits-200.json")["DailyApiRequests"], ours["DailyApiRequests"]
    )
    counted = sf.get("limits/recordCount?sObjects=Account")
    assert counted.body == {"sObjects": [{"count": 0, "name": "Account"}]}
