"""Storing what a batch was judged to come to: records, links, baselines, entries, errors and waiting changes in the
open transaction."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction
from psycopg2.extras import execute_values

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Person, PersonWord
from apps.core.bulk import insert_rows
from apps.domain.failures import Category
from apps.domain.rows import RemoteRow
from apps.domain.values import further_words
from apps.outbox.queue import queue_change, try_again
from apps.sync.announcing import announce_records
from apps.sync.drafts import Context, LinkDraft, RecordDraft
from apps.sync.judging import Judge, judge_rows
from apps.sync.local import MODELS, columns_of
from apps.sync.merging import merge_belongings
from apps.sync.models import Conversion, EntryAction, RecordLink, RunEntry
from apps.sync.reactions import call_rules_for
from apps.sync.verdicts import EntryDraft, Tally
from apps.sync_errors.services import record_errors, resolve_errors
from apps.tenants.scope import current_tenant_id

_LINK = """
UPDATE sync_recordlink AS l SET
  {key} = v.record_id::bigint, is_leading = v.is_leading::boolean, is_live = v.is_live::boolean,
  layout_id = v.layout_id::bigint, base_remote = v.base_remote::text[], base_local = v.base_local::jsonb,
  local_version = v.local_version::bigint, remote_stamp = v.remote_stamp::timestamptz,
  remote_created_at = v.remote_created_at::timestamptz, pulled_at = v.pulled_at::timestamptz,
  pushed_at = v.pushed_at::timestamptz,
  opted_out = v.opted_out::boolean, notes = v.notes::jsonb
FROM (VALUES %s) AS v (connection_id, remote_id, record_id, is_leading, is_live, layout_id, base_remote,
  base_local, local_version, remote_stamp, remote_created_at, pulled_at, pushed_at, opted_out, notes)
WHERE l.connection_id = v.connection_id::bigint AND l.remote_id = v.remote_id AND {among}
"""
_AMONG = "l.tenant_id = %s AND l.connection_id = ANY(%s) AND l.remote_id = ANY(%s)"
"""Which links, in constants: the planner, which knows little of a new tenant's tables, then uses the key at once."""
_ENTRY_COLUMNS = (
    "tenant_id",
    "run_id",
    "sobject",
    "remote_id",
    "local_type",
    "local_id",
    "action",
    "way",
    "reason",
    "changes",
    "at",
)


def apply_rows(context: Context, rows: Sequence[RemoteRow]) -> Tally:
    """Judge and store rows, in the open transaction. A row that cannot be stored becomes an error, and the others
    of its batch are stored without it."""
    if not rows:
        return Tally()
    try:
        with transaction.atomic():
            judge = judge_rows(context, rows)
            store(context, judge)
    except (IntegrityError, DataError) as error:
        if len(rows) == 1:
            return _refused(context, rows[0], error)
        half = len(rows) // 2
        tally = apply_rows(context, rows[:half])
        tally.add(apply_rows(context, rows[half:]))
        return tally
    return judge.tally


def _refused(context: Context, row: RemoteRow, error: Exception) -> Tally:
    tally = Tally(failed=1)
    if isinstance(error, IntegrityError):
        category, words = Category.IDENTITY_TAKEN, "Another person here has this e-mail address."
    else:
        category, words = Category.INVALID_VALUE, "A value does not fit its field here."
    judge = judge_rows(context, [])
    tally.errors.append(judge.fact(row, None, category, words))
    insert_entries([_entry(context, EntryDraft(row.remote_id, None, EntryAction.FAILED, category))])
    finish_errors(context, tally)
    return tally


def store(context: Context, judge: Judge) -> None:
    """Write the drafts of a judged batch."""
    desk = judge.desk
    for merge in judge.merges:
        merge_belongings(context.local_type, survivor=merge.survivor.row, other=merge.other.row)
    drafts = list(desk.records.values())
    # Records that give something up go first: an address must be free before another takes it.
    changed = sorted((d for d in drafts if d.is_changed), key=lambda d: (d.row.is_active, d.row.pk))
    _update_records(context, judge, [d for d in changed if not d.row.is_active])
    _update_records(context, judge, [d for d in changed if d.row.is_active])
    _create_records(context, judge, desk.new_records)
    _store_links(context, list(desk.links.values()))
    if context.local_type == "person":
        _index_words([d for d in [*drafts, *desk.new_records] if {"first_name", "last_name"} & d.changes.keys()])
    insert_entries([_entry(context, entry) for entry in judge.entries])
    Conversion.objects.bulk_create(judge.conversions, ignore_conflicts=True)
    announce_records(context, drafts, desk.new_records)
    for draft in [*drafts, *desk.new_records]:
        missing = draft.to_queue - draft.waiting
        if missing:
            queue_change(
                local_type=context.local_type,
                local_id=draft.row.pk,
                fields=sorted(missing),
                origin="reconcile",
                at=context.now,
            )
    again = [draft.row.pk for draft in drafts if draft.is_to_be_tried_again]
    if again:
        try_again(local_type=context.local_type, local_ids=again, at=context.now)
    if context.local_type == "person":
        call_rules_for(context, judge)
    finish_errors(context, judge.tally)


