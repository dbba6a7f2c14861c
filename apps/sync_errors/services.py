"""Writing, closing and clearing sync errors."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db.models import QuerySet
from django.utils import timezone
from psycopg2.extras import execute_values

from apps.audience.services.task_switches import retry_tasks
from apps.outbox.models import OutboundChange
from apps.outbox.services import release_changes
from apps.sync_errors.models import LIVE_STATES, ErrorState, SyncError
from apps.tenants.actors import Actor
from apps.tenants.audit import audit
from apps.tenants.scope import current_tenant_id


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorFact:
    """What stopped one row."""

    category: str
    message: str
    sobject: str = ""
    remote_id: str = ""
    local_type: str = ""
    local_id: int | None = None
    record_label: str = ""
    field: str = ""
    raw: str = ""
    details: dict[str, Any] = dataclasses.field(default_factory=dict)
    next_attempt_at: datetime | None = None
    is_blocked: bool = False

    @property
    def state(self) -> ErrorState:
        """Retrying where there is a next attempt; blocked where only a change or a person helps."""
        if self.next_attempt_at is not None:
            return ErrorState.RETRYING
        return ErrorState.BLOCKED if self.is_blocked else ErrorState.OPEN

    @property
    def fingerprint(self) -> str:
        record = self.remote_id or f"{self.local_type}:{self.local_id}"
        return hashlib.sha256(f"{self.sobject}|{record}|{self.category}|{self.field}".encode()).hexdigest()


_UPSERT = """
INSERT INTO sync_errors_syncerror AS e (tenant_id, connection_id, run_id, first_seen, last_seen, fingerprint, category,
    way, sobject, remote_id, local_type, local_id, record_label, field, message, raw, details, state, next_attempt_at)
VALUES %s
ON CONFLICT (tenant_id, fingerprint) WHERE state IN ('open', 'retrying', 'blocked') DO UPDATE
SET last_seen = excluded.last_seen, run_id = excluded.run_id, message = excluded.message, raw = excluded.raw,
    details = excluded.details, record_label = excluded.record_label, local_type = excluded.local_type,
    local_id = excluded.local_id, state = excluded.state, next_attempt_at = excluded.next_attempt_at,
    attempts = e.attempts + CASE WHEN excluded.next_attempt_at IS NULL THEN 0 ELSE 1 END, way = excluded.way,
    occurrences = e.occurrences + CASE WHEN e.run_id IS DISTINCT FROM excluded.run_id THEN 1 ELSE 0 END
"""


def record_errors(
    facts: Iterable[ErrorFact], *, connection_id: int, run_id: int | None, at: datetime, way: str = "in"
) -> int:
    """Open an error for each fact, or count its repeat: the same run counts it once, however often it says so.

    Thousands go in one statement, in the order of their fingerprints, so that two runs never wait for each other.
    """
    tenant_id = current_tenant_id()
    unique = {fact.fingerprint: fact for fact in facts}
    rows = [
        (tenant_id, connection_id, run_id, at, at, mark, f.category, way, f.sobject, f.remote_id, f.local_type,
         f.local_id, _text(f.record_label, 500), f.field, _text(f.message, 2000), _text(f.raw, 4000),
         _text(json.dumps(f.details).replace("\\u0000", "")), f.state, f.next_attempt_at)
        for mark, f in sorted(unique.items())
    ]  # fmt: skip
    if rows:
        with database.cursor() as cursor:
            execute_values(cursor.cursor, _UPSERT, rows, page_size=1000)
    return len(rows)


def _text(raw: str, limit: int | None = None) -> str:
    """Text that PostgreSQL can hold (it has no NUL), cut to ``limit``."""
    return raw.replace("\0", "")[:limit]


def resolve_errors(*, connection_id: int, remote_ids: Sequence[str], at: datetime, way: str = "in") -> int:
    """Close the live errors of rows that have now gone the same way without one."""
    return SyncError.objects.filter(
        connection_id=connection_id, remote_id__in=list(remote_ids), way=way, state__in=LIVE_STATES
    ).update(state=ErrorState.RESOLVED, closed_at=at, next_attempt_at=None)


def resolve_record_errors(*, local_type: str, local_ids: Sequence[int], at: datetime, way: str = "out") -> int:
    """Close the live errors of records whose change has now arrived."""
    return SyncError.objects.filter(
        local_type=local_type, local_id__in=list(local_ids), way=way, state__in=LIVE_STATES
    ).update(state=ErrorState.RESOLVED, closed_at=at, next_attempt_at=None)


def clear_errors(*, errors: "QuerySet[SyncError]", user: Actor) -> int:
    """Clear live errors: they leave the table until they happen again."""
    count = errors.filter(state__in=LIVE_STATES).update(
        state=ErrorState.CLEARED, closed_at=timezone.now(), closed_by_id=user.pk
    )
    if count:
        audit(actor=user, action="errors_cleared", subject=f"{count} sync errors")
    return count


def retry_errors(*, errors: "QuerySet[SyncError]", user: Actor) -> int:
    """Have live errors tried again: rows of Salesforce are read again by the next sync, and changes of ours that are
    held go out again. An error that lasts is written down anew."""
    now = timezone.now()
    live = errors.filter(state__in=LIVE_STATES)
    chosen = list(live.values_list("id", "way", "local_type", "local_id"))
    if live.filter(sobject="Task", way="out").exists():
        retry_tasks()
    count = SyncError.objects.filter(id__in=[row[0] for row in chosen]).update(
        state=ErrorState.RETRYING, next_attempt_at=now
    )
    records: dict[str, set[int]] = {}
    for _, way, local_type, local_id in chosen:
        if way == "out" and local_id is not None:
            records.setdefault(local_type, set()).add(local_id)
    for local_type, ids in records.items():
        held = OutboundChange.objects.filter(local_type=local_type, local_id__in=ids, state="held")
        release_changes(ids=list(held.values_list("id", flat=True)), user=user)
    if count:
        audit(actor=user, action="errors_retried", subject=f"{count} sync errors")
    return count
