"""The retry ledger of pulls: rows whose error has a next attempt are read by id and judged again."""

from collections import defaultdict

from django.utils import timezone

from apps.domain.rows import DELETION_FIELDS, SYSTEM_FIELDS, fields_of, row_from_json
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.integrations.soql import find_text
from apps.sync.contexts import context_of, steps_of
from apps.sync.lanes import Hold
from apps.sync.models import SyncRun
from apps.sync.storing import apply_rows
from apps.sync_errors.models import ErrorState, SyncError
from apps.sync_errors.services import resolve_errors
from apps.tenants.scope import tenant_transaction

MOST = 200
"""Rows of one sObject that a sync tries again."""


def retry_due(hold: Hold, run: SyncRun, gateway: Gateway) -> None:
    """Read and judge rows whose time has come. A row that is nowhere any more has no error either."""
    for sobject, ids in _due(hold, run).items():
        with tenant_transaction(hold.tenant_id):
            schema = cached_schema(Connection.objects.get(id=run.connection_id), sobject)
        fields = fields_of(step for step in steps_of(run) if step.sobject == sobject)
        if schema is None or not fields:
            continue
        columns = [n for n in dict.fromkeys((*SYSTEM_FIELDS, *DELETION_FIELDS, *fields)) if n in schema.fields]
        rows = list(gateway.query(find_text(sobject, columns, "Id", ids), include_deleted=True))
        read = [row_from_json(row, fields) for row in rows]
        gone = set(ids) - {row.remote_id for row in read}
        with tenant_transaction(hold.tenant_id):
            hold.check()
            _count_attempt(run, ids)
            apply_rows(context_of(run, sobject), read)
            if gone:
                resolve_errors(connection_id=run.connection_id, remote_ids=sorted(gone), at=timezone.now())


def _due(hold: Hold, run: SyncRun) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    with tenant_transaction(hold.tenant_id):
        rows = SyncError.objects.filter(
            connection_id=run.connection_id,
            way="in",
            state=ErrorState.RETRYING,
            next_attempt_at__lte=timezone.now(),
            remote_id__regex=r"^[a-zA-Z0-9]{18}$",
        ).order_by("next_attempt_at", "id")
        for sobject, remote_id in rows.values_list("sobject", "remote_id")[: 5 * MOST]:
            if remote_id not in found[sobject] and len(found[sobject]) < MOST:
                found[sobject].append(remote_id)
    return found


def _count_attempt(run: SyncRun, ids: list[str]) -> None:
    """Whatever comes of it, this attempt is made: an error that lasts is open again."""
    SyncError.objects.filter(
        connection_id=run.connection_id, way="in", state=ErrorState.RETRYING, remote_id__in=ids
    ).update(state=ErrorState.OPEN, next_attempt_at=None)
