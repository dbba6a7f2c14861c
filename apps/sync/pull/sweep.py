"""The nightly sweep: ids and stamps of all rows against all links, to repair what polling can miss.

Late commits beyond the look-back, hard deletes and emptied bins leave no trace in a window (facts, "Deletes, merges,
undelete"); only a comparison of the whole inventory finds them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS, Kind, local_field
from apps.domain.failures import Category
from apps.domain.rows import DELETION_FIELDS, SYSTEM_FIELDS, RemoteRow, fields_of, row_from_json
from apps.field_mappings.versions import layout_for
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import cached_schema, cached_schemas
from apps.integrations.models import Connection
from apps.integrations.soql import find_text, select_text
from apps.sync.contexts import context_of, steps_of
from apps.sync.lanes import Hold
from apps.sync.models import ObjectStage, RunObject, RunPage, SyncRun
from apps.sync.pull.differential import count_rows
from apps.sync.pull.plan import RELATIONS, in_order
from apps.sync.pull.sql_values import identifier
from apps.sync.pull.staging import drop_page, staged_rows
from apps.sync.storing import apply_rows
from apps.sync.verdicts import Tally
from apps.sync_errors.models import LIVE_STATES
from apps.sync_errors.services import ErrorFact, record_errors, resolve_errors
from apps.tenants.scope import current_tenant_id, tenant_transaction

COLUMNS = ("Id", "SystemModstamp")
RECENT = timedelta(hours=48)
"""An unlinked row is looked at only if it is as new as this: older ones have been judged before."""
_PART = 200
FEW = 20
SHARE = 0.01
"""Rows that are gone without a trace: up to so many, or this share of all, they count as deleted for good. More look
like rights that were taken away, which is for a person to say."""


# Correlated sub-selects: one index probe a row, whatever the planner believes of a fresh tenant's tables.
_IS_READABLE = (
    "(SELECT e.id FROM sync_errors_syncerror e WHERE e.tenant_id = %(tenant)s AND e.remote_id = l.remote_id "
    f"AND e.category = '{Category.UNREADABLE_VALUE.value}' "
    f"AND e.state IN ({', '.join(repr(state.value) for state in LIVE_STATES)}) LIMIT 1) IS NULL"
)
_IS_OWNER = "(SELECT o.id FROM audience_owner o WHERE o.tenant_id = %(tenant)s AND o.remote_id = {named}) IS NOT NULL"
_IS_LINKED = (
    "(SELECT r.remote_id FROM sync_recordlink r WHERE r.tenant_id = %(tenant)s AND r.connection_id = %(connection)s "
    "AND r.remote_id = {named} AND r.{record} IS NOT NULL) IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison shows."""

    changed: list[str]
    gone: list[str]
    gone_in_all: int
    links: int


def plan_sweep(hold: Hold, gateway: Gateway) -> None:
    """Write down one question per sObject that is linked: every id with its stamp and what it refers to, no more."""
    org_time = gateway.org_time()
    with tenant_transaction(hold.tenant_id):
        hold.check()
        run = SyncRun.objects.select_for_update().get(id=hold.run_id)
        if RunObject.objects.filter(run=run).exists():
            return
        wanted = {step.sobject for step in steps_of(run) if step.pulls} - RELATIONS.keys()
        of = Connection.objects.get(id=run.connection_id)
        schemas = cached_schemas(of, wanted)
        for position, sobject in enumerate(in_order(schemas)):
            named = (name for name in _references(run, sobject) if name in schemas[sobject].fields)
            columns = list(dict.fromkeys((*COLUMNS, *named)))
            RunObject.objects.create(
                run=run,
                position=position,
                sobject=sobject,
                label=schemas[sobject].label_plural,
                columns=columns,
                soql=select_text(sobject, columns),
            )
        SyncRun.objects.filter(id=run.pk).update(org_started_at=org_time, step="Comparing with Salesforce")


def _references(run: SyncRun, sobject: str) -> dict[str, str]:
    """Fields of an sObject that bring in a reference, and what each refers to here."""
    found: dict[str, str] = {}
    for step in (one for one in steps_of(run) if one.sobject == sobject):
        for rule in step.rules:
            target = local_field(step.local_type, rule.local_field)
            if target.kind is Kind.REFERENCE and step.brings(rule):
                found[rule.remote_field] = target.refers_to
    return found


