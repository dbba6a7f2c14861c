"""What is older than the log is kept goes at night, in small transactions: entries, runs, and what rules did."""

import time
from datetime import timedelta
from typing import Any

from django.db import connection as database
from django.db import models
from django.utils import timezone

from apps.core.queue import wake
from apps.sync.models import OPEN_RUN_STATES, RunKind, Schedule, SyncRun, WriteIntent
from apps.sync.schedules import next_sweep
from apps.sync_actions.models import CrmAction, RuleRun
from apps.tenants.scope import current_tenant_id, tenant_transaction

KEPT_FOR = timedelta(days=90)
TASK = "apps.sync.tasks.tidy"
_ROWS = 2_000
_CHUNK_SECONDS = 5.0
_HEADS_STAY = (RunKind.FULL, RunKind.OBJECT)
"""Records tell which of these made them: their heads stay, without their entries."""
_DELETE_ENTRIES = """
DELETE FROM sync_runentry WHERE tenant_id = %(tenant)s AND run_id = %(run)s AND number IN (
  SELECT number FROM sync_runentry WHERE tenant_id = %(tenant)s AND run_id = %(run)s ORDER BY number LIMIT %(most)s)
"""


def tidy(tenant_id: int, connection_id: int) -> None:
    """Delete the next old rows of a tenant for a few seconds; what is left is done by the next call. Harmless when it
    is not due."""
    with tenant_transaction(tenant_id):
        if not Schedule.objects.filter(connection_id=connection_id, tidy_due_at__lte=timezone.now()).exists():
            return
    until = time.monotonic() + _CHUNK_SECONDS
    while time.monotonic() < until:
        with tenant_transaction(tenant_id):
            if not _tidy_some(connection_id):
                due = next_sweep(connection_id, timezone.now())
                Schedule.objects.filter(connection_id=connection_id).update(tidy_due_at=due)
                return
    with tenant_transaction(tenant_id):
        wake(TASK, tenant_id, connection_id, queue="bulk")


def _tidy_some(connection_id: int) -> bool:
    """Delete some rows; False when nothing old is left."""
    before = timezone.now() - KEPT_FOR
    old = SyncRun.objects.filter(connection_id=connection_id, queued_at__lt=before).exclude(state__in=OPEN_RUN_STATES)
    for run in old.filter(is_tidied=False).order_by("queued_at", "id")[:50]:
        with database.cursor() as cursor:
            cursor.execute(_DELETE_ENTRIES, {"tenant": current_tenant_id(), "run": run.pk, "most": _ROWS})
            if cursor.rowcount:
                return True
        if run.kind in _HEADS_STAY:
            SyncRun.objects.filter(id=run.pk).update(is_tidied=True)
        else:
            run.delete()
    if old.filter(is_tidied=False).exists():
        return True
    return (
        _delete_oldest(RuleRun, "at", before)
        or _delete_oldest(CrmAction, "settled_at", before)
        or _delete_oldest(WriteIntent, "closed_at", before)
    )


def _delete_oldest(model: type[models.Model], moment: str, before: Any) -> bool:
    """Delete the oldest rows of a table that grows, by its primary key; those that are not over stay."""
    rows = model._default_manager.order_by("id").values_list("id", moment)[:_ROWS]
    ids = [number for number, at in rows if at is not None and at < before]
    if ids:
        model._default_manager.filter(id__in=ids).delete()
    return bool(ids)
