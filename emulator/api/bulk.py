"""Bulk API 2.0 below ``jobs``: query and ingest."""

import json
import re
from functools import partial
from typing import Any

from emulator.bulk_ingest import DELIMITERS, OPERATIONS, IngestJob, run_ingest
from emulator.bulk_query import DEFAULT_PAGE, QueryJob, plan_query_job
from emulator.call import Call, FilePart, Response
from emulator.errors import bare, job_refused, not_found

_FINISHED = frozenset({"JobComplete", "Failed", "Aborted"})
_FATES = {"stall": "InProgress", "fail": "Failed", "abort": "Aborted"}
_CSV = "text/csv; charset=UTF-8"
_MOST_BYTES = 150_000_000
_RESULTS = frozenset({"successfulResults", "failedResults", "unprocessedrecords"})


def answer(call: Call, rest: str) -> Response:
    """``jobs/query…`` and ``jobs/ingest…``."""
    kind, _, tail = rest.partition("/")
    if kind == "query":
        return _query(call, tail)
    if kind == "ingest":
        return _ingest(call, tail)
    raise not_found()


# -- query --------------------------------------------------------------------------------------------------------


def _query(call: Call, tail: str) -> Response:
    if not tail:
        return _create_query(call) if call.method == "POST" else _list(call, call.world.query_jobs)
    job_id, _, part = tail.partition("/")
    job = call.world.query_jobs.get(job_id) or call.world.query_jobs.get(job_id[:15])
    if job is None or job.org_id != call.org.id:
        raise not_found()
    if part == "results":
        return _results(call, job)
    if part == "resultPages":
        return _pages(call, job)
    if call.method == "DELETE":
        if job.state not in _FINISHED:
            raise job_refused("INVALIDJOBSTATE", "Job must be completed, failed or aborted to be deleted")
        del call.world.query_jobs[job.id]
        job.path.unlink(missing_ok=True)
        return Response(204)
    if call.method == "PATCH":
        return _abort_query(call, job)
    return Response(200, job.info())


def _create_query(call: Call) -> Response:
    data = call.fields()
    operation, text = data.get("operation"), str(data.get("query") or "")
    if operation not in {"query", "queryAll"}:
        raise job_refused("INVALIDJOB", f"Unknown operation: {operation}")
    view = call.view(include_deleted=operation == "queryAll")
    folder = call.world.folder / "jobs"
    job_id = call.world.next_job(call.org)
    job, work = plan_query_job(call.org, view, job_id, text, operation, call.version, folder)
    call.world.query_jobs[job.id] = job
    fate = call.org.take_fate("query")
    if fate is None:
        call.world.spawn(work)
    else:
        job.state = _FATES[fate.what]
        job.error = "Query job was stopped" if fate.what == "fail" else ""
    return Response(200, job.info(detailed=False) | {"state": "UploadComplete"})


def _abort_query(call: Call, job: QueryJob) -> Response:
    if call.fields().get("state") != "Aborted":
        raise job_refused("INVALIDJOBSTATE", "A query job can only be aborted")
    if job.state in _FINISHED:
        word = "Completed" if job.state == "JobComplete" else job.state
        raise job_refused("INVALIDJOBSTATE", f"Aborting already {word} Job not allowed")
    job.state = "Aborted"
    return Response(200, job.info(detailed=False))


def _results(call: Call, job: QueryJob) -> Response:
    """One page; another version than the job's answers 409 (facts.md, section 1)."""
    if job.version != call.version:
        message = f"The results of a job of API version {job.version} must be read with that version"
        raise job_refused("API_ERROR", message, 409)
    if job.state != "JobComplete":
        raise job_refused("INVALIDJOBSTATE", f"Job state is {job.state}; results are available when it is complete")
    wish = call.query.get("maxRecords", "")
    wanted = int(wish) if wish.isdigit() and int(wish) else DEFAULT_PAGE
    start, end, rows, following = job.page(call.query.get("locator", ""), wanted)
    headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(rows)}
    return Response(200, headers=headers, kind=_CSV, file=FilePart(job.header, job.path, start, end))


def _pages(call: Call, job: QueryJob) -> Response:
    base = f"/services/data/v{call.version}/jobs/query/{job.id}/results?locator="
    pages = [{"resultUrl": base + locator} for locator in job.page_starts(DEFAULT_PAGE)]
    return Response(200, {"resultPages": pages, "nextRecordsUrl": None, "done": True})


def _list(call: Call, jobs: dict[str, Any]) -> Response:
    own = [job for job in jobs.values() if job.org_id == call.org.id]
    keys = ("id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
            "contentType", "apiVersion", "jobType", "lineEnding", "columnDelimiter")  # fmt: skip
    infos = [job.info() if isinstance(job, QueryJob) else job.info(shape="full") for job in own]
    records = [{key: info[key] for key in keys if key in info} for info in infos]
    return Response(200, {"done": True, "records": records, "nextRecordsUrl": None})


