"""Queueing a change in the transaction that caused it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg2.extras import execute_values

from apps.core.queue import wake
from apps.outbox.models import OutboundChange
from apps.tenants.scope import current_tenant_id

PUSH_TASK = "apps.sync.tasks.push"

_INTO = """
INSERT INTO outbox_outboundchange AS c (tenant_id, local_type, local_id, fields, queued_at, due_at)
"""
_MERGE = """
ON CONFLICT (tenant_id, local_type, local_id) DO UPDATE
SET fields = c.fields || excluded.fields,
    generation = c.generation + 1,
    state = CASE WHEN %(released)s THEN 'waiting' ELSE c.state END,
    reason = CASE WHEN %(released)s THEN '' ELSE c.reason END,
    due_at = CASE WHEN %(released)s THEN excluded.due_at ELSE least(c.due_at, excluded.due_at) END
"""
_ROW, _PAGE = "(%s, %s, %s, %s::jsonb, %s, %s)", 1_000
_RING = """
INSERT INTO outbox_outboxdue AS d (tenant_id, due_at) VALUES (%s, %s)
ON CONFLICT (tenant_id) DO UPDATE SET due_at = excluded.due_at
WHERE d.due_at IS NULL OR d.due_at > excluded.due_at
"""


def queue_change(*, local_type: str, local_id: int, fields: Iterable[str], origin: str, at: datetime) -> None:
    """Queue changed ``fields`` of a record for Salesforce; they fold into the row that already waits.

    Changes whose origin is the sync itself are not queued: what sync wrote is never sent back. A change that was
    held is tried again, since the record has changed.
    """
    queue_changes(local_type=local_type, changes={local_id: fields}, origin=origin, at=at)


def queue_changes(
    *, local_type: str, changes: Mapping[int, Iterable[str]], origin: str, at: datetime, releases: bool = True
) -> None:
    """``queue_change`` for many records (id → fields) in one statement, in the order of their ids. With ``releases``
    off a change that was held stays held and only grows: what changed is not what it was held for."""
    fact = {"at": at.isoformat(), "origin": origin}
    changed = {record_id: dict.fromkeys(names, fact) for record_id, names in sorted(changes.items())}
    tenant_id = current_tenant_id()
    rows = [(tenant_id, local_type, i, json.dumps(facts), at, at) for i, facts in changed.items() if facts]
    if origin == "sync" or not rows:
        return
    statement = f"{_INTO} VALUES %s {_MERGE}".replace("%(released)s", "c.state = 'held'" if releases else "false")
    with connection.cursor() as cursor:
        execute_values(cursor.cursor, statement, rows, template=_ROW, page_size=_PAGE)
    ring(at=at)
    wake(PUSH_TASK, tenant_id, queue="routine")


_OF_TABLE = """
SELECT %(tenant)s, %(type)s, q.id, q.fields, %(at)s, %(at)s FROM (
  SELECT d.id, (SELECT jsonb_object_agg(k.name, %(fact)s::jsonb) FROM jsonb_object_keys(d.fields) k (name)) AS fields
  FROM ({rows}) d) q
WHERE q.fields IS NOT NULL
"""


def queue_table(*, local_type: str, rows: str, origin: str, at: datetime) -> None:
    """Queue what a query of ours names, as ``queue_change`` does for one record: (id, an object whose keys are the
    changed fields) for thousands of records in one statement, in the order of their ids."""
    tenant_id = current_tenant_id()
    values: dict[str, Any] = {
        "tenant": tenant_id,
        "type": local_type,
        "at": at,
        "fact": json.dumps({"at": at.isoformat(), "origin": origin}),
    }
    with connection.cursor() as cursor:
        released = _MERGE.replace("%(released)s", "c.state = 'held'")
        cursor.execute(_INTO + _OF_TABLE.format(rows=rows) + released, values)
    ring(at=at)
    wake(PUSH_TASK, tenant_id, queue="routine")


def try_again(*, local_type: str, local_ids: Sequence[int], at: datetime) -> None:
    """Have held changes of these records tried again: their rows in Salesforce have changed."""
    held = OutboundChange.objects.filter(local_type=local_type, local_id__in=local_ids, state="held")
    if held.update(state="waiting", reason="", attempts=0, due_at=at):
        ring(at=at)
        wake(PUSH_TASK, current_tenant_id(), queue="routine")


def ring(*, at: datetime) -> None:
    """Have the tenant's waiting changes looked at by ``at``, or earlier where that was said already."""
    with connection.cursor() as cursor:
        cursor.execute(_RING, [current_tenant_id(), at])
