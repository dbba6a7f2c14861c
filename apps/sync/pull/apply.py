"""Apply: one page in one transaction: records, links, baselines, entries, errors, counters."""

from collections.abc import Sequence
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from apps.domain.decider import BlankPolicy
from apps.domain.mapping import Step
from apps.field_mappings.models import MappingVersion
from apps.field_mappings.versions import layout_for, load_steps
from apps.sync.models import RunEntry, RunObject, RunPage, SyncRun
from apps.sync.pull.plan import RELATIONS
from apps.sync.pull.records import Context, PageOfRecords, Tally, read_row
from apps.sync.pull.relations import apply_relations
from apps.sync.pull.sql import Statements, identifier, statements
from apps.sync.pull.staging import drop_page
from apps.sync_errors.services import record_errors, resolve_errors
from apps.sync_settings.models import SyncSettings

log = structlog.get_logger(__name__)

MISSING_PARENT = "missing_parent"


def apply_page(run: SyncRun, run_object: RunObject, page: RunPage) -> Tally:
    """Apply a staged page, in the open transaction, and drop its table."""
    if run_object.sobject in RELATIONS:
        tally = _apply_relation(run, run_object, page)
    else:
        tally = _apply_records(run, run_object, page)
    drop_page(page.table)
    RunPage.objects.filter(id=page.pk).update(is_applied=True)
    _count(run_object, tally)
    return tally


def _apply_relation(run: SyncRun, run_object: RunObject, page: RunPage) -> Tally:
    outcome = apply_relations(
        run_object.sobject,
        page.table,
        tenant_id=run.tenant_id or 0,
        connection_id=run.connection_id,
        now=timezone.now(),
    )
    tally = Tally(created=outcome.created, updated=outcome.updated, unchanged=outcome.unchanged)
    if outcome.missing_parent:
        tally.skipped[MISSING_PARENT] = outcome.missing_parent
    return tally


def _apply_records(run: SyncRun, run_object: RunObject, page: RunPage) -> Tally:
    context = _context(run, run_object.sobject)
    plain = statements(context.step, run_object.columns, page.table)
    parameters = {
        "tenant": run.tenant_id,
        "connection": run.connection_id,
        "run": run.pk,
        "layout": context.layout.pk,
        "sobject": run_object.sobject,
        "now": context.now,
        "opt_out": context.takes_opt_out,
    }
    created, unchanged, rest = _decide_in_sql(plain, parameters, page.rows, may_create=context.step.create_local)
    tally = _decide_in_python(context, run_object.columns, page.table, rest)
    tally.created += created
    tally.unchanged += unchanged
    RunEntry.objects.bulk_create(tally.entries, batch_size=1000)
    record_errors(tally.errors, connection_id=run.connection_id, run_id=run.pk, at=context.now)
    if tally.resolved:
        resolve_errors(connection_id=run.connection_id, remote_ids=tally.resolved, at=context.now)
    return tally


def _context(run: SyncRun, sobject: str) -> Context:
    version = MappingVersion.objects.get(id=run.mapping_version_id)
    step = _step(load_steps(version.document), sobject)
    settings = SyncSettings.objects.get(connection_id=run.connection_id)
    return Context(
        connection_id=run.connection_id,
        run_id=run.pk,
        step=step,
        layout=layout_for(step.rules),
        blanks=BlankPolicy(into_local=settings.blank_in, into_remote=settings.blank_out),
        takes_opt_out=settings.opt_out_in,
        now=timezone.now(),
    )


def _step(steps: Sequence[Step], sobject: str) -> Step:
    return next(step for step in steps if step.sobject == sobject and step.pulls)


def _decide_in_sql(
    plain: Statements, parameters: dict[str, Any], rows: int, *, may_create: bool
) -> tuple[int, int, list[str]]:
    """(created, unchanged, ids of rows left for the decider)."""
    with connection.cursor() as cursor:
        cursor.execute(plain.planner)
        cursor.execute(plain.same, parameters)
        unchanged, rest = cursor.fetchone()
        created = 0
        if unchanged + len(rest) < rows:
            if may_create:
                created = _create_in_sql(plain, parameters)
            if unchanged + len(rest) + created < rows:
                cursor.execute(plain.unlinked, parameters)
                rest += [remote_id for (remote_id,) in cursor.fetchall()]
    return created, unchanged, rest


def _create_in_sql(plain: Statements, parameters: dict[str, Any]) -> int:
    """Create what is plain; where one row of the page cannot be stored, all go to the decider, which isolates it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(plain.create, parameters)
            return int(cursor.fetchone()[0])
    except (DataError, IntegrityError) as error:
        log.warning("page_left_to_the_decider", run=parameters["run"], error=type(error).__name__)
        return 0


def _decide_in_python(context: Context, columns: Sequence[str], table: str, rest: list[str]) -> Tally:
    if not rest:
        return Tally()
    listed = ", ".join(identifier(name) for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {listed} FROM staging.{identifier(table)} WHERE "Id" = ANY(%s) ORDER BY "Id" COLLATE "C"', [rest]
        )
        raw = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    rows = [read_row(row, context.step.rules) for row in raw]
    page = PageOfRecords(context, rows)
    for row in rows:
        page.apply(row)
    return page.tally


def _count(run_object: RunObject, tally: Tally) -> None:
    row = RunObject.objects.select_for_update().get(id=run_object.pk)
    row.created += tally.created
    row.updated += tally.updated
    row.unchanged += tally.unchanged
    row.failed += tally.failed
    row.skipped += sum(tally.skipped.values())
    for reason, count in tally.skipped.items():
        row.skip_reasons[reason] = row.skip_reasons.get(reason, 0) + count
    row.save(update_fields=["created", "updated", "unchanged", "failed", "skipped", "skip_reasons"])
