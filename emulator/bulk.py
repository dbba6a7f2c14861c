"""Bulk API 2.0 query jobs: rendered once into a file in the background, served from it page by page."""

import base64
import threading
from dataclasses import dataclass, field
from pathlib import Path

from emulator.soql import parse
from emulator.store import Org

_UNIT = 10_000


@dataclass
class Job:
    """A query job and where each 10,000 rows of its result begin."""

    id: str
    sobject: str
    soql: str
    operation: str
    version: str
    path: Path
    state: str = "UploadComplete"
    rows: int = 0
    header: bytes = b""
    offsets: list[int] = field(default_factory=list)

    def describe(self) -> dict[str, object]:
        """As ``jobs/query/<id>`` answers (documentation example)."""
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.sobject,
            "createdDate": "2026-01-01T00:00:00.000+0000",
            "systemModstamp": "2026-01-01T00:00:00.000+0000",
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
            **({"jobType": "V2Query", "numberRecordsProcessed": self.rows} if self.state != "UploadComplete" else {}),
        }

    def page(self, locator: str, wanted: int) -> tuple[int, int, int, str]:
        """(start, end, rows, next locator) of a page; pages end at multiples of 10,000 rows."""
        first = int(base64.b64decode(locator).decode().rpartition(":")[2]) if locator else 0
        last = min(first + max(1, wanted // _UNIT), len(self.offsets))
        start = self.offsets[first] if first < len(self.offsets) else 0
        end = self.offsets[last] if last < len(self.offsets) else self.path.stat().st_size
        more = last < len(self.offsets)
        rows = (last - first) * _UNIT if more else max(0, self.rows - first * _UNIT)
        following = base64.b64encode(f"0:{self.id}:{last}".encode()).decode() if more else "null"
        return start, end, rows, following


def start_job(org: Org, soql: str, operation: str, version: str, folder: Path) -> Job:
    """Check the query now, render its result in the background."""
    query = parse(soql)
    job_id = org.next_id("Group").replace("00G", "750", 1)
    job = Job(job_id, query.sobject.name, soql, operation, version, folder / f"{org.id}-{job_id}.csv")
    job.header = (",".join(f'"{name}"' for name in query.fields) + "\n").encode()
    threading.Thread(target=_render, args=(org, job), daemon=True).start()
    return job


def _render(org: Org, job: Job) -> None:
    job.state = "InProgress"
    with job.path.open("wb") as out:
        position = 0
        for count in org.render(job.soql, include_deleted=job.operation == "queryAll", write=out.write):
            job.offsets.append(position)
            position = out.tell()
            job.rows += count
    job.state = "JobComplete"
