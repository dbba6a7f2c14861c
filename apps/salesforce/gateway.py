"""What the product may ask of one Salesforce org."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from simple_salesforce.api import Salesforce

from apps.domain.failures import Category, Internal
from apps.salesforce.bulk import BulkQueries
from apps.salesforce.hosts import checked_base
from apps.salesforce.schema import ObjectSchema, object_schema
from apps.salesforce.session import CallRecord, SalesforceSession, TokenSource, Usage
from apps.salesforce.soql import identifier


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
        self.bulk = BulkQueries(self._session, f"{self._data_url}/jobs/query")

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
        answer = self._api.describe()
        if answer is None:
            raise Internal(Category.INTERNAL, "The describe of the org is empty.")
        return list(answer["sobjects"])

    def describe(self, sobject: str) -> ObjectSchema:
        """The sObject as the sync user sees it: what is hidden is absent."""
        return object_schema(self._get(f"sobjects/{identifier(sobject)}/describe"))

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Rows of a small result, page by page; ``attributes`` are left out."""
        answer: dict[str, Any] = self._api.query(str(soql), include_deleted=include_deleted)
        while True:
            for row in answer["records"]:
                row.pop("attributes", None)
                yield row
            if answer.get("done", True):
                return
            # The path is joined to our own base: the answer cannot lead us to another host.
            answer = self._session.get(f"{self._base}{_path(answer['nextRecordsUrl'])}").json()

    def count(self, sobject: str) -> int:
        """How many rows the sync user can see."""
        answer = self._api.query(f"SELECT COUNT() FROM {identifier(sobject)}")
        return int(answer["totalSize"])

    def limits(self) -> Usage | None:
        """Used and allowed calls of the rolling 24 hours, which may lag by minutes."""
        daily = self._get("limits").get("DailyApiRequests")
        if not daily:
            return None
        return Usage(int(daily["Max"]) - int(daily["Remaining"]), int(daily["Max"]))

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._session.get(f"{self._data_url}/{path}").json()
        return answer


def _path(url: str) -> str:
    if not url.startswith("/services/data/"):
        raise Internal(Category.UNTRUSTED_HOST, "A result pointed outside the API.")
    return url
