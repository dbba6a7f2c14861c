"""Bulk ingest jobs: from Open to the three result files."""

from pathlib import Path
from typing import Any

import pytest

from tests.emulator.client import Client, Told, differences, recorded

JOBS = "jobs/ingest"


def create(sf: Client, operation: str, sobject: str = "Lead", **facts: Any) -> Told:
    return sf.post(JOBS, {"object": sobject, "operation": operation, "contentType": "CSV", **facts})


def run(sf: Client, operation: str, content: str, **facts: Any) -> str:
    """Open, upload and close; answers the job's id."""
    job = str(create(sf, operation, **facts).body["id"])
    assert sf.call("PUT", f"{JOBS}/{job}/batches", content.encode(), Content_Type="text/csv").status == 201
    assert sf.patch(f"{JOBS}/{job}", {"state": "UploadComplete"}).status == 200
    return job


def rows(sf: Client, job: str, which: str) -> list[dict[str, str]]:
    return sf.get(f"{JOBS}/{job}/{which}/").rows


def upsert(sf: Client, content: str) -> str:
    return run(sf, "upsert", content, externalIdFieldName="Syncline_Id__c")


def test_job_answers_as_recorded_at_each_step(salesforce_truth: Path, sf: Client) -> None:
    made = create(sf, "upsert", externalIdFieldName="Syncline_Id__c")
    assert not differences(recorded(salesforce_truth, "bulk2/ingest-create-open.json"), made.body)
    path = f"{JOBS}/{made.body['id']}"
    upload = sf.call("PUT", f"/{made.body['contentUrl']}", b"Syncline_Id__c,LastName,Company\na,L,C\n")
    assert (upload.status, upload.text) == (201, "")
    closed = sf.patch(path, {"state": "UploadComplete"})
    assert not differences(recorded(salesforce_truth, "bulk2/ingest-patch-uploadcomplete.json"), closed.body)
    told = sf.get(path)
    assert not differences(recorded(salesforce_truth, "bulk2/ingest-info-jobcomplete.json"), told.body)
    assert (told.body["state"], told.body["numberRecordsProcessed"]) == ("JobComplete", 1)
    deletion = create(sf, "delete")
    assert not differences(recorded(salesforce_truth, "bulk2/ingest-delete-create-open.json"), deletion.body)


