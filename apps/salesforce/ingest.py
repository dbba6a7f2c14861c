"""Bulk API 2.0 writes as short steps: open, upload, close, look, read the results row by row."""

import codecs
import csv
from collections.abc import Iterator, Mapping
from typing import IO, Any

from apps.domain.failures import Category, Transient
from apps.domain.ports import IngestJob, IngestRow, WriteOperation, WriteResult
from apps.salesforce.bulk import ByteStream, Jobs
from apps.salesforce.errors import bulk_row_failure
from apps.salesforce.session import whole_answer
from apps.salesforce.soql import identifier

_OPERATIONS = {
    WriteOperation.CREATE: "insert",
    WriteOperation.UPDATE: "update",
    WriteOperation.UPSERT: "upsert",
    WriteOperation.DELETE: "delete",
}
CLEAR = "#N/A"
"""What a cell holds to empty a field; an empty cell means "leave as it is" (facts, section 4: Values)."""
MOST_BYTES = 100_000_000
"""Raw bytes of one job; Salesforce allows 150 MB counted after base64 (facts, section 9: Ingest)."""


class BulkWrites(Jobs):
    """Write jobs of one connection."""

    def create(self, sobject: str, operation: WriteOperation, *, key_field: str = "") -> IngestJob:
        """Open a job that waits for its rows; ``key_field`` names the external id of an upsert."""
        body = {
            "object": identifier(sobject),
            "operation": _OPERATIONS[operation],
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if operation is WriteOperation.UPSERT:
            body["externalIdFieldName"] = identifier(key_field)
        with whole_answer():
            return _job(self._session.post(self._url, json=body).json())

    def upload(self, job_id: str, content: IO[bytes]) -> None:
        """Send the rows, streamed from a file at its start; once a job, and at most ``MOST_BYTES``."""
        self._call("PUT", job_id, "/batches", data=content, headers={"Content-Type": "text/csv; charset=UTF-8"})

    def close(self, job_id: str) -> IngestJob:
        """Say that everything is uploaded; the work begins."""
        with whole_answer():
            return _job(self._call("PATCH", job_id, json={"state": "UploadComplete"}).json())

    def look(self, job_id: str) -> IngestJob:
        """How far the job is; raises JobLost where Salesforce no longer knows it."""
        with whole_answer():
            return _job(self._call("GET", job_id).json())

    def list_jobs(self) -> Iterator[IngestJob]:
        """Jobs that the org still knows, of other clients, too."""
        return map(_job, self._jobs())

    def successes(self, job_id: str) -> Iterator[IngestRow]:
        """Rows that are written, in an order of Salesforce's own."""
        for row in self._rows(job_id, "successfulResults"):
            created = row.pop("sf__Created", "") == "true"
            yield IngestRow(WriteResult(row.pop("sf__Id", ""), created), row)

    def failures(self, job_id: str) -> Iterator[IngestRow]:
        """Rows that were refused, in an order of Salesforce's own."""
        for row in self._rows(job_id, "failedResults"):
            failure = bulk_row_failure(row.pop("sf__Error", ""))
            yield IngestRow(WriteResult(row.pop("sf__Id", ""), failures=(failure,)), row)

    def unprocessed(self, job_id: str) -> Iterator[Mapping[str, str]]:
        """Rows that were never tried, as they were sent."""
        return self._rows(job_id, "unprocessedrecords")

    def _rows(self, job_id: str, which: str) -> Iterator[dict[str, str]]:
        answer = self._call("GET", job_id, f"/{which}/", headers={"Accept": "text/csv"}, stream=True)
        try:
            if "csv" not in answer.headers.get("Content-Type", "csv"):
                raise Transient(Category.UNAVAILABLE, "A job's results came as something else than CSV.")
            rows = csv.DictReader(_lines(ByteStream(answer)), strict=True)
            if rows.fieldnames is None:  # even a result without rows has its header
                raise Transient(Category.UNAVAILABLE, "A job's results came without their header.")
            yield from rows
        except csv.Error:
            raise Transient(Category.UNAVAILABLE, "A job's results broke off inside a cell.") from None
        finally:
            answer.close()


def _lines(stream: ByteStream) -> Iterator[str]:
    """Text line by line, line breaks kept: csv joins those that lie inside a cell."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest = ""
    while chunk := stream.read():
        rest += decoder.decode(chunk)
        *lines, rest = rest.split("\n")
        for line in lines:
            yield line + "\n"
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest


def _job(data: dict[str, Any]) -> IngestJob:
    return IngestJob(
        data["id"],
        data["state"],
        int(data.get("numberRecordsProcessed") or 0),
        int(data.get("numberRecordsFailed") or 0),
        data.get("errorMessage") or "",
    )
