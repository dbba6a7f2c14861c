"""A single write that does nothing where the row has changed since it was read."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from apps.domain.failures import Category, RowFailure, Transient
from apps.domain.ports import Changed, WriteResult
from apps.salesforce.errors import failure_from, row_failure
from apps.salesforce.session import SalesforceSession, whole_answer
from apps.salesforce.soql import identifier, moment, quoted, record_id

_HALTED = "PROCESSING_HALTED"
_NO_REFERENCE = "Invalid reference specified"
"""The REST guide (Composite subrequest result) names the code for a reference without a value and for siblings."""


class ConditionalWrites:
    """Conditional updates of one connection, one Composite call each (counts as one call)."""

    def __init__(self, session: SalesforceSession, base: str, version: str) -> None:
        self._session = session
        self._base = base
        self._data = f"/services/data/v{version}"

    def write(
        self,
        sobject: str,
        remote_id: str,
        seen: datetime,
        values: Mapping[str, Any],
        *,
        allow_duplicates: bool = False,
    ) -> WriteResult | Changed:
        """Write ``values`` if the row still has the stamp ``seen``: all or none.

        The query finds the row by id and stamp; the write goes through the query's first row. Where there is none,
        the reference has no value and Salesforce halts. Two moments stay open: stamps are whole seconds, so a change
        within the second of ``seen`` is not noticed; and a query takes no lock, so neither is one between its steps.
        """
        name = identifier(sobject)
        soql = f"SELECT Id FROM {name} WHERE Id = {quoted(record_id(remote_id))} AND SystemModstamp = {moment(seen)}"
        headers = {"Sforce-Auto-Assign": "FALSE"}
        if allow_duplicates:
            headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
        asked = [
            {"method": "GET", "url": f"{self._data}/query?q={quote(soql, safe='')}", "referenceId": "seen"},
            {
                "method": "PATCH",
                "url": f"{self._data}/sobjects/{name}/@{{seen.records[0].Id}}",
                "referenceId": "written",
                "httpHeaders": headers,
                "body": dict(values),
            },
        ]
        with whole_answer():
            body = {"allOrNone": True, "compositeRequest": asked}
            answer = self._session.post(f"{self._base}{self._data}/composite", json=body).json()
        told = {part["referenceId"]: part for part in answer["compositeResponse"]}
        return _outcome(remote_id, told["seen"], told["written"])


def _outcome(remote_id: str, seen: dict[str, Any], written: dict[str, Any]) -> WriteResult | Changed:
    if written["httpStatusCode"] < 300:
        return WriteResult(remote_id)
    if _code(seen) not in {"", _HALTED}:
        raise failure_from(seen["httpStatusCode"], json.dumps(seen["body"]))
    errors = written["body"]
    if not isinstance(errors, list) or not errors:
        raise Transient(Category.UNAVAILABLE, "Salesforce did not say what became of a write.")
    if _code(written) == _HALTED and str(errors[0].get("message", "")).startswith(_NO_REFERENCE):
        return Changed(remote_id)
    failures: tuple[RowFailure, ...] = tuple(map(row_failure, errors))
    return WriteResult(remote_id, failures=failures)


def _code(part: dict[str, Any]) -> str:
    """The error code of a subrequest's answer; empty where it has none."""
    body = part["body"]
    first = body[0] if isinstance(body, list) and body else {}
    return str(first.get("errorCode") or "") if isinstance(first, dict) else ""
