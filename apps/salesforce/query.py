"""REST queries: small results page by page, or several queries in one call."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from simple_salesforce.api import Salesforce

from apps.domain.failures import Category, Failure, Internal
from apps.salesforce.errors import failure_from
from apps.salesforce.session import SalesforceSession, whole_answer
from apps.salesforce.soql import LONGEST_ADDRESS, address_length

MOST_AT_ONCE = 5
"""Queries in one Composite call, which counts as one call (facts, section 8)."""
_NEXT = re.compile(r"/services/data/v\d+\.\d+/(?:query|queryAll)/[A-Za-z0-9_=~%+-]+")

Rows = list[dict[str, Any]]


class Queries:
    """Queries of one connection. A cursor lives two days at most: what must survive is the window, not the cursor."""

    def __init__(self, api: Salesforce, session: SalesforceSession, base: str, version: str) -> None:
        self._api = api
        self._session = session
        self._base = base
        self._version = version

    def rows(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Rows page by page, never all at once; ``attributes`` are left out."""
        _check_length(soql)
        with whole_answer():
            answer: dict[str, Any] = self._api.query(soql, include_deleted=include_deleted)
        return self._pages(answer)

    def many(self, queries: Sequence[str], *, include_deleted: bool = False) -> list[Rows | Failure]:
        """All rows of each query; where Salesforce refuses one, its Failure stands in that place."""
        results: list[Rows | Failure] = []
        for start in range(0, len(queries), MOST_AT_ONCE):
            results += self._together(queries[start : start + MOST_AT_ONCE], include_deleted)
        return results

    def count(self, soql: str) -> int:
        """The total of a ``SELECT COUNT()``."""
        with whole_answer():
            return int(self._api.query(soql)["totalSize"])

    def _together(self, queries: Sequence[str], include_deleted: bool) -> list[Rows | Failure]:
        resource = "queryAll" if include_deleted else "query"
        asked = []
        for number, soql in enumerate(queries):
            _check_length(soql)
            url = f"/services/data/v{self._version}/{resource}?q={quote(soql, safe='')}"
            asked.append({"method": "GET", "url": url, "referenceId": f"query{number}"})
        with whole_answer():
            answer = self._session.post(
                f"{self._base}/services/data/v{self._version}/composite",
                json={"allOrNone": False, "compositeRequest": asked},
            ).json()
        told = {part["referenceId"]: part for part in answer["compositeResponse"]}
        return [self._part(told[f"query{number}"]) for number in range(len(queries))]

    def _part(self, part: dict[str, Any]) -> Rows | Failure:
        if part["httpStatusCode"] != 200:
            return failure_from(part["httpStatusCode"], json.dumps(part["body"]))
        return list(self._pages(part["body"]))

    def _pages(self, answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            for row in answer["records"]:
                row.pop("attributes", None)
                yield row
            if answer.get("done", True):
                return
            # The path is joined to our own base: the answer cannot lead us to another host.
            with whole_answer():
                answer = self._session.get(f"{self._base}{_next_path(answer)}").json()


def _check_length(soql: str) -> None:
    if address_length(soql) > LONGEST_ADDRESS:
        raise Internal(Category.MALFORMED_QUERY, "The query is too long for one address: split it, or ask by Bulk.")


def _next_path(answer: dict[str, Any]) -> str:
    path = str(answer.get("nextRecordsUrl") or "")
    if not _NEXT.fullmatch(path):
        raise Internal(Category.UNTRUSTED_HOST, "A result pointed outside the API.")
    return path
