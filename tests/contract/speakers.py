"""Two foreign clients that speak to the emulator: the library simple-salesforce, and curl."""

import csv
import io
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

VERSION = "66.0"
Row = dict[str, Any]


class Refusal(Exception):
    """Salesforce said no: status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Speaker(Protocol):
    """What both can say."""

    def query(self, soql: str, *, include_deleted: bool = False) -> list[Row]:
        """All rows of a query, however many pages."""

    def describe(self, sobject: str) -> Row:
        """The describe of an object."""

    def create(self, sobject: str, values: Row) -> str:
        """A new record's id."""

    def read(self, sobject: str, record_id: str) -> Row:
        """One record."""

    def update(self, sobject: str, record_id: str, values: Row) -> None:
        """Change a record."""

    def upsert(self, sobject: str, key: str, value: str, values: Row) -> int:
        """The status of an upsert."""

    def delete(self, sobject: str, record_id: str) -> None:
        """Remove a record."""

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        """Anything below the data resource."""

    def bulk_query(self, sobject: str, soql: str) -> list[dict[str, str]]:
        """All rows of a Bulk query."""

    def bulk_upsert(self, sobject: str, key: str, rows: Sequence[Mapping[str, str]]) -> tuple[int, int]:
        """Processed and failed rows of a Bulk upsert."""


def plain(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "attributes"} for row in rows]


class _Plain(requests.Session):
    """https is fixed in the library; the emulator speaks http on loopback."""

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        return super().request(method, str(url).replace("https://127.0.0.1", "http://127.0.0.1"), *args, **options)


class Library:
    """simple-salesforce, as published."""

    def __init__(self, base_url: str, token: str) -> None:
        session = _Plain()
        session.trust_env = False
        self._api = Salesforce(instance_url=base_url, session_id=token, version=VERSION, session=session)

    def _ask(self, verb: Any, *args: Any, **options: Any) -> Any:
        try:
            return verb(*args, **options)
        except SalesforceError as error:
            content: Any = error.content
            first = content[0] if isinstance(content, list) else {}
            raise Refusal(int(error.status), str(first.get("errorCode", ""))) from None

    def query(self, soql: str, *, include_deleted: bool = False) -> list[Row]:
        return plain(self._ask(self._api.query_all, soql, include_deleted=include_deleted)["records"])

    def describe(self, sobject: str) -> Row:
        found: Row = self._ask(getattr(self._api, sobject).describe)
        return found

    def create(self, sobject: str, values: Row) -> str:
        return str(self._ask(getattr(self._api, sobject).create, values)["id"])

    def read(self, sobject: str, record_id: str) -> Row:
        return plain([self._ask(getattr(self._api, sobject).get, record_id)])[0]

    def update(self, sobject: str, record_id: str, values: Row) -> None:
        self._ask(getattr(self._api, sobject).update, record_id, values)

    def upsert(self, sobject: str, key: str, value: str, values: Row) -> int:
        return int(self._ask(getattr(self._api, sobject).upsert, f"{key}/{value}", values))

    def delete(self, sobject: str, record_id: str) -> None:
        self._ask(getattr(self._api, sobject).delete, record_id)

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        options = {} if body is None else {"data": json.dumps(body)}
        return self._ask(self._api.restful, path, method=method, **options)

    def bulk_query(self, sobject: str, soql: str) -> list[dict[str, str]]:
        pages = getattr(self._api.bulk2, sobject).query(soql, max_records=3, wait=0)
        return [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]

    def bulk_upsert(self, sobject: str, key: str, rows: Sequence[Mapping[str, str]]) -> tuple[int, int]:
        told = getattr(self._api.bulk2, sobject).upsert(records=list(rows), external_id_field=key, wait=0)
        return int(told[0]["numberRecordsProcessed"]), int(told[0]["numberRecordsFailed"])


@dataclass(frozen=True)
class Answer:
    """What curl brought."""

    status: int
    headers: dict[str, str]
    text: str


