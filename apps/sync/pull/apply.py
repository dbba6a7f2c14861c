"""Apply: a page, or a piece of one, in one transaction: records, links, baselines, entries, errors, counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.contrib.postgres.fields import ArrayField
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import CharField, F, Field, Func, IntegerField, Value
from django.utils import timezone

from apps.audience.services.erasures import active_marker
from apps.domain.mapping import Step, Way
from apps.domain.reconcile import Skip
from apps.domain.rows import fields_of, row_from_csv
from apps.field_mappings.versions import layout_for
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.sync.announcing import announce_page
from apps.sync.contexts import context_of
from apps.sync.drafts import Context
from apps.sync.models import RunKind, RunObject, RunPage, SyncRun
from apps.sync.pull.converted import attach_converted
from apps.sync.pull.erased import drop_erased
from apps.sync.pull.plan import RELATIONS
from apps.sync.pull.relations import MISSING_PARENT, apply_relations
from apps.sync.pull.sql import LOOK_UPS, TABLES, Statements, statements
from apps.sync.pull.sql_values import identifier
from apps.sync.pull.staging import drop_page
from apps.sync.storing import apply_rows
from apps.sync.verdicts import Tally
from apps.sync_actions.queue import Watcher, call_rules, sql_parameters, watchers

log = structlog.get_logger(__name__)

BATCH = 1000
"""Rows that the decider judges together: a bound on memory."""


def apply_page(run: SyncRun, run_object: RunObject, page: RunPage) -> Tally:
    """Apply a staged page as a whole, in the open transaction, and drop its table."""
    if run_object.sobject in RELATIONS:
        tally = _apply_relation(run, run_object, page)
    else:
        tally = _apply_records(run, run_object, page)
    _close(run_object, page, tally)
    return tally


@dataclass(frozen=True, slots=True)
class Halving:
    """What it takes to apply half a page."""

    context: Context
    step: Step


def halving_of(run: SyncRun, run_object: RunObject) -> Halving | None:
    """None where this object's pages go as a whole: SQL has no part in them, or somebody was erased, whose rows are
    taken out of a page first."""
    if run_object.sobject in RELATIONS or active_marker() is not None:
        return None
    context = context_of(run, run_object.sobject)
    step = _step_for_sql(run, context)
    return Halving(context, step) if step is not None else None


def apply_half(
    run: SyncRun, run_object: RunObject, page: RunPage, half: int, halving: Halving, earlier: Sequence[RunPage]
) -> None:
    """Apply what SQL can of half (0 or 1) of a staged page, in the open transaction, and note what is left. ``earlier``
    are the pages before it whose end has not come: nothing that their rows may become is made here."""
    step = halving.step
    work = _in_sql(run, run_object, page, halving.context, step, half=half)
    with connection.cursor() as cursor:
        cursor.execute(work.plain.count, work.parameters)
        rows = cursor.fetchone()[0]
    held = [key for before in earlier for key in before.left_keys]
    created, unchanged, left = _decide_in_sql(work, {"held": held}, rows)
    RunPage.objects.filter(id=page.pk).update(
        halves_done=F("halves_done").bitor(1 << half),
        created=F("created") + created,
        unchanged=F("unchanged") + unchanged,
        left_rows=_joined("left_rows", left, CharField(max_length=18)),
        left_keys=_joined("left_keys", _keys_of(work, left), IntegerField()),
    )


def end_page(run: SyncRun, run_object: RunObject, page: RunPage, halving: Halving) -> Tally:
    """Give the decider what both halves have left of a page, in the open transaction, and drop its table."""
    context = halving.context
    tally = _apply_rest(context, run_object.columns, page.table, page.left_rows)
    tally.created += page.created
    tally.unchanged += page.unchanged
    if page.created:
        announce_page(run, page.table, context.local_type)
    _close(run_object, page, tally)
    return tally


def _close(run_object: RunObject, page: RunPage, tally: Tally) -> None:
    drop_page(page.table)
    RunPage.objects.filter(id=page.pk).update(is_applied=True, left_rows=[], left_keys=[])
    _count(run_object, tally)


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
    step = _step_for_sql(run, context)
    created = unchanged = 0
    rest: list[str] | None = None
    if step is not None:
        work = _in_sql(run, run_object, page, context, step)
        created, unchanged, rest = _decide_in_sql(work, {}, page.rows - erased)
    tally = _apply_rest(context, run_object.columns, page.table, rest)
    tally.created += created
    tally.unchanged += unchanged
    if erased:
        tally.skipped[Skip.ERASED] = tally.skipped.get(Skip.ERASED, 0) + erased
    if created:
        announce_page(run, page.table, context.local_type)
    return tally


@dataclass(frozen=True, slots=True)
class _InSql:
    """What SQL is to do of a page, and with what."""

    plain: Statements
    parameters: dict[str, Any]
    may_create: bool
    rules_at: datetime | None
    """When rules have to look at people that are made; None where none waits for them."""


def _in_sql(
    run: SyncRun, run_object: RunObject, page: RunPage, context: Context, step: Step, *, half: int | None = None
) -> _InSql:
    watching = [one for one in _watchers(context) if one.on_created]
    plain = statements(
        step,
        run_object.columns,
        page.table,
        has_watchers=bool(watching),
        trusts_stamp=_moves_the_stamp(run, run_object.sobject, step),
        by_halves=half is not None,
    )
    parameters = {
        "tenant": run.tenant_id,
        "connection": run.connection_id,
        "run": run.pk,
        "layout": layout_for(step.rules).pk,
        "sobject": run_object.sobject,
        "now": context.now,
        "opt_out": context.policy.takes_opt_out,
        "half": half,
        **sql_parameters(watching, is_backfill=context.is_backfill),
    }
    waits = any(one.state(is_backfill=context.is_backfill) == "waiting" for one in watching)
    return _InSql(plain, parameters, step.create_local, context.now if waits else None)


def _watchers(context: Context) -> list[Watcher]:
    """The rules that people who come in start."""
    return watchers(context.sobject) if context.local_type == "person" else []


def _moves_the_stamp(run: SyncRun, sobject: str, step: Step) -> bool:
    """Whether a mapped value cannot change without the row's stamp: a formula can."""
    schema = cached_schema(Connection.objects.get(id=run.connection_id), sobject)
    return schema is not None and not any(
        rule.remote_field not in schema.fields or schema.fields[rule.remote_field].calculated for rule in step.rules
    )


