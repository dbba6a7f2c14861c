"""Deciding, in a push, what is to be written, and writing that down before it is."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.core.bulk import insert_rows
from apps.domain.automatic import automatic_values, goes_alone, local_names
from apps.domain.mapping import Step
from apps.domain.owning import OWNER, fitted
from apps.domain.persons import reachable
from apps.domain.ports import ObjectSchema
from apps.domain.pushing import may_write
from apps.domain.reconcile import Intention, is_told
from apps.domain.rows import OPT_OUT, row_from_json
from apps.domain.writing import refusals, writable
from apps.sync.desk import OPT_OUT_FIELD, Desk
from apps.sync.drafts import Context
from apps.sync.judging import Judge
from apps.sync.local import automatic_texts
from apps.sync.models import RecordLink, WriteIntent
from apps.sync.push.claims import Claimed, hold_back
from apps.sync.push.failing import refuse
from apps.sync.push.reading import note_person_accounts, read_kinds
from apps.sync.push.round import Round
from apps.sync.push.statuses import LEAD, STATES, STATUS, status_of, status_values
from apps.sync.storing import apply_rows, store
from apps.sync.verdicts import Judged
from apps.tenants.scope import tenant_transaction

_INTENT_COLUMNS = (
    "tenant_id",
    "connection_id",
    "run_id",
    "sobject",
    "remote_id",
    "local_type",
    "local_id",
    "operation",
    "values",
    "after",
    "opted_out",
    "set_again",
    "flips",
    "changes",
    "seen_stamp",
    "local_version",
    "generation",
    "cause",
)


def decide(work: Round, sobject: str, rows: Sequence[Mapping[str, Any]]) -> tuple[list[WriteIntent], set[str]]:
    """Judge the rows, carry out what concerns our side, and write down what is about to be written there: all in
    one transaction with the records locked. Answers the intents, and the ids of rows that were judged: others were
    deleted, merged or converted. A row that cannot be stored is held back alone."""
    if not rows:
        return [], set()
    note_person_accounts(work, rows)
    fields = read_kinds(work, sobject)
    read = [row_from_json(row, fields) for row in rows]
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        context = work.context(sobject)
        try:
            with transaction.atomic():
                judge = Judge(context, Desk(context, read), queues=False)
                for row in read:
                    judge.judge(row)
                store(context, judge)
                return open_intents(work, context, judge), set(judge.judged)
        except (IntegrityError, DataError):
            if len(rows) == 1:
                apply_rows(context, read)  # writes down why
                _hold_row(work, read[0].remote_id)
                return [], {read[0].remote_id}
    half = len(rows) // 2
    first, second = decide(work, sobject, rows[:half]), decide(work, sobject, rows[half:])
    return first[0] + second[0], first[1] | second[1]


def _hold_row(work: Round, remote_id: str) -> None:
    link = RecordLink.objects.get(connection_id=work.connection.pk, remote_id=remote_id)
    claim = work.claims.get(getattr(link, RECORD_COLUMNS[work.local_type]))
    if claim is not None:
        hold_back(claim, "Salesforce's values cannot be stored here; see the sync error.")
        work.done.add(claim.local_id)


def open_intents(work: Round, context: Context, judge: Judge) -> list[WriteIntent]:
    """Close what earlier writes left open, now that the rows were looked at, and open what is to be written."""
    now = timezone.now()
    ids = {judged.link.record.row.pk for judged in judge.judged.values()}
    open_ones = WriteIntent.objects.filter(
        local_type=work.local_type, local_id__in=ids, closed_at__isnull=True, remote_id__in=[*judge.judged, ""]
    )
    told = [
        intent.pk
        for intent in open_ones
        if not intent.remote_id or is_told(judge.judged[intent.remote_id].row, Intention(dict(intent.after)))
    ]
    WriteIntent.objects.filter(id__in=told).update(closed_at=now, outcome="looked_up")
    intents = []
    for judged in judge.judged.values():
        intent = _intent(work, context, judged)
        if intent is not None:
            intents.append(intent)
    return insert_intents(intents)


def insert_intents(intents: list[WriteIntent]) -> list[WriteIntent]:
    """Write intents down, before anything is written there."""
    insert_rows(intents, _INTENT_COLUMNS, with_ids=True)
    return intents


def _intent(work: Round, context: Context, judged: Judged) -> WriteIntent | None:
    record, outcome = judged.link.record, judged.outcome
    claim = work.claims.get(record.row.pk)
    if claim is None or judged.row.is_converted:
        return None
    schema = work.schemas[context.sobject]
    own = _own_values(judged, schema)
    status = _status_values(work, judged, schema, claim)
    if not outcome.writes and not own and not status:
        return None
    values, keys = _mapped_values(work, judged, schema, claim)
    refused = refusals(schema, values)
    if refused:
        refuse(work, claim, refused, remote_id=judged.row.remote_id, sobject=context.sobject)
        return None
    consent = outcome.consent
    opted_out = consent.remote if consent is not None and OPT_OUT in schema.fields else None
    if opted_out is not None:
        values |= writable(schema, {OPT_OUT: str(opted_out).lower()})
    values |= own
    if status:
        # What the state stands for goes before what a mapping would write, and is met as news by the next pull.
        values |= status
        keys = {key for key in keys if key.split(">")[0] != STATUS}
    if not values:
        return None
    return WriteIntent(
        connection_id=work.connection.pk,
        run_id=work.run.pk,
        sobject=context.sobject,
        remote_id=judged.row.remote_id,
        local_type=work.local_type,
        local_id=record.row.pk,
        operation="update",
        values=values,
        after=_after_write(judged.step, outcome.base_after, keys, values),
        opted_out=opted_out,
        set_again=consent is not None and consent.rule == "set_again" and opted_out is not None,
        flips=[key for key in outcome.flipping if key in keys],
        changes=_lines(judged, keys) | _own_lines(judged, own) | _status_lines(judged, status),
        seen_stamp=judged.row.stamp,
        local_version=record.row.version,
        generation=claim.generation,
        cause=claim.cause,
    )


def _mapped_values(
    work: Round, judged: Judged, schema: ObjectSchema, claim: Claimed
) -> tuple[dict[str, str], set[str]]:
    """What the mappings write of a row, and the keys of their rules. A change of the score alone writes only what goes
    out by itself, unless the settings let it write all (B06)."""
    is_alone = goes_alone(claim.fields, only_score=work.settings.score_only)
    if judged.step is None or is_alone or not may_write(judged.step, judged.link.record.values):
        return {}, set()
    values = writable(schema, judged.outcome.remote)
    if work.account is not None and judged.row.remote_id in work.person_accounts:
        values = reachable(values, work.account.fields)
    if OWNER in values:
        held = judged.row.values.get(OWNER) or ""
        values = fitted(values, work.owner_policy, schema.fields[OWNER].reference_to, held=held)
    return values, {rule.key for rule in judged.step.rules if rule.remote_field in values}


def _own_values(judged: Judged, schema: ObjectSchema) -> dict[str, str]:
    """What goes out by itself and differs from what the row holds."""
    mapped = {rule.remote_field for rule in judged.step.rules} if judged.step is not None else set()
    return automatic_values(schema, automatic_texts(judged.link.record.row), judged.row.values, mapped=mapped)


def _status_values(work: Round, judged: Judged, schema: ObjectSchema, claim: Claimed) -> dict[str, str]:
    """The status of the leading lead, where a state of the person has changed that stands for one."""
    if judged.link.row.sobject != LEAD or not judged.link.row.is_leading or STATES.isdisjoint(claim.fields):
        return {}
    status = status_of(judged.link.record.row, claim.fields, work.status_steps)
    held = judged.row.values.get(STATUS)
    return status_values(schema, status, held, connection_id=work.connection.pk, run_id=work.run.pk)


def _after_write(
    step: Step | None,
    base_after: Mapping[str, tuple[str | None, str | None]],
    keys: set[str],
    values: Mapping[str, str],
) -> dict[str, list[str | None]]:
    """What both sides hold once this is written: the owner there may be another than the owner here."""
    after = {key: list(pair) for key, pair in base_after.items() if key in keys}
    for rule in step.rules if step is not None else ():
        if rule.remote_field == OWNER and rule.key in after:
            after[rule.key][0] = values[OWNER]
    return after


# -- lines of the entry --------------------------------------------------------------------------------------


def _lines(judged: Judged, keys: set[str]) -> dict[str, Any]:
    """The entry's lines of the fields that are changed there, by local field."""
    lines: dict[str, Any] = {}
    for rule in judged.step.rules if judged.step is not None else ():
        decision = judged.outcome.decisions.get(rule.key)
        if decision is None or decision.remote is None or rule.key not in keys:
            continue
        before = judged.row.values.get(rule.remote_field) or ""
        line = {"before": before, "after": decision.remote, "rule": decision.reason}
        if decision.lost is not None:
            line["lost"] = decision.lost
        lines[rule.local_field] = line
    consent = judged.outcome.consent
    if consent is not None and consent.remote is not None:
        after = str(consent.remote).lower()
        lines[OPT_OUT_FIELD] = {"before": str(not consent.remote).lower(), "after": after, "rule": consent.rule}
    return lines


def _own_lines(judged: Judged, own: Mapping[str, str]) -> dict[str, Any]:
    """The entry's lines of what goes out by itself."""
    return {
        name: {"before": judged.row.values.get(remote) or "", "after": own[remote], "rule": "automatic"}
        for remote, name in local_names(own).items()
    }


def _status_lines(judged: Judged, status: Mapping[str, str]) -> dict[str, Any]:
    if not status:
        return {}
    before = judged.row.values.get(STATUS) or ""
    return {"lead_status": {"before": before, "after": status[STATUS], "rule": "status_map"}}