def take_inventory(hold: Hold) -> bool:
    """Put the next staged page into its object's inventory; False where none waits."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        page = (
            RunPage.objects.select_related("run_object")
            .filter(run_object__run_id=hold.run_id, is_applied=False)
            .order_by("id")
            .first()
        )
        if page is None:
            return False
        part = page.run_object
        if staged_rows(page.table) != page.rows:
            # A crash of the database has emptied staging and inventory: the object is asked for anew.
            _start_anew(part)
            return True
        inventory = _inventory(part)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE UNLOGGED TABLE IF NOT EXISTS staging.{inventory} "
                '(id text COLLATE "C" PRIMARY KEY, stamp timestamptz, refers text[] COLLATE "C")'
            )
            refers = ", ".join(identifier(name) for name in part.columns[len(COLUMNS) :])
            cursor.execute(
                f'INSERT INTO staging.{inventory} SELECT "Id", "SystemModstamp"::timestamptz, ARRAY[{refers}]::text[] '
                f"FROM staging.{identifier(page.table)} ON CONFLICT (id) DO NOTHING"
            )
        drop_page(page.table)
        RunPage.objects.filter(id=page.pk).update(is_applied=True)
    return True


def _inventory(part: RunObject) -> str:
    return identifier(f"t{part.tenant_id}_r{part.run_id}_o{part.pk}_inventory")


def _start_anew(part: RunObject) -> None:
    for page in RunPage.objects.filter(run_object=part):
        drop_page(page.table)
    RunPage.objects.filter(run_object=part).delete()
    drop_page(f"t{part.tenant_id}_r{part.run_id}_o{part.pk}_inventory")
    RunObject.objects.filter(id=part.pk).update(stage=ObjectStage.WAITING, job_id="", fetched=0)


def compare(hold: Hold, gateway: Gateway) -> bool:
    """Repair the next rows of the next object whose inventory is in; False where nothing is left to do now."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        run = SyncRun.objects.get(id=hold.run_id)
        part = RunObject.objects.filter(run=run, stage=ObjectStage.FETCHED, is_done=False).order_by("position").first()
        if part is None or RunPage.objects.filter(run_object=part, is_applied=False).exists():
            return False
        found = _differences(run, part)
    if found is None:
        with tenant_transaction(hold.tenant_id):
            hold.check()
            _start_anew(part)
        return True
    if found.changed:
        _read_again(hold, gateway, run, part, found.changed, forget=True)
    elif found.gone:
        _confirm_gone(hold, gateway, run, part, found)
    else:
        _finish(hold, run, part, is_whole=found.gone_in_all == 0)
    return True


