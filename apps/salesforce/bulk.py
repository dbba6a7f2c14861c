"""Bulk API 2.0 queries as short steps; each can be repeated, and none waits.

simple-salesforce's client polls inside the call, holds pages twice in memory and cannot resume; this one hands out
a page's bytes as they arrive, with its row count and the next locator, so that the caller can persist both.
"""

import codecs
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import urllib3

from apps.domain.failures import Category, Failure, Internal, JobLost, Transient
from apps.domain.ports import QueryJob
from apps.salesforce.session import SalesforceSession, whole_answer

__all__ = ["BulkQueries", "ByteStream", "QueryJob", "ResultPage"]

_NO_MORE = {"", "null"}
_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHUNK = 1 << 18
_PATIENCE = 60.0
_SLOWEST = 10_000
"""Bytes a second, on average after the first minute: a page that drips is fetched again (fault F18)."""


class ByteStream:
    """Decoded bytes of an answer, read as from a file; raises Transient where the connection breaks."""

    def __init__(self, answer: requests.Response) -> None:
        self._raw = answer.raw
        self._rest = b""
        self._started = time.monotonic()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes without NUL, which PostgreSQL cannot hold, nor a mark of byte order in front."""
        while not self._rest:
            chunk = self._next()
            if not chunk:
                return b""
            if not self.size:
                chunk = chunk.removeprefix(codecs.BOM_UTF8)
            self.size += len(chunk)
            self._rest = chunk.replace(b"\0", b"") if b"\0" in chunk else chunk
        if size < 0 or size >= len(self._rest):
            part, self._rest = self._rest, b""
        else:
            part, self._rest = self._rest[:size], self._rest[size:]
        return part

    def _next(self) -> bytes:
        elapsed = time.monotonic() - self._started
        if elapsed > _PATIENCE and self.size < elapsed * _SLOWEST:
            raise Transient(Category.UNAVAILABLE, "A page came too slowly.")
        try:
            chunk: bytes = self._raw.read1(_CHUNK, decode_content=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Transient(Category.UNAVAILABLE, f"A page broke off ({type(error).__name__}).") from None
        return chunk


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of a result: its rows as Salesforce counts them, the next locator, and the bytes."""

    rows: int
    next_locator: str
    stream: ByteStream


class Jobs:
    """What jobs of both kinds have in common."""

    _kind = ""

    def __init__(self, session: SalesforceSession, jobs_url: str) -> None:
        self._session = session
        self._url = jobs_url

    def abort(self, job_id: str) -> None:
        """Stop a job that is not wanted any more; one that has ended is left as it is."""
        try:
            self._call("PATCH", job_id, json={"state": "Aborted"})
        except Failure as failure:
            if failure.category is not Category.JOB_FAILED:  # INVALIDJOBSTATE (bulk2/doc-query-abort-400)
                raise

    def delete(self, job_id: str) -> None:
        """Remove a finished job and its result (answers 204 without a body)."""
        self._call("DELETE", job_id)

    def _jobs(self) -> Iterator[dict[str, Any]]:
        """All jobs of the org, page by page; ``nextRecordsUrl`` names the next page of the same list."""
        parameters: dict[str, Any] = {"jobType": self._kind} if self._kind else {}
        while True:
            with whole_answer():
                answer = self._session.get(self._url, params=parameters).json()
            yield from answer.get("records", ())
            locator = str(answer.get("nextRecordsUrl") or "").rpartition("queryLocator=")[2]
            if answer.get("done", True) or not locator:
                return
            parameters["queryLocator"] = locator

    def _call(self, method: str, job_id: str, rest: str = "", **options: Any) -> requests.Response:
        if not _JOB_ID.fullmatch(job_id):
            raise Internal(Category.BAD_REFERENCE, f"{job_id[:40]!r} is not the id of a job.")
        try:
            return self._session.request(method, f"{self._url}/{job_id}{rest}", **options)
        except Internal as failure:
            if failure.category is Category.RECORD_DELETED:
                raise JobLost(Category.JOB_GONE, "Salesforce no longer knows the Bulk job.") from None
            raise


class BulkQueries(Jobs):
    """Query jobs of one connection. A result is read with the API version that asked for it, else it is lost."""

    _kind = "V2Query"

    def create(self, soql: str, *, include_deleted: bool = False) -> QueryJob:
        """Ask; the answer is ready later."""
        body = {"operation": "queryAll" if include_deleted else "query", "query": soql}
        with whole_answer():
            return _job(self._session.post(self._url, json=body).json())

    def look(self, job_id: str) -> QueryJob:
        """How far the job is; raises JobLost where Salesforce no longer knows it."""
        with whole_answer():
            return _job(self._call("GET", job_id).json())

    def list_jobs(self) -> Iterator[QueryJob]:
        """Jobs that the org still knows, of other clients, too."""
        return map(_job, self._jobs())

    @contextmanager
    def page(self, job_id: str, *, locator: str, max_records: int) -> Iterator[ResultPage]:
        """One page of the result; its bytes are read inside the block. ``locator`` is empty for the first."""
        parameters: dict[str, Any] = {"maxRecords": max_records}
        if locator:
            parameters["locator"] = locator
        answer = self._call("GET", job_id, "/results", params=parameters, headers={"Accept": "text/csv"}, stream=True)
        try:
            rows = answer.headers.get("Sforce-NumberOfRecords", "")
            if not rows.isdigit():
                raise Transient(Category.UNAVAILABLE, "A result page came without its number of rows.")
            following = answer.headers.get("Sforce-Locator", "")
            yield ResultPage(int(rows), "" if following in _NO_MORE else following, ByteStream(answer))
        finally:
            answer.close()


def _job(data: dict[str, Any]) -> QueryJob:
    return QueryJob(
        data["id"],
        data["state"],
        int(data.get("numberRecordsProcessed") or 0),
        data.get("errorMessage") or "",
    )
