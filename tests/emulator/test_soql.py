"""Queries: the whole collection of real ones, the recorded refusals, and what a sync asks."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.control import ControlRefused
from emulator.soql.errors import SoqlError
from emulator.soql.parser import parse
from tests.emulator.client import Client, differences, recorded
from tests.emulator.conftest import client_of

NOT_REST = (":foo", ":new Map", "\\nFROM")
"""Apex variables, and a line break spelled as two characters by the collection."""


def corpus(truth: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((truth / "soql" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_every_query_that_salesforce_answers_is_understood(salesforce_truth: Path) -> None:
    valid = [entry["soql"] for entry in corpus(salesforce_truth, "valid")]
    asked = [soql for soql in valid if not any(mark in soql for mark in NOT_REST)]
    assert len(asked) > 360
    for soql in asked:
        parse(soql)


def test_queries_of_standard_fields_are_answered(salesforce_truth: Path, sf: Client) -> None:
    sf.control.seed(sf.org_id, leads=20, contacts=20, accounts=10, campaigns=2, members=10)
    statuses = [sf.query(entry["soql"]) for entry in corpus(salesforce_truth, "valid")]
    assert sum(answer.status == 200 for answer in statuses) > 190
    codes = {answer.code for answer in statuses if answer.status != 200}
    assert codes <= {"INVALID_TYPE", "INVALID_FIELD", "MALFORMED_QUERY", "INVALID_QUERY_FILTER_OPERATOR"}


def test_every_query_that_salesforce_refuses_is_refused(salesforce_truth: Path, sf: Client) -> None:
    for entry in corpus(salesforce_truth, "invalid"):
        assert sf.query(entry["soql"]).status == 400, entry["soql"]


OWN_FIELDS = {
    "Contact": (
        "Email_alt__c Faculty_Confirmed_Date__c Faculty_Verified__c School_Type__c SendFacultyVerificationTo__c "
        "All_Emails__c Confirmed_Emails__c Adoption_Status__c Grant_Tutor_Access__c BRI_Marketing__c Title_1_school__c"
    ),
    "Individual_Adoption__c": "Contact__c",
    "OS_Ancillary__c": (
        "Status__c Product__c Account_Type__c Book_Name__c Class_Start_Date__c Course_Name__c Course_Code__c "
        "External_ID__c E_Created_Date__c Error__c General_Access_URL__c Teacher_Join_URL__c School_Name__c "
        "Active_Teachers__c Sections__c Students_Using__c TermYear__c Opportunity__c"
    ),
}


def test_recorded_refusals_come_to_the_letter(salesforce_truth: Path, sf: Client) -> None:
    told = [entry for entry in corpus(salesforce_truth, "invalid") if entry["proof"] == "recorded"]
    assert len(told) == 6
    for name, fields in OWN_FIELDS.items():
        made = [{"sobject": name, "name": field} for field in fields.split()]
        if name == "Contact":
            sf.control.add_fields(sf.org_id, *made)
        else:
            sf.control.add_object(sf.org_id, name, *made)
    for entry in told:
        assert sf.query(entry["soql"]).body == [{"message": entry["message"], "errorCode": entry["errorCode"]}]


@pytest.mark.parametrize(
    ("name", "soql"),
    [
        ("query/contacts-200.json", "SELECT Id, Name FROM Contact"),
        ("query/empty-200.json", "SELECT Id FROM Contact WHERE Name = 'nobody'"),
        ("query/aggregate-200.json", "SELECT COUNT(Id) FROM Contact"),
        ("rest/netcoreforce-count_query-200.json", "SELECT COUNT() FROM Contact"),
    ],
)
def test_answers_have_the_recorded_shape(salesforce_truth: Path, sf: Client, name: str, soql: str) -> None:
    sf.control.seed(sf.org_id, contacts=3, accounts=2)
    real = recorded(salesforce_truth, name)
    ours = sf.query(soql).body
    assert list(ours) == list(real)
    assert (ours["records"] == []) == (real["records"] == [])
    if real["records"]:
        assert next(iter(ours["records"][0])) == next(iter(real["records"][0])) == "attributes"
        assert not differences(real["records"][0]["attributes"], ours["records"][0]["attributes"])


def test_large_result_comes_in_pages_that_name_the_next(salesforce_truth: Path, sf: Client) -> None:
    sf.control.seed(sf.org_id, leads=4100)
    first = sf.query("SELECT Id FROM Lead")
    assert list(first.body) == list(recorded(salesforce_truth, "query/first-page-nextRecordsUrl-200.json"))
    assert (first.body["totalSize"], len(first.body["records"]), first.body["done"]) == (4100, 2000, False)
    seen = {row["Id"] for row in first.body["records"]}
    page = first
    while not page.body["done"]:
        page = sf.get(page.body["nextRecordsUrl"])
        seen |= {row["Id"] for row in page.body["records"]}
    assert len(seen) == 4100
    assert page.body["totalSize"] == 4100


def test_page_size_is_a_wish_within_bounds(sf: Client) -> None:
    sf.control.seed(sf.org_id, leads=300)
    assert len(sf.query("SELECT Id FROM Lead", Sforce_Query_Options="batchSize=250").body["records"]) == 250
    assert len(sf.query("SELECT Id FROM Lead", Sforce_Query_Options="batchSize=1").body["records"]) == 200


def test_row_deleted_between_pages_vanishes_and_the_cursor_goes_on(sf: Client) -> None:
    sf.control.seed(sf.org_id, leads=2100)
    first = sf.query("SELECT Id, IsDeleted FROM Lead ORDER BY Id")
    gone = sf.rows("SELECT Id FROM Lead ORDER BY Id DESC LIMIT 1")[0]["Id"]
    sf.control.purge(sf.org_id, "Lead", gone)
    second = sf.get(first.body["nextRecordsUrl"])
    assert len(second.body["records"]) == 99


def test_expired_cursor_is_refused(sf: Client) -> None:
    sf.control.seed(sf.org_id, leads=2100)
    following = sf.query("SELECT Id FROM Lead").body["nextRecordsUrl"]
    sf.control.expire_cursors(sf.org_id)
    answer = sf.get(following)
    assert (answer.status, answer.code) == (400, "INVALID_QUERY_LOCATOR")


def test_deleted_and_merged_rows_are_seen_by_query_all_only(sf: Client) -> None:
    winner, loser, gone = (sf.lead(LastName=name) for name in ("Winner", "Loser", "Gone"))
    sf.control.merge(sf.org_id, "Lead", winner, loser)
    sf.control.delete(sf.org_id, "Lead", gone)
    soql = "SELECT Id, IsDeleted, MasterRecordId FROM Lead ORDER BY Id"
    assert [row["Id"] for row in sf.rows(soql)] == [winner]
    assert sf.rows(soql, everything=True) == [
        {"Id": winner, "IsDeleted": False, "MasterRecordId": None},
        {"Id": loser, "IsDeleted": True, "MasterRecordId": winner},
        {"Id": gone, "IsDeleted": True, "MasterRecordId": None},
    ]


def test_more_equal_stamps_than_a_page_holds_are_read_by_key_once_each(sf: Client) -> None:
    sf.control.stop_clock(sf.org_id, "2026-11-24T10:00:00Z")
    ids = sorted(sf.lead(LastName=f"L{n}") for n in range(25))
    seen: list[str] = []
    after = ""
    while True:
        stamp = "2026-11-24T10:00:00.000Z"
        key = f" AND (SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{after}'))" if after else ""
        where = f"SystemModstamp >= {stamp} AND SystemModstamp < 2026-11-24T10:00:01.000Z{key}"
        rows = sf.rows(f"SELECT Id FROM Lead WHERE {where} ORDER BY SystemModstamp, Id LIMIT 10", everything=True)
        if not rows:
            break
        seen += [row["Id"] for row in rows]
        after = seen[-1]
    assert seen == ids


def test_parent_without_a_row_is_null_and_any_other_is_an_object(sf: Client) -> None:
    account = sf.control.create(sf.org_id, "Account", Name="Acme")
    sf.control.create(sf.org_id, "Contact", LastName="In", AccountId=account)
    sf.control.create(sf.org_id, "Contact", LastName="Out")
    found = sf.rows("SELECT LastName, Account.Name FROM Contact ORDER BY LastName")
    assert found[0]["Account"]["Name"] == "Acme"
    assert found[0]["Account"]["attributes"]["type"] == "Account"
    assert found[1]["Account"] is None


@pytest.mark.parametrize(
    ("test", "names"),
    [
        ("Title = 'Boss'", ["A"]),
        ("Title = 'boss'", ["A"]),
        ("Title != 'Boss'", ["B", "C"]),
        ("Title = NULL", ["B"]),
        ("Title = ''", ["B"]),
        ("Title NOT IN ('Boss')", ["B", "C"]),
        ("Title LIKE '%o_s%'", ["A"]),
        ("Title LIKE '100\\%'", ["C"]),
        ("LastName IN ('A', 'C') AND Title = 'Boss'", ["A"]),
        ("(NOT Title = 'Boss')", ["B", "C"]),
        ("HasOptedOutOfEmail = TRUE", ["C"]),
        ("AnnualRevenue >= 10.5", ["B"]),
        ("CreatedDate = TODAY", ["A", "B", "C"]),
        ("CreatedDate < LAST_N_DAYS:2", []),
        ("Company IN (SELECT Name FROM Account)", ["A"]),
    ],
)
def test_conditions_find_what_soql_says(sf: Client, test: str, names: list[str]) -> None:
    sf.control.create(sf.org_id, "Account", Name="Known")
    sf.lead(LastName="A", Title="Boss", Company="Known")
    sf.lead(LastName="B", AnnualRevenue=10.5)
    sf.lead(LastName="C", Title="100%", HasOptedOutOfEmail=True)
    assert [row["LastName"] for row in sf.rows(f"SELECT LastName FROM Lead WHERE {test} ORDER BY LastName")] == names


def test_text_with_every_odd_character_is_found(sf: Client) -> None:
    sf.lead(LastName='O\'Neil "x" \\ 100%_é😀')
    assert len(sf.rows("SELECT Id FROM Lead WHERE LastName = 'O\\'Neil \\\"x\\\" \\\\ 100%_é😀'")) == 1


def test_hidden_field_is_no_column(sf: Client) -> None:
    sf.control.hide(sf.org_id, "Lead.Email", "Campaign")
    answer = sf.query("SELECT Id, Email FROM Lead")
    assert answer.code == "INVALID_FIELD"
    assert "No such column 'Email' on entity 'Lead'" in answer.body[0]["message"]
    assert sf.query("SELECT Id FROM Campaign").code == "INVALID_TYPE"


def test_org_without_campaigns_does_not_know_them(sf: Client) -> None:
    poor = client_of(sf.local, campaigns=False)
    assert poor.query("SELECT Id FROM CampaignMember").code == "INVALID_TYPE"


def test_parser_says_where_it_stopped() -> None:
    with pytest.raises(SoqlError) as caught:
        parse("SELECT Id FROM Lead WHERE")
    assert caught.value.code == "MALFORMED_QUERY"
    assert "unexpected token: '<EOF>'" in caught.value.message


def test_queries_have_a_longest_address_and_a_longest_text(sf: Client) -> None:
    def soql(size: int) -> str:
        return "SELECT Id FROM Lead WHERE LastName = '" + "x" * size + "'"

    assert sf.query(soql(15_000)).status == 200
    assert sf.query(soql(17_000)).status == 414
    body = {
        "compositeRequest": [
            {"method": "GET", "referenceId": "q", "url": f"/services/data/v66.0/query?q={soql(99_000)}"}
        ]
    }
    assert sf.post("composite", body).body["compositeResponse"][0]["httpStatusCode"] == 200
    with pytest.raises(ControlRefused) as caught:
        sf.control.query(sf.org_id, soql(100_000))
    assert caught.value.code == "MALFORMED_QUERY"
