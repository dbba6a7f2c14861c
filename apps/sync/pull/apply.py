"""Apply: one page in one transaction: records, links, baselines, entries, errors, counters."""

from collections.abc import Sequence
from typing import Any

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from apps.domain.mapping import Step, Way
from apps.domain.reconcile import Skip
from apps.domain.rows import fields_of, row_from_csv
from apps.field_mappings.versions import layout_for
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.sync.announcing import announce_page
from apps.sync.contexts import context_of
from apps.sync.drafts import Context
from apps.sync.judging import Tally
from apps.sync.models import RunKind, RunObject, RunPage, SyncRun
from apps.sync.pull.erased import drop_erased
from apps.sync.pull.plan import RELATIONS
from apps.sync.pull.relations import MISSING_PARENT, apply_relations
from apps.sync.pull.sql import LOOK_UPS, TABLES, Statements, identifier, statements
from apps.sync.pull.staging import drop_page
from apps.sync.storing import apply_rows
from apps.sync_actions.queue import Watcher, call_rules, sql_parameters, watchers

log = structlog.get_logger(__name__)

BATCH = 1000
"""Rows that the decider judges together: a bound on memory."""


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
    context = context_of(run, run_object.sobject)
    erased = drop_erased(page.table, run_object.columns, run.connection_id) if context.local_type == "person" else 0
    # What a differential run brings in bulk may be deleted or moved: that is for the decider to see.
    step = _only_step(context) if run.kind in {RunKind.FULL, RunKind.OBJECT} else None
    created = unchanged = 0
    rest: list[str] | None = None
    if step is not None:
        watching = [one for one in _watchers(context) if one.on_created]
        plain = statements(
            step,
            run_object.columns,
            page.table,
            has_watchers=bool(watching),
            trusts_stamp=_moves_the_stamp(run, run_object.sobject, step),
        )
        parameters = {
            "tenant": run.tenant_id,
            "connection": run.connection_id,
            "run": run.pk,
            "layout": layout_for(step.rules).pk,
            "sobject": run_object.sobject,
            "now": context.now,
            "opt_out": context.policy.takes_opt_out,
            **sql_parameters(watching, is_backfill=context.is_backfill),
        }
        created, unchanged, rest = _decide_in_sql(plain, parameters, page.rows - erased, may_create=step.create_local)
        if created and any(one.state(is_backfill=context.is_backfill) == "waiting" for one in watching):
            call_rules(at=context.now)
    tally = _decide_in_python(context, run_object.columns, page.table, rest)
    tally.created += created
    tally.unchanged += unchanged
    if erased:
        tally.skipped[Skip.ERASED] = tally.skipped.get(Skip.ERASED, 0) + erased
    if created:
        announce_page(run, page.table, context.local_type)
    return tally


def _watchers(context: Context) -> list[Watcher]:
    """The rules that people who come in start."""
    return watchers(context.sobject) if context.local_type == "person" else []


def _moves_the_stamp(run: SyncRun, sobject: str, step: Step) -> bool:
    """Whether a mapped value cannot change without the row's stamp: a formula can."""
    schema = cached_schema(Connection.objects.get(id=run.connection_id), sobject)
    return schema is not None and not any(
        rule.remote_field not in schema.fields or schema.fields[rule.remote_field].calculated for rule in step.rules
    )


def _only_step(context: Context) -> Step | None:
    """The step that SQL can apply: the one there is, unless what it brings must go out again at once. Among several
    the decider chooses row by row."""
    if len(context.steps) != 1 or not context.steps[0].pulls or context.local_type not in TABLES:
        return None
    step = context.steps[0]
    goes_out = any(not step.brings(rule) and step.way_out(rule) is Way.OVERWRITE for rule in step.rules)
    return None if goes_out and context.policy.blanks.into_remote else step


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


def _decide_in_python(context: Context, columns: Sequence[str], table: str, rest: list[str] | None) -> Tally:
    """Give rows to the decider, some at a time; None: all of the page."""
    tally = Tally()
    if rest is not None and not rest:
        return tally
    fields = fields_of(context.steps)
    listed = ", ".join(identifier(name) for name in columns)
    chosen = "" if rest is None else 'WHERE "Id" = ANY(%s)'
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {listed} FROM staging.{identifier(table)} {chosen} ORDER BY "Id" COLLATE "C"',
            None if rest is None else [rest],
        )
        raw = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute(LOOK_UPS)
    rows = [row_from_csv(row, fields) for row in raw]
    for start in range(0, len(rows), BATCH):
        tally.add(apply_rows(context, rows[start : start + BATCH]))
    return tally


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