def _step_for_sql(run: SyncRun, context: Context) -> Step | None:
    """The step that SQL can apply: the one there is, unless what it brings must go out again at once. Among several
    the decider chooses row by row. What a differential run brings in bulk may be deleted or moved: that is for the
    decider to see."""
    if (
        run.kind not in {RunKind.FULL, RunKind.OBJECT}
        or len(context.steps) != 1
        or not context.steps[0].pulls
        or context.local_type not in TABLES
    ):
        return None
    step = context.steps[0]
    goes_out = any(not step.brings(rule) and step.way_out(rule) is Way.OVERWRITE for rule in step.rules)
    return None if goes_out and context.policy.blanks.into_remote else step


def _keys_of(work: _InSql, left: list[str]) -> list[int]:
    """Hashes of the keys of rows that SQL leaves to the decider."""
    if not left:
        return []
    with connection.cursor() as cursor:
        cursor.execute(work.plain.keys, {"left": left})
        return [key for (key,) in cursor.fetchall()]


def _joined(column: str, more: Sequence[object], of: "Field[Any, Any]") -> Func:
    """An array column with more at its end."""
    return Func(F(column), Value(list(more), output_field=ArrayField(of)), function="array_cat")


def _decide_in_sql(work: _InSql, more: dict[str, Any], rows: int) -> tuple[int, int, list[str]]:
    """(created, unchanged, ids of rows left for the decider)."""
    plain, parameters = work.plain, work.parameters | more
    with connection.cursor() as cursor:
        cursor.execute(plain.planner)
        cursor.execute(plain.same, parameters)
        unchanged, rest = cursor.fetchone()
        created = 0
        if unchanged + len(rest) < rows:
            if work.may_create:
                created = _create_in_sql(plain, parameters)
            if unchanged + len(rest) + created < rows:
                cursor.execute(plain.unlinked, parameters)
                rest += [remote_id for (remote_id,) in cursor.fetchall()]
    if created and work.rules_at is not None:
        call_rules(at=work.rules_at)
    return created, unchanged, rest


def _create_in_sql(plain: Statements, parameters: dict[str, Any]) -> int:
    """Create what is plain; where one row cannot be stored, all go to the decider, which isolates it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(plain.create, parameters)
            return int(cursor.fetchone()[0])
    except (DataError, IntegrityError) as error:
        log.warning("page_left_to_the_decider", run=parameters["run"], error=type(error).__name__)
        return 0


def _apply_rest(context: Context, columns: Sequence[str], table: str, rest: list[str] | None) -> Tally:
    """What the classes of SQL have left over; None: all of a page in which it had no part."""
    if rest is None:
        return _decide_in_python(context, columns, table, None)
    attached = attach_converted(context, columns, table, rest)
    tally = _decide_in_python(context, columns, table, [one for one in rest if one not in attached])
    tally.updated += len(attached)
    return tally


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
