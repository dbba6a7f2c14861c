"""Plans of PostgreSQL: which index, and with which condition, serves a question under row-level security."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet


@dataclass(frozen=True, slots=True)
class IndexUse:
    """One scan of an index."""

    name: str
    condition: str


def plan_of(rows: "QuerySet[Any]") -> dict[str, Any]:
    """The plan without sequential scans: where no index fits, PostgreSQL shows one all the same."""
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        answer = cursor.fetchone()[0]
        cursor.execute("SET LOCAL enable_seqscan = on")
    plan: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All nodes of a plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def indexes_of(rows: "QuerySet[Any]") -> list[IndexUse]:
    """The index scans of a plan."""
    return [
        IndexUse(node["Index Name"], node.get("Index Cond", ""))
        for node in nodes(plan_of(rows))
        if "Index Name" in node
    ]


def sorts_of(rows: "QuerySet[Any]") -> list[str]:
    """The sorting nodes of a plan: none where an index gives the order."""
    return [node["Node Type"] for node in nodes(plan_of(rows)) if "Sort" in node["Node Type"]]
