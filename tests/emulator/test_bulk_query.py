"""Bulk query jobs: states, pages, refusals, and jobs that come to nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.client import Client, Told, differences, recorded
from tests.emulator.conftest import client_of

JOBS = "jobs/query"


def create(sf: Client, soql: str, operation: str = "query") -> Told:
    return sf.post(JOBS, {"operation": operation, "query": soql})


def results(sf: Client, job_id: str, **parameters: Any) -> Told:
    asked = "&".join(f"{name}={value}" for name, value in parameters.items())
    return sf.get(f"{JOBS}/{job_id}/results?{asked}")


def test_job_answers_as_recorded_at_each_step(salesforce_truth: Path, sf: Client) -> None:
    made = create(sf, "SELECT Id, Name FROM Account")
    assert not differences(recorded(salesforce_truth, "bulk2/query-create.json"), made.body)
    assert made.body["state"] == "UploadComplete"
    told = sf.get(f"{JOBS}/{made.body['id']}")
    assert not differences(recorded(salesforce_truth, "bulk2/doc-query-job-jobcomplete.json"), told.body)
    assert told.body["state"] == "JobComplete"


def test_pages_have_headers_counts_and_locators(salesforce_truth: Path, sf: Client) -> None:
    sf.control.seed(sf.org_id, accounts=5)
    job = create(sf, "SELECT Name, Id FROM Account").body["id"]
    seen: list[str] = []
    locator = ""
    while locator != "null":
        page = results(sf, job, maxRecords=2, locator=locator)
        assert page.text.startswith('"Name","Id"\n')
        assert page.headers["content-type"] == "text/csv; charset=UTF-8"
        assert len(page.rows) == int(page.headers["sforce-numberofrecords"]) <= 2
        seen += [row["Id"] for row in page.rows]
        locator = page.headers["sforce-locator"]
    assert len(seen) == len(set(seen)) == 5
    assert results(sf, job, maxRecords=2).text == results(sf, job, maxRecords=2).text


def test_empty_result_is_its_header(sf: Client) -> None:
    told = results(sf, create(sf, "SELECT Id FROM Account").body["id"])
    assert (told.text, told.headers["sforce-locator"], told.headers["sforce-numberofrecords"]) == (
        '"Id"\n',
        "null",
        "0",
    )


def test_values_come_as_text_bit_by_bit(sf: Client) -> None:
    odd = 'a "b", c\r\nd\te\'😀 N/A #N/A ﻿x'
    sf.lead(LastName="N/A", Description=odd, HasOptedOutOfEmail=True, AnnualRevenue=1234567.4)
    soql = "SELECT LastName, Description, HasOptedOutOfEmail, AnnualRevenue, Title, CreatedDate FROM Lead"
    row = results(sf, create(sf, soql).body["id"]).rows[0]
    assert row["Description"] == odd
    assert (row["LastName"], row["HasOptedOutOfEmail"], row["Title"]) == ("N/A", "true", "")
    assert float(row["AnnualRevenue"]) == 1234567  # it has no decimals
    assert row["CreatedDate"].endswith("Z")


def test_deleted_rows_are_there_on_request(sf: Client) -> None:
    lead = sf.lead()
    sf.control.delete(sf.org_id, "Lead", lead)
    soql = "SELECT Id, IsDeleted FROM Lead"
    assert results(sf, create(sf, soql).body["id"]).rows == []
    assert results(sf, create(sf, soql, "queryAll").body["id"]).rows == [{"Id": lead, "IsDeleted": "true"}]


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT BillingAddress FROM Account", "API_ERROR", "Selecting compound data not supported in Bulk Query"),
        ("SELECT COUNT() FROM Account", "API_ERROR", "not supported in Bulk Query"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR", "not supported in Bulk Query"),
        ("SELECT Id FROM Account OFFSET 5", "API_ERROR", "not supported in Bulk Query"),
        ("SELECT Id FROM LeadStatus", "INVALIDENTITY", "LeadStatus is not supported by the Bulk API"),
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope'"),
        ("oops", "MALFORMED_QUERY", "unexpected token"),
    ],
)
def test_queries_that_bulk_does_not_take(sf: Client, soql: str, code: str, words: str) -> None:
    told = create(sf, soql)
    assert (told.status, told.code) == (400, code)
    assert words in told.body[0]["message"]


def test_compound_refusal_is_told_as_recorded(salesforce_truth: Path, sf: Client) -> None:
    told = create(sf, "SELECT BillingAddress FROM Account")
    assert told.body == recorded(salesforce_truth, "bulk2/err-compound-400.json")


def test_completed_job_cannot_be_aborted_but_deleted(salesforce_truth: Path, sf: Client) -> None:
    job = create(sf, "SELECT Id FROM Account").body["id"]
    told = sf.patch(f"{JOBS}/{job}", {"state": "Aborted"})
    assert (told.status, told.body) == (400, recorded(salesforce_truth, "bulk2/doc-query-abort-400.json"))
    assert sf.call("DELETE", f"{JOBS}/{job}").status == 204
    assert sf.get(f"{JOBS}/{job}").status == 404


def test_result_needs_the_version_that_asked(sf: Client) -> None:
    job = create(sf, "SELECT Id FROM Account").body["id"]
    assert sf.get(f"/services/data/v65.0/{JOBS}/{job}/results").status == 409


def test_jobs_of_another_org_are_unknown(sf: Client) -> None:
    job = create(sf, "SELECT Id FROM Account").body["id"]
    other = client_of(sf.local)
    assert other.get(f"{JOBS}/{job}").status == 404
    assert [entry["id"] for entry in sf.get(JOBS).body["records"]] == [job]
    assert other.get(JOBS).body["records"] == []


@pytest.mark.parametrize(("what", "state"), [("stall", "InProgress"), ("fail", "Failed"), ("abort", "Aborted")])
def test_doomed_job_brings_nothing_and_the_next_one_does(sf: Client, what: str, state: str) -> None:
    sf.control.doom_jobs(sf.org_id, "query", what)
    job = create(sf, "SELECT Id FROM Account").body["id"]
    assert sf.get(f"{JOBS}/{job}").body["state"] == state
    assert results(sf, job).code == "INVALIDJOBSTATE"
    following = create(sf, "SELECT Id FROM Account").body["id"]
    assert sf.get(f"{JOBS}/{following}").body["state"] == "JobComplete"


def test_stalled_job_can_be_aborted(sf: Client) -> None:
    sf.control.doom_jobs(sf.org_id, "query", "stall")
    job = create(sf, "SELECT Id FROM Account").body["id"]
    assert sf.patch(f"{JOBS}/{job}", {"state": "Aborted"}).body["state"] == "Aborted"


@pytest.mark.parametrize("state", ["Aborted", "Failed"])
def test_administrator_ends_a_job(sf: Client, state: str) -> None:
    job = create(sf, "SELECT Id FROM Account").body["id"]
    sf.control.end_job(sf.org_id, job, state)
    assert sf.get(f"{JOBS}/{job}").body["state"] == state
    assert results(sf, job).status == 400


def test_results_can_be_gone(sf: Client) -> None:
    job = create(sf, "SELECT Id FROM Account").body["id"]
    sf.control.end_job(sf.org_id, job, "gone")
    assert results(sf, job).status == 404


def test_wrong_locator_is_refused(sf: Client) -> None:
    job = create(sf, "SELECT Id FROM Account").body["id"]
    assert results(sf, job, locator="bm9uc2Vuc2U").code == "INVALID_QUERY_LOCATOR"
