"""What the product may ask of one Salesforce org."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from simple_salesforce.api import Salesforce

from apps.domain.failures import Category, Failure, Internal
from apps.domain.ports import Changed, ObjectSchema, Usage, WriteOperation, WriteResult
from apps.salesforce.bulk import BulkQueries
from apps.salesforce.collections import Collections
from apps.salesforce.conditional import ConditionalWrites
from apps.salesforce.deployments import Deployments
from apps.salesforce.hosts import checked_base
from apps.salesforce.ingest import BulkWrites
from apps.salesforce.query import Queries
from apps.salesforce.schema import object_schema
from apps.salesforce.session import CallRecord, SalesforceSession, TokenSource, whole_answer
from apps.salesforce.soql import identifier, record_id


class SalesforceGateway:
    """One org through one session. Make one per task: simple-salesforce changes its own state as it works."""

    def __init__(
        self,
        *,
        instance_url: str,
        api_version: str,
        tokens: TokenSource,
        trusted_hosts: tuple[str, ...] = (),
        on_call: Callable[[CallRecord], None] | None = None,
    ) -> None:
        self._base = checked_base(instance_url, trusted_hosts)
        self._session = SalesforceSession(self._base, tokens, on_call)
        self._api = Salesforce(
            instance_url=self._base,
            session_id="held-by-the-session",
            version=api_version,
            session=self._session,
        )
        self._data_url = f"{self._base}/services/data/v{api_version}"
        self._queries = Queries(self._api, self._session, self._base, api_version)
        self._collections = Collections(self._session, self._data_url)
        self._conditional = ConditionalWrites(self._session, self._base, api_version)
        self.bulk = BulkQueries(self._session, f"{self._data_url}/jobs/query")
        self.deployments = Deployments(self._session, self._data_url)
        self.ingest = BulkWrites(self._session, f"{self._data_url}/jobs/ingest")

    def org_time(self) -> datetime:
        """The org's clock, as its last answer told by the header Date (whole seconds); watermarks use no other."""
        if self._session.org_time is None:
            self.limits()
        if self._session.org_time is None:
            raise Internal(Category.INTERNAL, "Salesforce's answers carry no date.")
        return self._session.org_time

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def sobjects(self) -> list[dict[str, Any]]:
        """Name, label and abilities of every sObject that the sync user can see."""
        with whole_answer():
            answer = self._api.describe()
        if answer is None:
            raise Internal(Category.INTERNAL, "The describe of the org is empty.")
        return list(answer["sobjects"])

    def describe(self, sobject: str) -> ObjectSchema:
        """The sObject as the sync user sees it: what is hidden is absent."""
        return object_schema(self._get(f"sobjects/{identifier(sobject)}/describe"))

    def list_views(self, sobject: str) -> list[dict[str, str]]:
        """The list views of an sObject: id, label, and whether SOQL can ask what it shows."""
        answer = self._get(f"sobjects/{identifier(sobject)}/listviews?limit=200")
        return [
            {"id": str(one["id"]), "label": str(one.get("label") or one.get("developerName") or one["id"])}
            for one in answer.get("listviews") or ()
            if one.get("soqlCompatible", True)
        ]

    def list_view(self, sobject: str, view: str) -> dict[str, Any]:
        """What a list view asks for: its scope, and its conditions as a tree (SoqlWhereCondition)."""
        answer = self._get(f"sobjects/{identifier(sobject)}/listviews/{record_id(view)}/describe")
        return {"id": view, "scope": answer.get("scope") or "", "where": answer.get("whereCondition")}

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Rows of a small result, page by page; ``attributes`` are left out."""
        return self._queries.rows(str(soql), include_deleted=include_deleted)

    def query_many(
        self, queries: Sequence[str], *, include_deleted: bool = False
    ) -> list[list[dict[str, Any]] | Failure]:
        """All rows of each query, five queries a call; where one is refused, its Failure stands in that place."""
        return self._queries.many([str(soql) for soql in queries], include_deleted=include_deleted)

    def count(self, sobject: str) -> int:
        """How many rows the sync user can see."""
        return self._queries.count(f"SELECT COUNT() FROM {identifier(sobject)}")

    def read(self, sobject: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows by 18-character id, 2,000 a call; one that is deleted or out of sight is absent."""
        return self._collections.read(sobject, ids, fields)

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
        """One result per record in the order given, 200 a call; a refused record never stops the others."""
        return self._collections.write(
            sobject,
            operation,
            records,
            key_field=key_field,
            allow_duplicates=allow_duplicates,
            assignment_rule=assignment_rule,
        )

    def write_if_unchanged(
        self,
        sobject: str,
        remote_id: str,
        seen: datetime,
        values: Mapping[str, Any],
        *,
        allow_duplicates: bool = False,
    ) -> WriteResult | Changed:
        """Update one row if its SystemModstamp is still the one that was read, in one call; else write nothing."""
        return self._conditional.write(sobject, remote_id, seen, values, allow_duplicates=allow_duplicates)

    def limits(self) -> Usage | None:
        """Used and allowed calls of the rolling 24 hours, which may lag by minutes."""
        daily = self._get("limits").get("DailyApiRequests")
        if not daily:
            return None
        return Usage(int(daily["Max"]) - int(daily["Remaining"]), int(daily["Max"]))

    def _get(self, path: str) -> dict[str, Any]:
        with whole_answer():
            answer: dict[str, Any] = self._session.get(f"{self._data_url}/{path}").json()
        return answer