def curl(url: str, *options: str, body: str | None = None) -> Answer:
    """One request by curl, with its headers."""
    command = ["curl", "--silent", "--show-error", "--globoff", "--max-time", "20", "--include", *options, url]
    if body is not None:
        command += ["--data-binary", "@-"]
    done = subprocess.run(command, input=body, capture_output=True, text=True, check=True, timeout=30)
    head, _, text = done.stdout.replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.splitlines()
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(status.split()[1]), headers, text)


class Curl:
    """The command that everybody has."""

    def __init__(self, base_url: str, token: str) -> None:
        self._base, self._data = base_url, f"/services/data/v{VERSION}"
        self._token = token

    def ask(self, method: str, path: str, body: str | None = None, kind: str = "application/json") -> Answer:
        options = ["--request", method, "--header", f"Authorization: Bearer {self._token}"]
        options += ["--header", f"Content-Type: {kind}"]
        target = path if path.startswith("/") else f"{self._data}/{path}"
        answer = curl(f"{self._base}{target}", *options, body=body)
        if answer.status >= 400:
            raise Refusal(answer.status, str(json.loads(answer.text)[0].get("errorCode", "")))
        return answer

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, None if body is None else json.dumps(body))
        return json.loads(answer.text) if answer.text.strip() else None

    def query(self, soql: str, *, include_deleted: bool = False) -> list[Row]:
        page = self.rest("GET", f"{'queryAll' if include_deleted else 'query'}?q={quote(soql)}")
        rows = plain(page["records"])
        while not page["done"]:
            page = self.rest("GET", page["nextRecordsUrl"])
            rows += plain(page["records"])
        return rows

    def describe(self, sobject: str) -> Row:
        found: Row = self.rest("GET", f"sobjects/{sobject}/describe")
        return found

    def create(self, sobject: str, values: Row) -> str:
        return str(self.rest("POST", f"sobjects/{sobject}", values)["id"])

    def read(self, sobject: str, record_id: str) -> Row:
        return plain([self.rest("GET", f"sobjects/{sobject}/{record_id}")])[0]

    def update(self, sobject: str, record_id: str, values: Row) -> None:
        self.rest("PATCH", f"sobjects/{sobject}/{record_id}", values)

    def upsert(self, sobject: str, key: str, value: str, values: Row) -> int:
        return self.ask("PATCH", f"sobjects/{sobject}/{key}/{value}", json.dumps(values)).status

    def delete(self, sobject: str, record_id: str) -> None:
        self.rest("DELETE", f"sobjects/{sobject}/{record_id}")

    def bulk_query(self, sobject: str, soql: str) -> list[dict[str, str]]:
        job = self.rest("POST", "jobs/query", {"operation": "query", "query": soql})["id"]
        self._wait(f"jobs/query/{job}")
        rows: list[dict[str, str]] = []
        locator = ""
        while locator != "null":
            page = self.ask("GET", f"jobs/query/{job}/results?maxRecords=3&locator={locator}")
            rows += list(csv.DictReader(io.StringIO(page.text, newline="")))
            locator = page.headers["sforce-locator"]
        return rows

    def bulk_upsert(self, sobject: str, key: str, rows: Sequence[Mapping[str, str]]) -> tuple[int, int]:
        made = {"object": sobject, "operation": "upsert", "externalIdFieldName": key, "contentType": "CSV"}
        job = self.rest("POST", "jobs/ingest", made)["id"]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.ask("PUT", f"jobs/ingest/{job}/batches", text.getvalue(), "text/csv")
        self.rest("PATCH", f"jobs/ingest/{job}", {"state": "UploadComplete"})
        told = self._wait(f"jobs/ingest/{job}")
        return told["numberRecordsProcessed"], told["numberRecordsFailed"]

    def _wait(self, path: str) -> Row:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            told: Row = self.rest("GET", path)
            if told["state"] == "JobComplete":
                return told
            time.sleep(0.02)
        raise AssertionError("the job did not end")
