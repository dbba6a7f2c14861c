"""Which field fits which, each way, with the reason where it does not (C09)."""

import pytest

from apps.audience.fields import local_field
from apps.field_mappings.compatibility import inbound_refusal, outbound_refusal, pair_refusal
from tests.field_mappings.plain import LEAD

FIELDS = {field.name: field for field in LEAD}


@pytest.mark.parametrize(
    ("remote", "local", "inbound", "outbound"),
    [
        ("Title", "title", "", ""),
        ("Email", "email", "", ""),
        ("AnnualRevenue", "annual_revenue", "", ""),
        ("NumberOfEmployees", "title", "", "takes the type whole number, and “Title” holds text"),
        ("Title", "employees", "takes a whole number, and “Title” is of the type text", ""),
        ("Birthday__c", "birthdate", "", ""),
        ("Birthday__c", "title", "", "takes the type date"),
        ("Title", "birthdate", "takes a date", ""),
        ("HasDrone__c", "title", "", "takes the type checkbox"),
        ("Name", "title", "", "calculated by Salesforce"),
        ("Id", "title", "", "read-only in Salesforce"),
        ("OwnerId", "owner", "", ""),
        ("OwnerId", "title", "", "takes the type lookup"),
        ("Partner__c", "owner", "looks up Account", "looks up Account"),
        ("Partner__c", "company", "", ""),
        ("Title", "owner", "takes another record", "takes the type text"),
        ("Address", "street", "consists of other fields", "consists of other fields"),
        ("Status", "lead_status", "", ""),
    ],
)
def test_each_way_is_judged_by_itself(remote: str, local: str, inbound: str, outbound: str) -> None:
    theirs, ours = FIELDS[remote], local_field("person", local)
    for found, expected in ((inbound_refusal(theirs, ours), inbound), (outbound_refusal(theirs, ours), outbound)):
        assert expected in found if expected else found == ""
    assert bool(pair_refusal(theirs, ours)) == bool(inbound and outbound)