def finish_errors(context: Context, tally: Tally) -> None:
    """Write down errors, and close those of rows that went well."""
    record_errors(tally.errors, connection_id=context.connection_id, run_id=context.run_id, at=context.now)
    failing = {fact.remote_id for fact in tally.errors}
    well = [remote_id for remote_id in tally.resolved if remote_id not in failing]
    if well:
        resolve_errors(connection_id=context.connection_id, remote_ids=well, at=context.now)


def _columns(judge: Judge, draft: RecordDraft) -> dict[str, Any]:
    return columns_of(judge.context.local_type, draft.changes, judge.desk.references, draft.row.custom) | dict(
        draft.flags
    )


def _update_records(context: Context, judge: Judge, drafts: Sequence[RecordDraft]) -> None:
    """One statement for all; in a column that only others change a record keeps what it holds, being locked."""
    if not drafts:
        return
    model = MODELS[context.local_type]
    changed = [(draft.row, _columns(judge, draft)) for draft in drafts]
    names = sorted(set().union(*(columns for _, columns in changed)))
    rows = [
        {"id": row.pk} | {name: columns.get(name, getattr(row, name)) for name in names} for row, columns in changed
    ]
    types = {f.column: f.db_type(connection) for f in model._meta.concrete_fields if f.column in names}
    listed = "".join(f', "{name}" {types[name]}' for name in names)
    settings = "".join(f'"{name}" = v."{name}", ' for name in names)
    with connection.cursor() as cursor:
        # The ids stand there twice: as constants they let the planner use the key, whatever it believes of the table.
        cursor.execute(
            f"UPDATE {model._meta.db_table} AS r SET {settings}version = r.version + 1, updated_at = %s "
            f"FROM jsonb_to_recordset(%s::jsonb) AS v (id bigint{listed}) "
            "WHERE r.tenant_id = %s AND r.id = ANY(%s) AND r.id = v.id",
            [context.now, json.dumps(rows, default=str), current_tenant_id(), [row.pk for row, _ in changed]],
        )
    for row, _ in changed:
        row.version += 1


def _create_records(context: Context, judge: Judge, drafts: Sequence[RecordDraft]) -> None:
    for draft in drafts:
        for name, value in _columns(judge, draft).items():
            setattr(draft.row, name, value)
    MODELS[context.local_type]._default_manager.bulk_create([draft.row for draft in drafts], batch_size=1000)


def _store_links(context: Context, links: Sequence[LinkDraft]) -> None:
    key = RECORD_COLUMNS[context.local_type]
    new = [link for link in links if link.is_new]
    for link in links:
        setattr(link.row, key, link.record.row.pk)
        if link.is_changed or link.is_new:
            link.row.local_version = link.record.row.version
    RecordLink.objects.bulk_create([link.row for link in new], batch_size=1000)
    update_links([link.row for link in links if link.is_changed and not link.is_new], key)


def insert_entries(entries: Sequence[RunEntry]) -> None:
    """Write lines of the activity log."""
    insert_rows(entries, _ENTRY_COLUMNS)


def update_links(links: Sequence[RecordLink], key: str) -> None:
    """Store links in one statement; ``key`` is the column of the record that they belong to."""
    rows = [
        (
            row.connection_id, row.remote_id, getattr(row, key), row.is_leading, row.is_live, row.layout_id,
            row.base_remote, None if row.base_local is None else json.dumps(row.base_local), row.local_version,
            row.remote_stamp, row.remote_created_at, row.pulled_at, row.pushed_at, row.opted_out,
            None if row.notes is None else json.dumps(row.notes),
        )
        for row in links
    ]  # fmt: skip
    if rows:
        connections = list({row.connection_id for row in links})
        with connection.cursor() as cursor:
            ids = [current_tenant_id(), connections, [row.remote_id for row in links]]
            among = cursor.mogrify(_AMONG, ids).decode().replace("%", "%%")
            execute_values(cursor.cursor, _LINK.format(key=key, among=among), rows, page_size=1000)


def _index_words(drafts: Sequence[RecordDraft]) -> None:
    """Names of several words are found by their further words, too."""
    people = [draft for draft in drafts if isinstance(draft.row, Person)]
    if not people:
        return
    PersonWord.objects.filter(person_id__in=[d.row.pk for d in people if not d.is_new]).delete()
    words = [
        PersonWord(word=word, person_id=draft.row.pk)
        for draft in people
        for word in sorted(_words_of(draft, "first_name") | _words_of(draft, "last_name"))
    ]
    PersonWord.objects.bulk_create(words, batch_size=1000)


def _words_of(draft: RecordDraft, name: str) -> set[str]:
    return further_words(draft.changes.get(name, getattr(draft.row, name)))


def _entry(context: Context, draft: EntryDraft) -> RunEntry:
    return RunEntry(
        run_id=context.run_id,
        sobject=context.sobject,
        remote_id=draft.remote_id,
        local_type=context.local_type,
        local_id=draft.record.row.pk if draft.record else None,
        action=draft.action,
        way="in",
        reason=draft.reason,
        changes=draft.changes,
        at=context.now,
    )