# -- ingest -------------------------------------------------------------------------------------------------------


def _ingest(call: Call, tail: str) -> Response:
    if not tail:
        return _create_ingest(call) if call.method == "POST" else _list(call, call.world.ingest_jobs)
    job_id, _, part = tail.partition("/")
    job = call.world.ingest_jobs.get(job_id)
    if job is None or job.org_id != call.org.id:
        raise not_found()
    if part == "batches" and call.method == "PUT":
        return _upload(call, job)
    if part in _RESULTS and call.method == "GET":
        if job.state not in _FINISHED:
            raise job_refused("INVALIDJOBSTATE", f"Job state is {job.state}; results are available when it is complete")
        return Response(200, kind=_CSV, body=job.csv(part))
    if part:
        raise not_found()
    if call.method == "DELETE":
        if job.state not in _FINISHED:
            raise job_refused("INVALIDJOBSTATE", "Job must be completed, failed or aborted to be deleted")
        del call.world.ingest_jobs[job.id]
        job.path.unlink(missing_ok=True)
        return Response(204)
    return _patch_ingest(call, job) if call.method == "PATCH" else Response(200, job.info(shape="full"))


def _create_ingest(call: Call) -> Response:
    content = b""
    data: dict[str, Any]
    if call.headers.get("content-type", "").startswith("multipart/"):
        data, content = _multipart(call)
    else:
        data = call.fields()
    operation, name = str(data.get("operation")), str(data.get("object"))
    sobject = call.org.visible.find(name)
    if operation not in OPERATIONS:
        raise job_refused("INVALIDJOB", f"Unknown operation: {operation}")
    if sobject is None:
        raise job_refused("INVALIDENTITY", f"Unknown object: {name}")
    key = str(data.get("externalIdFieldName") or "")
    field = sobject.find(key) if key else None
    if operation == "upsert" and (field is None or not field.is_lookup_key):
        raise job_refused("INVALIDJOB", f"InvalidJob : Invalid external id field name : {key}")
    delimiter = str(data.get("columnDelimiter") or "COMMA")
    if delimiter not in DELIMITERS:
        raise job_refused("INVALIDJOB", f"Unknown column delimiter: {delimiter}")
    job_id = call.world.next_job(call.org)
    job = IngestJob(job_id, call.org.id, call.user_id, sobject.name, operation, call.version,
                    call.world.folder / "jobs" / f"{job_id}-in.csv", call.org.stamp(), key,
                    str(data.get("lineEnding") or "LF"), delimiter)  # fmt: skip
    call.world.ingest_jobs[job.id] = job
    if content:
        job.path.write_bytes(content)
        job.uploaded = True
        _close(call, job)
    return Response(200, job.info(shape="open"))


def _multipart(call: Call) -> tuple[dict[str, Any], bytes]:
    """The job and up to 100,000 characters of data in one request."""
    found = re.search(r'boundary="?([^";]+)', call.headers["content-type"])
    parts = call.body.split(b"--" + (found.group(1) if found else "").encode())
    job: dict[str, Any] = {}
    content = b""
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        if b'name="job"' in head:
            job = json.loads(body)
        elif b'name="content"' in head:
            content = body.removesuffix(b"\r\n")
    return job, content


def _upload(call: Call, job: IngestJob) -> Response:
    if job.state != "Open" or job.uploaded:
        raise job_refused("INVALIDJOBSTATE", "Found multiple contents for job: data can be uploaded once")
    if len(call.body) * 4 / 3 > _MOST_BYTES:
        raise job_refused("LIMITEXCEEDED", "Content of the job is larger than 150 MB after encoding", 413)
    job.path.write_bytes(call.body)
    job.uploaded = True
    return Response(201, kind="text/plain", body=b"")


def _patch_ingest(call: Call, job: IngestJob) -> Response:
    state = call.fields().get("state")
    if job.state in _FINISHED or (state == "UploadComplete" and job.state != "Open"):
        message = f"Job State is {job.state}, cannot change to {state}"
        raise job_refused("INVALIDJOBSTATE", message)
    if state == "Aborted":
        job.state, job.changed = "Aborted", call.org.stamp()
        return Response(200, job.info(shape="patched"))
    if state != "UploadComplete":
        raise bare("INVALIDJOB", f"Unknown state: {state}")
    info = job.info(shape="patched") | {"state": "UploadComplete"}
    _close(call, job)
    return Response(200, info)


def _close(call: Call, job: IngestJob) -> None:
    job.state = "UploadComplete"
    if not job.uploaded:
        job.path.write_bytes(b"")
    fate = call.org.take_fate("ingest")
    if fate is not None and fate.what != "fail":
        job.state = _FATES[fate.what]
        return
    job.dies_after = fate.after_rows if fate else None
    call.world.spawn(partial(run_ingest, call.org, job, call.author))
