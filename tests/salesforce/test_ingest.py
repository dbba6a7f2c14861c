"""Bulk writes as steps: streamed up, read back row by row, in whatever order Salesforce likes."""

import io
import json
from pathlib import Path

import pytest

from apps.domain.failures import Category, JobLost, Transient
from apps.domain.ports import WriteOperation
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.ingest import CLEAR
from tests.salesforce.conftest import Tokens
from tests.salesforce.stub import EXPIRED, Answer, Stub, recorded

JOB = "750ak000009BWKLAA4"
CSV = {"Content-Type": "text/csv"}


def test_job_is_opened_for_its_object_and_key(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "bulk2/ingest-create-open.json"))
    job = gateway.ingest.create("Opportunity", WriteOperation.UPSERT, key_field="external_id__c")
    assert (job.id, job.state) == (JOB, "Open")
    assert stub.asked[0].path == "/services/data/v66.0/jobs/ingest"
    assert stub.asked[0].json == {
        "object": "Opportunity",
        "operation": "upsert",
        "externalIdFieldName": "external_id__c",
        "contentType": "CSV",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }


def test_rows_are_sent_once_more_from_their_start_after_a_renewal(
    gateway: SalesforceGateway, stub: Stub, tokens: Tokens
) -> None:
    content = f"Id,Email\n003000000000001AAA,{CLEAR}\n".encode() * 1000
    stub.say(EXPIRED, Answer(201))
    gateway.ingest.upload(JOB, io.BytesIO(content))
    assert [call.body for call in stub.asked] == [content, content]
    assert {(call.method, call.path) for call in stub.asked} == {
        ("PUT", f"/services/data/v66.0/jobs/ingest/{JOB}/batches")
    }
    assert tokens.renewals == 1


def test_closing_starts_the_work(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "bulk2/ingest-patch-uploadcomplete.json"))
    assert gateway.ingest.close(JOB).state == "UploadComplete"
    assert stub.asked[0].json == {"state": "UploadComplete"}


def test_complete_job_may_hold_refused_rows(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "bulk2/ingest-info-jobcomplete-partial.json"))
    job = gateway.ingest.look(JOB)
    assert (job.is_complete, job.processed, job.failed) == (True, 8, 1)


def test_failed_job_tells_why(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "bulk2/ingest-info-failed.json")
    stub.say(answer)
    job = gateway.ingest.look(JOB)
    assert (job.is_lost, job.message) == (True, answer.body["errorMessage"])


def test_recorded_refusals_are_read_with_what_was_sent(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    text = (salesforce_truth / "recorded" / "bulk2" / "ingest-failedResults.csv").read_bytes()
    stub.say(Answer(200, text, CSV))
    (row,) = gateway.ingest.failures(JOB)
    assert row.sent["external_id__c"] == "external-id-3"
    assert set(row.sent) == {"Name", "StageName", "external_id__c", "CloseDate"}
    (failure,) = row.result.failures
    assert (failure.category, failure.fields, row.result.is_success) == (
        Category.INVALID_VALUE,
        ("CloseDate",),
        False,
    )


def test_locked_rows_are_told_from_bad_references(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    text = (salesforce_truth / "recorded" / "bulk2" / "quoted-failedResults-lock.csv").read_bytes()
    stub.say(Answer(200, text, CSV))
    found = [row.result.failures[0].category for row in gateway.ingest.failures(JOB)]
    assert found == [Category.ROW_LOCKED, Category.BAD_REFERENCE]


def test_line_breaks_inside_cells_stay_inside(gateway: SalesforceGateway, stub: Stub) -> None:
    text = (
        '"sf__Id","sf__Created",Key,Note\n"001A","true","k1","one\r\ntwo\u2028three, ""x"""\n"001B","false","k2",""\n'
    )
    stub.say(Answer(200, text, CSV))
    rows = list(gateway.ingest.successes(JOB))
    assert [(row.result.remote_id, row.result.created) for row in rows] == [("001A", True), ("001B", False)]
    assert rows[0].sent == {"Key": "k1", "Note": 'one\r\ntwo\u2028three, "x"'}


def test_rows_never_tried_come_back_as_sent(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, "\ufeffKey,Note\nk1,é\n", CSV))
    assert list(gateway.ingest.unprocessed(JOB)) == [{"Key": "k1", "Note": "é"}]
    assert stub.asked[0].path.endswith("/unprocessedrecords/")


@pytest.mark.parametrize("cut", [45, 70, 100])
def test_results_cut_short_are_an_outage(gateway: SalesforceGateway, stub: Stub, cut: int) -> None:
    text = '"sf__Id","sf__Created",Key\n' + '"001A","true","k\n1"\n' * 20
    stub.say(Answer(200, text, CSV, cut=cut))
    with pytest.raises(Transient):
        list(gateway.ingest.successes(JOB))


def test_results_that_end_inside_a_cell_are_an_outage(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, '"sf__Id","sf__Created",Key\n"001A","tr', CSV))
    with pytest.raises(Transient):
        list(gateway.ingest.successes(JOB))


def test_page_of_html_is_no_result(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, "<html>maintenance</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Transient):
        list(gateway.ingest.successes(JOB))


def test_lost_job_and_ended_job(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(404, json.dumps([{"errorCode": "NOT_FOUND", "message": "gone"}])))
    with pytest.raises(JobLost):
        gateway.ingest.look(JOB)
    stub.say(Answer(400, [{"errorCode": "INVALIDJOBSTATE", "message": "Aborting already Completed Job not allowed"}]))
    gateway.ingest.abort(JOB)
    stub.say(Answer(204))
    gateway.ingest.delete(JOB)
    assert [call.method for call in stub.asked] == ["GET", "PATCH", "DELETE"]