def test_each_row_has_one_fate_and_keeps_its_cells(salesforce_truth: Path, sf: Client) -> None:
    known = sf.lead(Syncline_Id__c="old")
    content = "Syncline_Id__c,LastName,Company,AnnualRevenue\nold,Changed,C,1\nnew,L,C,2\nbad,,C,3\nworse,L,C,many\n"
    job = upsert(sf, content)
    good = {row["Syncline_Id__c"]: row for row in rows(sf, job, "successfulResults")}
    assert (good["old"]["sf__Id"], good["old"]["sf__Created"]) == (known, "false")
    assert (good["new"]["sf__Created"], good["new"]["AnnualRevenue"]) == ("true", "2")
    bad = {row["Syncline_Id__c"]: row for row in rows(sf, job, "failedResults")}
    assert bad["bad"]["sf__Error"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert "is not a valid value for the type xsd:double" in bad["worse"]["sf__Error"]
    real = (salesforce_truth / "recorded" / "bulk2" / "ingest-failedResults.csv").read_text().splitlines()[0]
    assert real.startswith('"sf__Id","sf__Error",')
    assert sf.get(f"{JOBS}/{job}/failedResults/").text.startswith('"sf__Id","sf__Error",Syncline_Id__c,LastName')
    told = sf.get(f"{JOBS}/{job}").body
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (4, 2)
    assert not differences(recorded(salesforce_truth, "bulk2/ingest-info-jobcomplete-partial.json"), told)


def test_empty_cell_says_nothing_and_its_own_sign_clears(sf: Client) -> None:
    own = sf.lead(Title="Boss", Phone="1")
    run(sf, "update", f"Id,Title,Phone\n{own},,#N/A\n")
    assert sf.rows("SELECT Title, Phone FROM Lead") == [{"Title": "Boss", "Phone": None}]


def test_deleted_row_is_told_so(sf: Client) -> None:
    own = sf.lead()
    sf.control.delete(sf.org_id, "Lead", own)
    job = run(sf, "update", f"Id,Title\n{own},x\n")
    (row,) = rows(sf, job, "failedResults")
    assert row["sf__Error"].startswith("ENTITY_IS_DELETED:entity is deleted:")


def test_unknown_column_fails_the_job_as_recorded(salesforce_truth: Path, sf: Client) -> None:
    job = upsert(sf, "Syncline_Id__c,LastName,Company,Nope__c\n1,A,B,C\n")
    told = sf.get(f"{JOBS}/{job}").body
    assert not differences(recorded(salesforce_truth, "bulk2/ingest-info-failed.json"), told)
    assert (told["state"], told["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Nope__c")
    assert sf.rows("SELECT Id FROM Lead") == []


def test_parents_may_be_named_by_their_key(sf: Client) -> None:
    sf.control.create(sf.org_id, "Account", Name="Acme", Syncline_Id__c="acme")
    run(sf, "insert", "LastName,Account.Syncline_Id__c\nA,acme\n", sobject="Contact")
    assert sf.rows("SELECT Account.Name FROM Contact")[0]["Account"]["Name"] == "Acme"


def test_deletion_and_hard_deletion(sf: Client) -> None:
    soft, hard = sf.lead(), sf.lead()
    run(sf, "delete", f"Id\n{soft}\n")
    run(sf, "hardDelete", f"Id\n{hard}\n")
    assert sf.rows("SELECT Id FROM Lead", everything=True) == [{"Id": soft}]


def test_content_comes_once_and_in_one_piece(sf: Client) -> None:
    job = run(sf, "insert", "LastName,Company\nA,B\n")
    assert sf.call("PUT", f"{JOBS}/{job}/batches", b"LastName,Company\nA,B\n").code == "INVALIDJOBSTATE"
    assert sf.patch(f"{JOBS}/{job}", {"state": "UploadComplete"}).code == "INVALIDJOBSTATE"
    assert len(sf.rows("SELECT Id FROM Lead")) == 1


def test_small_data_may_come_with_the_job(sf: Client) -> None:
    body = (
        '--B\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="job"\r\n\r\n'
        '{"object":"Lead","operation":"insert","contentType":"CSV"}\r\n'
        '--B\r\nContent-Type: text/csv\r\nContent-Disposition: form-data; name="content"; filename="content"\r\n\r\n'
        "LastName,Company\nA,B\n\r\n--B--\r\n"
    )
    told = sf.call("POST", JOBS, body.encode(), Content_Type="multipart/form-data; boundary=B")
    assert told.status == 200
    assert len(sf.rows("SELECT Id FROM Lead")) == 1


def test_aborted_job_writes_nothing(sf: Client) -> None:
    job = create(sf, "insert").body["id"]
    sf.call("PUT", f"{JOBS}/{job}/batches", b"LastName,Company\nA,B\n")
    assert sf.patch(f"{JOBS}/{job}", {"state": "Aborted"}).body["state"] == "Aborted"
    assert sf.rows("SELECT Id FROM Lead") == []


def test_job_that_dies_half_way_keeps_what_it_wrote(sf: Client) -> None:
    sf.control.doom_jobs(sf.org_id, "ingest", "fail", after_rows=2)
    job = run(sf, "insert", "LastName,Company\nA,X\nB,X\nC,X\nD,X\n")
    told = sf.get(f"{JOBS}/{job}").body
    assert (told["state"], told["numberRecordsProcessed"]) == ("Failed", 2)
    assert [row["LastName"] for row in rows(sf, job, "successfulResults")] == ["A", "B"]
    assert [row["LastName"] for row in rows(sf, job, "unprocessedrecords")] == ["C", "D"]
    assert len(sf.rows("SELECT Id FROM Lead")) == 2


@pytest.mark.parametrize(("what", "state"), [("stall", "InProgress"), ("abort", "Aborted")])
def test_doomed_job_writes_nothing(sf: Client, what: str, state: str) -> None:
    sf.control.doom_jobs(sf.org_id, "ingest", what)
    job = run(sf, "insert", "LastName,Company\nA,X\n")
    assert sf.get(f"{JOBS}/{job}").body["state"] == state
    assert sf.rows("SELECT Id FROM Lead") == []


def test_wrong_jobs_are_refused(sf: Client) -> None:
    assert create(sf, "munge").code == "INVALIDJOB"
    assert create(sf, "insert", "Nope").code == "INVALIDENTITY"
    assert create(sf, "upsert", externalIdFieldName="Title").code == "INVALIDJOB"


def test_other_delimiters_and_line_ends(sf: Client) -> None:
    run(sf, "insert", 'LastName;Company\r\n"A;1";B\r\n', columnDelimiter="SEMICOLON", lineEnding="CRLF")
    assert sf.rows("SELECT LastName FROM Lead") == [{"LastName": "A;1"}]
