"""Records by the hundred: read by id, create, update, upsert and delete, one result per record."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from apps.domain.failures import Category, RowFailure, Transient
from apps.domain.ports import WriteOperation, WriteResult
from apps.domain.values import normalize_id
from apps.salesforce.errors import row_failure
from apps.salesforce.session import SalesforceSession, whole_answer
from apps.salesforce.soql import identifier, record_id

MOST_READ = 2000
MOST_WRITTEN = 200
_METHODS = {WriteOperation.CREATE: "POST", WriteOperation.UPDATE: "PATCH", WriteOperation.UPSERT: "PATCH"}


class Collections:
    """sObject Collections of one connection (facts, section 8): answers come in the order of what was sent."""

    def __init__(self, session: SalesforceSession, data_url: str) -> None:
        self._session = session
        self._url = f"{data_url}/composite/sobjects"

    def read(self, sobject: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows by 18-character id; one that is deleted or out of sight is absent."""
        found: dict[str, dict[str, Any]] = {}
        asked = list(map(identifier, fields))
        for some in _chunks(map(record_id, ids), MOST_READ):
            body = {"ids": list(some), "fields": asked}
            with whole_answer():
                rows = self._session.post(f"{self._url}/{identifier(sobject)}", json=body).json()
            for row in filter(None, rows):  # null stands for a row that cannot be seen
                row.pop("attributes", None)
                found[normalize_id(row["Id"])] = row
        return found

    def write(
        self,
        sobject: str,
        operation: WriteOperation,
        records: Iterable[Mapping[str, Any]],
        *,
        key_field: str = "",
        allow_duplicates: bool = False,
        assignment_rule: str = "",
    ) -> Iterator[WriteResult]:
        """One result per record in the order given; each call writes up to 200, and a refusal stops no other.

        Assignment rules are left out, for they would replace the owner that is sent, unless one is named. Updates and
        deletes name
        their record by ``Id``; upserts hold ``key_field``, and ``allow_duplicates`` passes rules that only warn.
        """
        for some in _chunks(records, MOST_WRITTEN):
            if operation is WriteOperation.DELETE:
                answers = self._delete([record_id(str(record["Id"])) for record in some])
            else:
                answers = self._save(sobject, operation, some, key_field, allow_duplicates, assignment_rule)
            if not isinstance(answers, list) or len(answers) != len(some):
                raise Transient(Category.UNAVAILABLE, "Salesforce did not answer for each record.")
            for answer in answers:
                yield _result(answer, made=operation is WriteOperation.CREATE)

    def _save(
        self,
        sobject: str,
        operation: WriteOperation,
        records: Sequence[Mapping[str, Any]],
        key_field: str,
        allow_duplicates: bool,
        assignment_rule: str,
    ) -> Any:
        kind = {"attributes": {"type": identifier(sobject)}}
        url = f"{self._url}/{identifier(sobject)}/{identifier(key_field)}" if key_field else self._url
        headers = {"Sforce-Auto-Assign": assignment_rule or "FALSE"}
        if allow_duplicates:
            headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
        body = {"allOrNone": False, "records": [kind | _spelled(record, operation) for record in records]}
        with whole_answer():
            return self._session.request(_METHODS[operation], url, json=body, headers=headers).json()

    def _delete(self, ids: Sequence[str]) -> Any:
        parameters = {"ids": ",".join(ids), "allOrNone": "false"}
        with whole_answer():
            return self._session.delete(self._url, params=parameters).json()


def _spelled(record: Mapping[str, Any], operation: WriteOperation) -> dict[str, Any]:
    """An update names its record by ``id`` (recorded: collections/update-*), which is no field there."""
    if operation is not WriteOperation.UPDATE:
        return dict(record)
    return {"id": record_id(str(record["Id"]))} | {name: value for name, value in record.items() if name != "Id"}


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    waiting = iter(items)
    while some := list(islice(waiting, size)):
        yield some


def _result(answer: dict[str, Any], *, made: bool) -> WriteResult:
    failures = tuple(map(row_failure, answer.get("errors") or ()))
    if not answer.get("success") and not failures:
        failures = (RowFailure(Category.INVALID_VALUE, "Salesforce refused the record without a reason."),)
    created = not failures and bool(answer.get("created", made))
    return WriteResult(str(answer.get("id") or ""), created, failures)