def _differences(run: SyncRun, part: RunObject) -> Found | None:
    """The next ids that differ; None where the inventory has been lost."""
    inventory = _inventory(part)
    if staged_rows(f"t{part.tenant_id}_r{part.run_id}_o{part.pk}_inventory") is None:
        return None if part.fetched else Found([], [], 0, 0)
    facts: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "connection": run.connection_id,
        "sobject": part.sobject,
        "recent": (run.org_started_at or timezone.now()) - RECENT,
        "last": part.cursor_id,
        "part": _PART,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT i.id FROM staging.{inventory} i LEFT JOIN sync_recordlink l ON l.tenant_id = %(tenant)s
              AND l.connection_id = %(connection)s AND l.remote_id = i.id
            WHERE (l.remote_id IS NULL AND i.stamp >= %(recent)s) OR l.remote_stamp < i.stamp
               OR (i.stamp > '-infinity' AND l.is_leading AND l.is_live AND ({_unknown(run, part)}))
            ORDER BY i.id LIMIT %(part)s
            """,
            facts,
        )
        changed = [row[0] for row in cursor.fetchall()]
        gone: list[str] = []
        in_all, links = 0, 0
        if not changed:
            cursor.execute(
                f"""
                WITH live AS (SELECT l.remote_id FROM sync_recordlink l WHERE l.tenant_id = %(tenant)s
                  AND l.connection_id = %(connection)s AND l.sobject = %(sobject)s AND l.is_live),
                gone AS (SELECT remote_id FROM live WHERE NOT EXISTS
                  (SELECT 1 FROM staging.{inventory} i WHERE i.id = live.remote_id))
                SELECT (SELECT count(*) FROM live), (SELECT count(*) FROM gone),
                  ARRAY(SELECT remote_id FROM gone WHERE remote_id > %(last)s ORDER BY remote_id LIMIT %(part)s)
                """,
                facts,
            )
            links, in_all, gone = cursor.fetchone()
    return Found(changed, gone, in_all, links)


def _unknown(run: SyncRun, part: RunObject) -> str:
    """The condition that a link's baseline lacks a value which its step brings in, and which a look would tell now.

    A field that was hidden is looked at once it is shown; a reference, once what it names is here. What a step does
    not read stays unknown, and is no reason to look.
    """
    schema = cached_schema(Connection.objects.get(id=run.connection_id), part.sobject)
    shown = schema.fields if schema is not None else {}
    references = _references(run, part.sobject)
    conditions = []
    for step in (one for one in steps_of(run) if one.sobject == part.sobject):
        missing = [
            f"l.base_remote[{number}] IS NULL AND {_can_be_told(part, rule.remote_field, references)}"
            for number, rule in enumerate(step.rules, 1)
            if step.brings(rule) and rule.remote_field in shown
        ]
        if missing:
            conditions.append(f"l.layout_id = {layout_for(step.rules).pk} AND ({' OR '.join(missing)})")
    return " OR ".join(conditions) or "false"


def _can_be_told(part: RunObject, name: str, references: Mapping[str, str]) -> str:
    """The condition that a field which is shown has a value that can be known here."""
    if name not in references:
        return _IS_READABLE
    if name not in part.columns[len(COLUMNS) :]:
        return "true"  # shown since the inventory was asked for
    named = f"i.refers[{part.columns.index(name) - len(COLUMNS) + 1}]"
    if references[name] == "owner":
        known = _IS_OWNER.format(named=named)
    else:
        known = _IS_LINKED.format(named=named, record=RECORD_COLUMNS[references[name]])
    return f"(coalesce({named}, '') = '' OR {known})"


def _read_again(
    hold: Hold, gateway: Gateway, run: SyncRun, part: RunObject, ids: Sequence[str], *, forget: bool = False
) -> set[str]:
    """Read rows by id, deleted ones included, and apply them; answers the ids that Salesforce knows."""
    with tenant_transaction(hold.tenant_id):
        schema = cached_schema(Connection.objects.get(id=run.connection_id), part.sobject)
        fields = fields_of(step for step in steps_of(run) if step.sobject == part.sobject)
    shown = schema.fields if schema is not None else {}
    columns = [name for name in dict.fromkeys((*SYSTEM_FIELDS, *DELETION_FIELDS, *fields)) if name in shown]
    rows = list(gateway.query(find_text(part.sobject, columns, "Id", ids), include_deleted=True))
    read = [row_from_json(row, fields) for row in rows]
    _apply(hold, run, part, read, ids if forget else ())
    return {row.remote_id for row in read}


def _apply(hold: Hold, run: SyncRun, part: RunObject, rows: Sequence[RemoteRow], handled: Sequence[str]) -> None:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        tally = apply_rows(context_of(run, part.sobject), rows) if rows else Tally()
        row = RunObject.objects.select_for_update().get(id=part.pk)
        count_rows(row, tally, 0)
        row.save()
        if handled:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM staging.{_inventory(part)} WHERE id = ANY(%s)", [list(handled)])
                # What was looked at is still there, if only in the inventory: it is not gone; and it is not looked at
                # twice, though a field of it may still be hidden.
                cursor.execute(
                    f"INSERT INTO staging.{_inventory(part)} SELECT unnest(%s::text[]), '-infinity'", [list(handled)]
                )


def _confirm_gone(hold: Hold, gateway: Gateway, run: SyncRun, part: RunObject, found: Found) -> None:
    """Each missing id is asked for among the deleted. What leaves no trace at all is deleted for good, if it is
    little; much of it is a question to a person, and nobody is deactivated."""
    known = _read_again(hold, gateway, run, part, found.gone)
    vanished = [remote_id for remote_id in found.gone if remote_id not in known]
    if vanished and found.gone_in_all <= max(FEW, int(found.links * SHARE)):
        _apply(hold, run, part, [RemoteRow(remote_id, {}, is_deleted=True) for remote_id in vanished], ())
    elif vanished:
        _ask_a_person(hold, run, part, found)
    with tenant_transaction(hold.tenant_id):
        hold.check()
        RunObject.objects.filter(id=part.pk).update(cursor_id=found.gone[-1])


def _ask_a_person(hold: Hold, run: SyncRun, part: RunObject, found: Found) -> None:
    words = (
        f"Salesforce shows {found.gone_in_all:,} fewer {part.label.lower()} than before, and none of them as deleted. "
        "Has the sync user lost access? Nobody was deactivated."
    )
    with tenant_transaction(hold.tenant_id):
        hold.check()
        row = SyncRun.objects.select_for_update().get(id=run.pk)
        if words not in row.warnings:
            SyncRun.objects.filter(id=run.pk).update(warnings=[*row.warnings, words])
        record_errors(
            [
                ErrorFact(
                    category=Category.ROWS_OUT_OF_SIGHT,
                    message=words,
                    sobject=part.sobject,
                    remote_id=part.sobject,
                    is_blocked=True,
                )
            ],
            connection_id=run.connection_id,
            run_id=run.pk,
            at=timezone.now(),
        )


def _finish(hold: Hold, run: SyncRun, part: RunObject, *, is_whole: bool) -> None:
    """Close an object; where no row is out of sight (any more), nobody has to be asked about it."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        row = RunObject.objects.select_for_update().get(id=part.pk)
        row.unchanged = max(0, row.fetched - row.created - row.updated - row.failed - row.skipped)
        row.is_done, row.finished_at, row.cursor_id = True, timezone.now(), ""
        row.save()
        if is_whole:
            resolve_errors(connection_id=run.connection_id, remote_ids=[part.sobject], at=timezone.now())
        drop_page(f"t{part.tenant_id}_r{part.run_id}_o{part.pk}_inventory")


def all_done(hold: Hold) -> bool:
    """Whether every object has been compared."""
    with tenant_transaction(hold.tenant_id):
        parts = RunObject.objects.filter(run_id=hold.run_id)
        return parts.exists() and not parts.filter(is_done=False).exists()
