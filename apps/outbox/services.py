"""Queueing a change in the transaction that caused it."""

import json
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from apps.tenants.scope import current_tenant_id

_FOLD = """
INSERT INTO outbox_outboundchange AS c (tenant_id, local_type, local_id, fields, queued_at, due_at)
VALUES (%s, %s, %s, %s::jsonb, %s, %s)
ON CONFLICT (tenant_id, local_type, local_id) DO UPDATE
SET fields = c.fields || excluded.fields,
    generation = c.generation + 1,
    state = CASE WHEN c.state = 'held' THEN 'waiting' ELSE c.state END
"""


def queue_change(*, local_type: str, local_id: int, fields: Iterable[str], origin: str, at: datetime) -> None:
    """Queue changed ``fields`` of a record for Salesforce; they fold into the row that already waits.

    Changes whose origin is the sync itself are not queued: what sync wrote is never sent back.
    """
    changed = {name: {"at": at.isoformat(), "origin": origin} for name in fields}
    if origin == "sync" or not changed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _FOLD,
            [current_tenant_id(), local_type, local_id, json.dumps(changed), at, at],
        )
