"""Bulk queries as steps: nothing is held, no half is taken for whole, every step repeats (F02, F19, F26-F29)."""

import csv
import gzip
import io
import random
from pathlib import Path

import pytest

from apps.domain.failures import Category, Internal, JobLost, MappingBroken, Transient
from apps.salesforce.gateway import SalesforceGateway
from tests.salesforce.conftest import Tokens
from tests.salesforce.stub import EXPIRED, Answer, Stub, recorded

JOB = "7504W00000bkgnpQAA"
GONE = Answer(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])


def page_of(text: str | bytes, rows: int, locator: str = "null", **more: str) -> Answer:
    headers = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": str(rows), "Sforce-Locator": locator, **more}
    return Answer(200, text, headers)


def read(gateway: SalesforceGateway, locator: str = "") -> bytes:
    with gateway.bulk.page(JOB, locator=locator, max_records=1000) as page:
        parts = []
        while part := page.stream.read(4096):
            parts.append(part)
        return b"".join(parts)


def test_question_is_asked_once_and_answers_the_job_to_keep(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    stub.say(recorded(salesforce_truth, "bulk2/query-job-uploadcomplete-queryall-v57.json"))
    job = gateway.bulk.create("SELECT Id FROM Contact", include_deleted=True)
    assert (job.id, job.state, job.rows, job.is_complete, job.is_lost) == (JOB, "UploadComplete", 0, False, False)
    assert stub.asked[0].path == "/services/data/v66.0/jobs/query"
    assert stub.asked[0].json == {"operation": "queryAll", "query": "SELECT Id FROM Contact"}


@pytest.mark.parametrize(
    ("name", "complete"), [("doc-query-job-inprogress", False), ("doc-query-job-jobcomplete", True)]
)
def test_job_is_looked_at_without_waiting(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path, name: str, complete: bool
) -> None:
    stub.say(recorded(salesforce_truth, f"bulk2/{name}.json"))
    assert gateway.bulk.look(JOB).is_complete is complete
    assert len(stub.asked) == 1


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_job_that_ended_early_is_lost_with_its_reason(gateway: SalesforceGateway, stub: Stub, state: str) -> None:
    stub.say(Answer(200, {"id": JOB, "state": state, "errorMessage": "InvalidBatch"}))
    job = gateway.bulk.look(JOB)
    assert (job.is_lost, job.is_complete, job.message) == (True, False, "InvalidBatch")


@pytest.mark.parametrize("step", ["look", "page", "delete", "abort"])
def test_job_that_nobody_knows_is_lost(gateway: SalesforceGateway, stub: Stub, step: str) -> None:
    stub.say(GONE)
    with pytest.raises(JobLost) as lost:
        read(gateway) if step == "page" else getattr(gateway.bulk, step)(JOB)
    assert lost.value.category is Category.JOB_GONE


def test_result_of_another_api_version_is_lost(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(409, [{"errorCode": "API_ERROR", "message": "The API version does not match that of the job"}]))
    with pytest.raises(JobLost):
        read(gateway)


def test_pages_follow_their_locators_to_the_text_null(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    stub.say(
        recorded(salesforce_truth, "bulk2/doc-query-results-first.json"),
        recorded(salesforce_truth, "bulk2/doc-query-results-last.json"),
    )
    with gateway.bulk.page(JOB, locator="", max_records=50000) as first:
        assert (first.rows, first.next_locator) == (50000, "MTAwMDA")
        assert first.stream.read().startswith(b'"Id","Name"\n')
    with gateway.bulk.page(JOB, locator=first.next_locator, max_records=50000) as last:
        assert (last.rows, last.next_locator) == (1, "")
    assert [call.path.partition("?")[2] for call in stub.asked] == [
        "maxRecords=50000",
        "maxRecords=50000&locator=MTAwMDA",
    ]


def test_page_may_be_read_again_by_its_locator(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(page_of('"Id"\n"1"\n', 1, "MDowR2FIbjAwMDAwNXMyVDRLQUk6MQ"))
    assert read(gateway, "MDowR2FIbjAwMDAwNXMyVDRLQUk6MQ") == read(gateway, "MDowR2FIbjAwMDAwNXMyVDRLQUk6MQ")


def test_empty_result_is_a_header_only(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(page_of('"Id","Name"\n', 0))
    assert read(gateway) == b'"Id","Name"\n'


@pytest.mark.parametrize("rows", ["", "many", "-1"])
def test_page_without_its_row_count_is_not_a_page(gateway: SalesforceGateway, stub: Stub, rows: str) -> None:
    stub.say(Answer(200, "<html>maintenance</html>", {"Sforce-NumberOfRecords": rows} if rows else {}))
    with pytest.raises(Transient):
        read(gateway)


def test_page_cut_at_any_byte_is_noticed(gateway: SalesforceGateway, stub: Stub) -> None:
    whole = ('"Id","Name"\n' + "".join(f'"{n}","a ""quoted"", name\nof two lines"\n' for n in range(40))).encode()
    chosen = random.Random(7)  # repeatable
    for _ in range(150):
        answer = page_of(whole, 40)
        answer.cut = chosen.randrange(len(whole))
        stub.say(answer)
        with pytest.raises(Transient):
            read(gateway)
    stub.say(page_of(whole, 40))
    assert read(gateway) == whole


def test_compressed_page_cut_short_is_noticed(gateway: SalesforceGateway, stub: Stub) -> None:
    packed = gzip.compress(b'"Id"\n' + b'"0031"\n' * 5000)
    answer = page_of(packed, 5000, **{"Content-Encoding": "gzip"})
    stub.say(answer)
    assert read(gateway).count(b"\n") == 5001
    stub.say(Answer(answer.status, packed, answer.headers, cut=len(packed) // 2))
    with pytest.raises(Transient):
        read(gateway)


def test_dripping_page_is_left(gateway: SalesforceGateway, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.salesforce.bulk._PATIENCE", 0.1)
    answer = page_of("x" * 2000, 1)
    answer.drip = 0.02
    stub.say(answer)
    with pytest.raises(Transient) as failure:
        read(gateway)
    assert "slowly" in failure.value.message


def test_oddities_of_csv_arrive_as_they_are_except_nul(gateway: SalesforceGateway, stub: Stub) -> None:
    cells = [
        "N/A",
        "#N/A",
        'say "hi"',
        "a,b",
        "line\r\nbreak",
        "\ufeffbom",
        "=1+1",
        "😀",
        "x" * 131_072,
        "",
        " padded ",
    ]
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([f"F{n}" for n in range(len(cells))])
    writer.writerow(cells)
    stub.say(page_of(out.getvalue().replace("say", "s\0ay").encode(), 1))
    rows = list(csv.reader(io.StringIO(read(gateway).decode(), newline="")))
    assert rows[1] == cells


def test_reading_holds_one_piece_at_a_time(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(page_of(b"x" * 3_000_000, 1))
    with gateway.bulk.page(JOB, locator="", max_records=1) as page:
        pieces = []
        while piece := page.stream.read(1 << 20):
            pieces.append(len(piece))
    assert sum(pieces) == 3_000_000
    assert max(pieces) <= 1 << 18


@pytest.mark.parametrize("step", ["create", "look", "page", "delete"])
def test_token_that_expires_at_any_step_leaves_the_job_as_it_is(
    gateway: SalesforceGateway, stub: Stub, tokens: Tokens, step: str
) -> None:
    job = Answer(200, {"id": JOB, "state": "InProgress"})
    answers = {"create": job, "look": job, "page": page_of('"Id"\n', 0), "delete": Answer(204)}
    stub.say(EXPIRED, answers[step])
    match step:
        case "create":
            assert gateway.bulk.create("SELECT Id FROM Lead").id == JOB
        case "look":
            assert gateway.bulk.look(JOB).id == JOB
        case "page":
            assert read(gateway) == b'"Id"\n'
        case _:
            gateway.bulk.delete(JOB)
    assert (tokens.renewals, len({call.path for call in stub.asked}), len(stub.asked)) == (1, 1, 2)


def test_job_that_has_ended_cannot_be_aborted_and_need_not(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path
) -> None:
    stub.say(recorded(salesforce_truth, "bulk2/doc-query-abort-400.json"))
    gateway.bulk.abort(JOB)
    assert (stub.asked[0].method, stub.asked[0].json) == ("PATCH", {"state": "Aborted"})


def test_object_without_bulk_is_told_apart(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "bulk2/err-not-supported-object-400.json"))
    with pytest.raises(MappingBroken) as failure:
        gateway.bulk.create("SELECT Id FROM ActivityHistory")
    assert failure.value.category is Category.BULK_UNSUPPORTED


def test_jobs_of_the_org_are_listed_page_by_page(gateway: SalesforceGateway, stub: Stub) -> None:
    first = {"records": [{"id": "750a", "state": "JobComplete"}], "done": False,
             "nextRecordsUrl": "/services/data/v66.0/jobs/query?queryLocator=01gR-2"}  # fmt: skip
    stub.say(Answer(200, first), Answer(200, {"records": [{"id": "750b", "state": "Aborted"}], "done": True}))
    assert [job.id for job in gateway.bulk.list_jobs()] == ["750a", "750b"]
    assert "queryLocator=01gR-2" in stub.asked[1].path


@pytest.mark.parametrize("job_id", ["//evil.example/x", "../../oauth2/revoke?token=x", "", "a b"])
def test_odd_job_ids_make_no_call(gateway: SalesforceGateway, stub: Stub, job_id: str) -> None:
    with pytest.raises(Internal):
        gateway.bulk.look(job_id)
    assert stub.asked == []
