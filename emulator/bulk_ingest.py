"""Bulk API 2.0 ingest jobs: a CSV file of rows, written one by one under the data rules."""

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.errors import Problem, Refused
from emulator.ids import is_id
from emulator.org import Org
from emulator.records import Several, Writer
from emulator.rules import Author
from emulator.schema import SObject
from emulator.values import Unparsable, rest_moment

OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
_XSD = {"currency": "double", "percent": "double", "datetime": "dateTime"}
_CLEAR = "#N/A"


@dataclass
class IngestJob:
    """An ingest job and what became of its rows."""

    id: str
    org_id: str
    user_id: str
    sobject: str
    operation: str
    version: str
    path: Path
    created: str
    key: str = ""
    line_ending: str = "LF"
    delimiter: str = "COMMA"
    changed: str = ""
    state: str = "Open"
    error: str = ""
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    uploaded: bool = False
    header: list[str] = field(default_factory=list)
    succeeded_rows: list[tuple[str, bool, list[str]]] = field(default_factory=list)
    failed_rows: list[tuple[str, str, list[str]]] = field(default_factory=list)
    unprocessed_rows: list[list[str]] = field(default_factory=list)
    dies_after: int | None = None

    def info(self, *, shape: str) -> dict[str, Any]:
        """As Salesforce answers: ``open`` on create, ``patched`` after PATCH, ``full`` on GET (recorded/bulk2)."""
        info: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdById": self.user_id,
            "createdDate": rest_moment(self.created),
            "systemModstamp": rest_moment(self.changed or self.created),
            "state": self.state,
        }
        if self.key:
            info["externalIdFieldName"] = self.key
        info |= {"concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": float(self.version)}
        if shape == "patched":
            return info
        ends = {"lineEnding": self.line_ending, "columnDelimiter": self.delimiter}
        if shape == "open" or self.state == "Open":
            info["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        if shape == "open":
            return info | ends
        info |= {"jobType": "V2Ingest"} | ends
        info |= {"numberRecordsProcessed": self.processed, "numberRecordsFailed": self.failed, "retries": 0}
        info |= {"totalProcessingTime": self.milliseconds, "apiActiveProcessingTime": self.milliseconds}
        info["apexProcessingTime"] = 0
        return info | ({"errorMessage": self.error} if self.error else {})

    def csv(self, kind: str) -> bytes:
        """Successful, failed or unprocessed rows; cells of the failed ones' header are quoted as recorded."""
        out = io.StringIO()
        rows = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        plain = ",".join(self.header)
        if kind == "unprocessedrecords":
            out.write(plain + "\n")
            rows.writerows(self.unprocessed_rows)
        elif kind == "successfulResults":
            out.write(",".join(['"sf__Id"', '"sf__Created"', plain]) + "\n")
            rows.writerows([one, str(made).lower(), *cells] for one, made, cells in self.succeeded_rows)
        else:
            out.write(",".join(['"sf__Id"', '"sf__Error"', plain]) + "\n")
            rows.writerows([one, error, *cells] for one, error, cells in self.failed_rows)
        return out.getvalue().encode()


def run_ingest(org: Org, job: IngestJob, author: Author) -> None:
    """Process the uploaded rows."""
    began = time.monotonic()
    job.state = "InProgress"
    with job.path.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.reader(source, delimiter=DELIMITERS[job.delimiter])
        job.header = next(reader, [])
        sobject = author.sees(org).find(job.sobject)
        unknown = _unknown_column(sobject, job.header) if sobject else job.sobject
        if unknown is None:
            _rows(org, job, author, list(reader))
    job.milliseconds = int((time.monotonic() - began) * 1000)
    job.changed = org.stamp()
    if unknown is not None:
        job.error = f"InvalidBatch : Field name not found : {unknown}" if job.header else "InvalidBatch : no header row"
        job.state = "Failed"
    elif job.state == "InProgress":
        job.state = "JobComplete"


def _unknown_column(sobject: SObject, header: list[str]) -> str | None:
    """The first column that the object does not have; ``Rel.Key`` and ``Type:Rel.Key`` name parents."""
    if not header:
        return ""
    for name in header:
        relation = name.partition(":")[2].partition(".")[0] or name.partition(".")[0]
        relations = {(known.relationship or "").lower() for known in sobject.fields.values()}
        if sobject.find(name) is None and ("." not in name or relation.lower() not in relations):
            return name
    return None


def _rows(org: Org, job: IngestJob, author: Author, lines: list[list[str]]) -> None:
    writer = Writer(org, author)
    write = _operation(writer, job)
    for line in filter(None, lines):
        if job.processed == job.dies_after:
            job.state, job.error = "Failed", "InternalServerError : The job was stopped"
        if job.state != "InProgress":
            job.unprocessed_rows.append(line)
            continue
        job.processed += 1
        values = _values(job.header, line)
        try:
            record_id, created = write(values)
            job.succeeded_rows.append((record_id, created, line))
        except (Refused, Unparsable, Several) as error:
            job.failed += 1
            own = values.get("Id")
            known = own if isinstance(own, str) and is_id(own) else ""
            job.failed_rows.append((known, _error_text(job, error), line))


def _values(header: list[str], line: list[str]) -> dict[str, Any]:
    """An empty cell says nothing, ``#N/A`` clears (facts.md, section 4)."""
    values: dict[str, Any] = {}
    for name, cell in zip(header, line, strict=False):
        if cell == "":
            continue
        value = None if cell == _CLEAR else cell
        kind, _, path = name.rpartition(":")
        relation, _, key = path.partition(".")
        if key:
            values[relation] = {"attributes": {"type": kind}, key: value} if kind else {key: value}
        else:
            values[name] = value
    return values


def _operation(writer: Writer, job: IngestJob) -> Callable[[dict[str, Any]], tuple[str, bool]]:
    name = job.sobject

    def identified(values: dict[str, Any]) -> str:
        record_id = values.pop("Id", None) or values.pop("id", None)
        if not record_id:
            raise Refused(400, Problem("MISSING_ARGUMENT", "Id not specified in an update call", ()))
        return str(record_id)

    def hard(values: dict[str, Any]) -> tuple[str, bool]:
        record_id = identified(values)
        writer.purge(name, record_id)
        return record_id, False

    def upsert(values: dict[str, Any]) -> tuple[str, bool]:
        rest = {key: value for key, value in values.items() if key.lower() != job.key.lower()}
        key_value = next((value for key, value in values.items() if key.lower() == job.key.lower()), None)
        return writer.upsert(name, job.key, key_value, rest)

    return {
        "insert": lambda values: (writer.create(name, values), True),
        "update": lambda values: (writer.update(name, identified(values), values), False),
        "delete": lambda values: (writer.delete(name, identified(values)), False),
        "hardDelete": hard,
        "upsert": upsert,
    }[job.operation]


def _error_text(job: IngestJob, error: Refused | Unparsable | Several) -> str:
    """``CODE:message:FIELDS --`` (bulk2/ingest-failedResults.csv)."""
    if isinstance(error, Unparsable):
        column = next((i for i, name in enumerate(job.header) if name.lower() == error.field.name.lower()), 0)
        kind = _XSD.get(error.field.type, error.field.type)
        return (
            f"INVALID_FIELD:Failed to deserialize field at col {column}. Due to, '{error.value}' is not a valid value "
            f"for the type xsd:{kind}:{error.field.name} --"
        )
    if isinstance(error, Several):
        return f"DUPLICATE_EXTERNAL_ID:{job.key}: more than one record found for external id field: {error.ids}:--"
    problem = error.problems[0]
    fields = f"{','.join(problem.fields)} " if problem.fields else ""
    return f"{problem.code}:{problem.message}:{fields}--"
