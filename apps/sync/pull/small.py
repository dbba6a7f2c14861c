"""Small answers about lists, memberships and roles: staged like a page, and taken back where rows were deleted."""

import csv
import io
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.sync.models import RunObject, SyncRun
from apps.sync.pull.relations import MISSING_PARENT, apply_relations
from apps.sync.pull.staging import drop_page, stage_page
from apps.sync.verdicts import Tally
from apps.tenants.scope import current_tenant_id

_TABLES = {
    "Campaign": "audience_list",
    "CampaignMember": "audience_listmembership",
    "OpportunityContactRole": "audience_opportunitycontactrole",
}


def apply_small_relation(run: SyncRun, part: RunObject, rows: list[dict[str, Any]]) -> Tally:
    """Apply rows of a REST answer, in the open transaction; a deleted one becomes inactive and is never removed."""
    present = [row for row in rows if not row.get("IsDeleted")]
    gone = [row["Id"] for row in rows if row.get("IsDeleted")]
    tally = Tally()
    if present:
        outcome = _apply(run, part, present)
        tally.created, tally.updated, tally.unchanged = outcome.created, outcome.updated, outcome.unchanged
        if outcome.missing_parent:
            tally.skipped[MISSING_PARENT] = outcome.missing_parent
    if gone:
        closed = _close(part.sobject, gone)
        tally.updated += closed
        tally.unchanged += len(gone) - closed
    return tally


def _apply(run: SyncRun, part: RunObject, rows: list[dict[str, Any]]) -> Any:
    table = f"t{run.tenant_id}_r{run.pk}_o{part.pk}_small"
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(part.columns)
    writer.writerows([_cell(row.get(name)) for name in part.columns] for row in rows)
    stage_page(table, part.columns, io.BytesIO(text.getvalue().encode()))
    try:
        return apply_relations(
            part.sobject, table, tenant_id=run.tenant_id or 0, connection_id=run.connection_id, now=timezone.now()
        )
    finally:
        drop_page(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _close(sobject: str, ids: list[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLES[sobject]} SET is_active = false WHERE tenant_id = %s AND is_active "
            "AND remote_id = ANY(%s) AND remote_id <> ''",
            [current_tenant_id(), ids],
        )
        return int(cursor.rowcount)
