"""What webhooks are told of syncs: records that a batch changed, runs that ended, errors that are new.

Where nobody listens, a batch costs one question.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from apps.audience.announcing import record_event
from apps.core.queue import wake
from apps.domain.remedies import words_for
from apps.domain.webhooks import RECORD_EVENTS
from apps.notifications.webhooks.emitting import (
    DELIVER_TASK,
    EventDraft,
    WebhookEvent,
    emit,
    emit_all,
    subscribers,
)
from apps.sync.drafts import Context, RecordDraft
from apps.sync.models import RunKind, RunObject, RunState, SyncRun
from apps.sync_errors.models import SyncError
from apps.tenants.scope import current_tenant_id

_TOLD = frozenset({"person", "company"})
_SHOWN_FLAGS = frozenset({"is_active", "email_opt_out"})
_MOST_ERRORS = 50
_COUNTS = ("created", "updated", "unchanged", "skipped", "failed")
_WORDS = {RunState.COMPLETED: "has finished", RunState.FAILED: "has failed", RunState.CANCELLED: "was stopped"}
_NAMES = {
    RunKind.FULL: "The full sync",
    RunKind.OBJECT: "The sync of some objects",
    RunKind.DIFFERENTIAL: "The scheduled sync",
    RunKind.SWEEP: "The nightly comparison",
    RunKind.OUTBOUND: "Sending to Salesforce",
}

# A page of a full sync that SQL applied: what it created, one row for each endpoint that wants bulk, too.
_CREATED = """
INSERT INTO notifications_delivery (tenant_id, endpoint_id, event_id, event, key, payload, record_type, record_id)
SELECT l.tenant_id, e.id, gen_random_uuid(), %(event)s, %(type)s || ':' || l.{key} || ':1:' || %(event)s,
  jsonb_build_object('type', %(type)s, 'id', l.{key}, 'version', 1, 'origin', 'sync', 'changes', '{{}}'::jsonb,
    'salesforce', jsonb_build_object('object', l.sobject, 'id', l.remote_id),
    'path', '/' || %(path)s || '/' || l.{key} || '/'), %(type)s, l.{key}
FROM staging."{table}" s
CROSS JOIN unnest(%(endpoints)s::bigint[]) e (id)
JOIN LATERAL (
  SELECT k.* FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s AND k.connection_id = %(connection)s
    AND k.remote_id = s."Id" AND k.created_run_id = %(run)s LIMIT 1) l ON true
ON CONFLICT DO NOTHING
"""


def announce_records(context: Context, drafts: Sequence[RecordDraft], new: Sequence[RecordDraft]) -> None:
    """Tell of the records that a batch changed or made, in its transaction."""
    if context.local_type not in _TOLD:
        return
    changed = [(draft, _changes(draft)) for draft in drafts]
    changed = [(draft, changes) for draft, changes in changed if changes]
    if not changed and not new:
        return
    wanted = subscribers(RECORD_EVENTS, bulk=context.is_bulk)
    if not wanted:
        return
    events: list[EventDraft] = []
    for draft, changes in [*changed, *((draft, draft.changes) for draft in new)]:
        event = _event(draft)
        events.append(
            record_event(event, local_type=context.local_type, record=draft.row, changes=changes, origin="sync")
        )
    emit_all(events, to=wanted)


def _changes(draft: RecordDraft) -> dict[str, Any]:
    return dict(draft.changes) | {name: value for name, value in draft.flags.items() if name in _SHOWN_FLAGS}


def _event(draft: RecordDraft) -> WebhookEvent:
    if draft.is_new:
        return WebhookEvent.RECORD_CREATED
    return WebhookEvent.RECORD_DEACTIVATED if draft.flags.get("is_active") is False else WebhookEvent.RECORD_UPDATED


def announce_page(run: SyncRun, table: str, local_type: str) -> None:
    """Tell of what SQL created of a page, where somebody wants each record of a full sync."""
    if local_type not in _TOLD:
        return
    event = WebhookEvent.RECORD_CREATED
    endpoints = subscribers([event], bulk=True).of(event)
    if not endpoints:
        return
    values = {
        "event": event.value,
        "type": local_type,
        "path": "people" if local_type == "person" else "companies",
        "endpoints": endpoints,
        "tenant": run.tenant_id,
        "connection": run.connection_id,
        "run": run.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CREATED.format(table=table.replace('"', '""'), key=f"{local_type}_id"), values)
    wake(DELIVER_TASK, current_tenant_id(), queue="routine")


def announce_end(run: SyncRun, path: str) -> None:
    """Tell that a run ended, with its counts. Syncs of one record, and sending that had nothing to send, are not
    worth a word."""
    if run.kind not in _NAMES or run.state not in _WORDS:
        return
    if not subscribers([WebhookEvent.RUN_FINISHED]):
        return
    sums = RunObject.objects.filter(run=run).aggregate(**{name: Sum(name) for name in _COUNTS})
    counts = {name: sums[name] or 0 for name in _COUNTS}
    if run.kind == RunKind.OUTBOUND and run.state == RunState.COMPLETED and not any(counts.values()):
        return
    words = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count) or "nothing to do"
    payload = {
        "title": f"{_NAMES[RunKind(run.kind)]} {_WORDS[RunState(run.state)]}",
        "text": run.failure or words,
        "run": run.pk,
        "kind": run.kind,
        "state": run.state,
        "trigger": run.trigger,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "failure": run.failure,
        "counts": counts,
        "path": path,
    }
    emit(WebhookEvent.RUN_FINISHED, payload, key=f"run:{run.pk}")


def announce_errors(run: SyncRun, new: Any, path: str) -> None:
    """Tell of the errors that a run was the first to see: one event, with the first fifty of them."""
    if not subscribers([WebhookEvent.ERROR_OPENED]):
        return
    counts: dict[str, int] = dict(new.values_list("category").annotate(n=Count("id")).order_by("category"))
    total = sum(counts.values())
    if not total:
        return
    payload = {
        "title": "1 new sync error" if total == 1 else f"{total:,} new sync errors",
        "text": "\n".join(f"{count:,} × {words_for(name).title}" for name, count in counts.items()),
        "run": run.pk,
        "count": total,
        "by_category": counts,
        "errors": [_error(row) for row in new.order_by("id")[:_MOST_ERRORS]],
        "path": path,
    }
    emit(WebhookEvent.ERROR_OPENED, payload, key=f"errors:{run.pk}")


def _error(row: SyncError) -> dict[str, Any]:
    return {
        "id": row.pk,
        "category": row.category,
        "message": row.message[:500],
        "object": row.sobject,
        "salesforce_id": row.remote_id,
        "type": row.local_type,
        "record": row.local_id,
        "field": row.field,
        "path": f"/integrations/salesforce/errors/{row.pk}/",
    }
