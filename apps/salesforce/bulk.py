"""Bulk API 2.0 queries as short steps; each can be repeated, and none waits.

simple-salesforce's client polls inside the call, holds pages twice in memory and cannot resume; this one hands out
a page's bytes as they arrive, with its row count and the next locator, so that the caller can persist both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import urllib3

from apps.domain.failures import Category, Internal, JobLost, Transient
from apps.salesforce.session import SalesforceSession

_NO_MORE = {"", "null"}
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class QueryJob:
    """A query job as Salesforce last told: UploadComplete, InProgress, JobComplete, Failed or Aborted."""

    id: str
    state: str
    rows: int
    message: str = ""

    @property
    def is_complete(self) -> bool:
        return self.state == "JobComplete"

    @property
    def is_lost(self) -> bool:
        return self.state in {"Failed", "Aborted"}


class ByteStream:
    """Decoded bytes of an answer, read as from a file; raises Transient where the connection breaks."""

    def __init__(self, answer: requests.Response) -> None:
        self._chunks: Iterator[bytes] = answer.iter_content(_CHUNK)
        self._rest = b""
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes without NUL, which PostgreSQL cannot hold; ``b""`` at the end."""
        while not self._rest:
            try:
                chunk = next(self._chunks, None)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise Transient(Category.UNAVAILABLE, f"A page broke off ({type(error).__name__}).") from None
            if chunk is None:
                return b""
            self.size += len(chunk)
            self._rest = chunk.replace(b"\0", b"") if b"\0" in chunk else chunk
        if size < 0 or size >= len(self._rest):
            part, self._rest = self._rest, b""
        else:
            part, self._rest = self._rest[:size], self._rest[size:]
        return part


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page of a result: its rows as Salesforce counts them, the next locator, and the bytes."""

    rows: int
    next_locator: str
    stream: ByteStream


class BulkQueries:
    """Query jobs of one connection."""

    def __init__(self, session: SalesforceSession, jobs_url: str) -> None:
        self._session = session
        self._url = jobs_url

    def create(self, soql: str, *, include_deleted: bool = False) -> QueryJob:
        """Ask; the answer is ready later."""
        body = {"operation": "queryAll" if include_deleted else "query", "query": soql}
        return _job(self._session.post(self._url, json=body).json())

    def look(self, job_id: str) -> QueryJob:
        """How far the job is; raises JobLost where Salesforce no longer knows it."""
        return _job(self._call("GET", f"{self._url}/{job_id}").json())

    def abort(self, job_id: str) -> None:
        """Stop a job that is not wanted any more."""
        self._call("PATCH", f"{self._url}/{job_id}", json={"state": "Aborted"})

    def delete(self, job_id: str) -> None:
        """Remove a finished job and its result (answers 204 without a body)."""
        self._call("DELETE", f"{self._url}/{job_id}")

    @contextmanager
    def page(self, job_id: str, *, locator: str, max_records: int) -> Iterator[ResultPage]:
        """One page of the result; its bytes are read inside the block. ``locator`` is empty for the first."""
        parameters: dict[str, Any] = {"maxRecords": max_records}
        if locator:
            parameters["locator"] = locator
        answer = self._call(
            "GET",
            f"{self._url}/{job_id}/results",
            params=parameters,
            headers={"Accept": "text/csv"},
            stream=True,
        )
        try:
            rows = answer.headers.get("Sforce-NumberOfRecords", "")
            if not rows.isdigit():
                raise Transient(Category.UNAVAILABLE, "A result page came without its number of rows.")
            following = answer.headers.get("Sforce-Locator", "")
            yield ResultPage(int(rows), "" if following in _NO_MORE else following, ByteStream(answer))
        finally:
            answer.close()

    def _call(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            return self._session.request(method, url, **options)
        except Internal as failure:
            if failure.category is Category.RECORD_DELETED:
                raise JobLost(Category.JOB_GONE, "Salesforce no longer knows the Bulk job.") from None
            raise


def _job(data: dict[str, Any]) -> QueryJob:
    return QueryJob(
        data["id"],
        data["state"],
        int(data.get("numberRecordsProcessed") or 0),
        data.get("errorMessage") or "",
    )
