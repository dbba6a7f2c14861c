"""One round of a push: read what Salesforce holds now, decide, write down what is meant, write, settle."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.core.bulk import insert_rows
from apps.domain.automatic import AUTOMATIC, automatic_values, goes_alone, local_names
from apps.domain.automatic import READ as AUTOMATIC_READ
from apps.domain.failures import RowFailure
from apps.domain.mapping import FieldRule, Step
from apps.domain.owning import OWNER, OwnerPolicy, fitted
from apps.domain.persons import reachable
from apps.domain.ports import ObjectSchema
from apps.domain.pushing import may_write
from apps.domain.reconcile import Intention, is_told
from apps.domain.rows import DELETION_FIELDS, OPT_OUT, PERSON_ACCOUNT, SYSTEM_FIELDS, Fields, fields_of, row_from_json
from apps.domain.values import FieldType
from apps.domain.writing import refusals, writable
from apps.field_mappings.models import StepKind
from apps.field_mappings.selectors import ExtraStep, extra_steps
from apps.field_mappings.versions import layout_for
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.integrations.soql import find_text
from apps.sync.contexts import context_of, owner_policy, steps_of
from apps.sync.desk import OPT_OUT_FIELD, Desk
from apps.sync.drafts import Context
from apps.sync.judging import Judge
from apps.sync.lanes import Hold
from apps.sync.linked import links_of
from apps.sync.local import automatic_texts
from apps.sync.models import RecordLink, SyncRun, WriteIntent
from apps.sync.push.claims import Claimed, hold_back, settle
from apps.sync.push.failing import refuse
from apps.sync.push.statuses import LEAD, STATES, STATUS, status_of, status_values
from apps.sync.replanning import take_mappings
from apps.sync.storing import apply_rows, store
from apps.sync.verdicts import Judged
from apps.sync_errors.services import resolve_record_errors
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
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
ON_EVERY_ROW = AUTOMATIC | {OPT_OUT_FIELD}
"""Fields whose change is told to every live row of a record, not only to the leading one."""
_ID_PART = 200
"""Ids in one question for rows that a read did not show."""


@dataclass
class Round:
    """What a round works with. ``schemas`` are the cached describes of the sObjects that the steps name."""

    hold: Hold
    gateway: Gateway
    run: SyncRun
    connection: Connection
    settings: SyncSettings
    claims: dict[int, Claimed]
    local_type: str
    is_conditional: bool = False
    """Each row is written only if it is as it was read."""
    status_steps: list[ExtraStep] = field(default_factory=list)
    """The steps that translate a person's state into the status of their lead."""
    schemas: dict[str, ObjectSchema] = field(default_factory=dict)
    read_at: datetime | None = None
    """Org time when the rows had been read."""
    layouts: dict[tuple[str, ...], int] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    """Records of this round whose change is settled, held or given back."""
    written: set[int] = field(default_factory=set)
    """Records of which a row was written."""
    again: set[int] = field(default_factory=set)
    """Records whose row has moved since it was read: their change waits again."""
    broken: RowFailure | None = None
    """A field that rows were refused for because it is gone or read-only by now."""
    account: ObjectSchema | None = None
    """The describe of Account where people may be person accounts."""
    person_accounts: dict[str, str] = field(default_factory=dict)
    """Contact → account of the rows read that are person accounts: they are written through the account."""
    owner_policy: OwnerPolicy = field(default_factory=OwnerPolicy)
    """Who owns what its owner here cannot own there."""
    pulled: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0

    def context(self, sobject: str) -> Context:
        """The context for rows of an sObject."""
        return context_of(self.run, sobject, settings=self.settings)

    def layout_of(self, rules: tuple[FieldRule, ...]) -> int:
        """The id of the layout of these rules, looked up once."""
        key = tuple(rule.key for rule in rules)
        if key not in self.layouts:
            self.layouts[key] = layout_for(rules).pk
        return self.layouts[key]

    @property
    def open_claims(self) -> list[Claimed]:
        """Claims that nothing has become of yet."""
        return [claim for claim in self.claims.values() if claim.local_id not in self.done]


def begin_round(hold: Hold, gateway: Gateway, claims: Sequence[Claimed]) -> Round:
    """Load what the round needs, with the mappings of now, which know every field that its claims name."""
    with tenant_transaction(hold.tenant_id):
        run = SyncRun.objects.get(id=hold.run_id)
        connection = Connection.objects.get(id=run.connection_id)
        take_mappings(hold, run, connection)
        local_type = claims[0].local_type
        made = Round(
            hold, gateway, run, connection, settings_of(connection), {c.local_id: c for c in claims}, local_type
        )
        made.owner_policy = owner_policy(made.settings)
        if local_type == "person" and made.settings.person_accounts:
            account = cached_schema(connection, "Account")
            made.account = account if account is not None and PERSON_ACCOUNT in account.fields else None
        for sobject in {step.sobject for step in steps_of(run) if step.local_type == local_type}:
            schema = cached_schema(connection, sobject)
            if schema is not None:
                made.schemas[sobject] = schema
        if local_type == "person":
            made.status_steps = extra_steps(connection, StepKind.STATUS)
    return made


def linked_rows(work: Round) -> dict[str, dict[str, int]]:
    """Live linked rows to be read, by sObject: id → record; the leading ones, and all where consent or something
    that goes out by itself has changed."""
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    key = RECORD_COLUMNS[work.local_type]
    with tenant_transaction(work.hold.tenant_id):
        links = links_of(work.connection.pk, work.local_type, work.claims.keys())
        for link in (one for one in links if one.is_live):
            record_id = getattr(link, key)
            claim = work.claims[record_id]
            is_for_all = not ON_EVERY_ROW.isdisjoint(claim.fields)
            if (link.is_leading or is_for_all) and link.sobject in work.schemas:
                wanted[link.sobject][link.remote_id] = record_id
    return wanted


def read_fields(work: Round, sobject: str) -> list[str]:
    """Fields that are read of a row: what the engine, the mappings and the filters look at, where visible."""
    shown = work.schemas[sobject].fields
    steps = [step for step in steps_of(work.run) if step.sobject == sobject]
    own = [*_read_besides(work, sobject), *(["AccountId"] if work.account is not None else [])]
    return [name for name in dict.fromkeys((*SYSTEM_FIELDS, *fields_of(steps), *own)) if name in shown]


def _read_besides(work: Round, sobject: str) -> Fields:
    """What is read of a person's row though no step maps it."""
    status: Fields = {STATUS: (FieldType.PICKLIST, None)} if sobject == LEAD and work.status_steps else {}
    return {**AUTOMATIC_READ, **status} if work.local_type == "person" else {}


def read_kinds(work: Round, sobject: str) -> Fields:
    """How the values that were read are made canonical; what goes out by itself is only looked at here, in a push."""
    return {**_read_besides(work, sobject)} | fields_of(step for step in steps_of(work.run) if step.sobject == sobject)


def read_rows(work: Round, sobject: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The rows as Salesforce holds them now, 2,000 a call. One that does not show is asked for among the deleted."""
    fields = read_fields(work, sobject)
    found = work.gateway.read(sobject, ids, fields)
    missing = [remote_id for remote_id in ids if remote_id not in found]
    rows = list(found.values())
    shown = [*fields, *(name for name in DELETION_FIELDS if name in work.schemas[sobject].fields)]
    for start in range(0, len(missing), _ID_PART):
        text = find_text(sobject, shown, "Id", missing[start : start + _ID_PART])
        rows += list(work.gateway.query(text, include_deleted=True))
    return rows


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


def note_person_accounts(work: Round, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep in mind which of the rows read are person accounts."""
    if work.account is not None:
        work.person_accounts |= {
            str(row["Id"]): str(row["AccountId"]) for row in rows if row.get(PERSON_ACCOUNT) and row.get("AccountId")
        }


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


def _status_lines(judged: Judged, status: Mapping[str, str]) -> dict[str, Any]:
    if not status:
        return {}
    before = judged.row.values.get(STATUS) or ""
    return {"lead_status": {"before": before, "after": status[STATUS], "rule": "status_map"}}


def _own_lines(judged: Judged, own: Mapping[str, str]) -> dict[str, Any]:
    """The entry's lines of what goes out by itself."""
    return {
        name: {"before": judged.row.values.get(remote) or "", "after": own[remote], "rule": "automatic"}
        for remote, name in local_names(own).items()
    }


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


def settle_quiet(work: Round, records: set[int]) -> None:
    """Changes that came to nothing to write are done with."""
    quiet = [claim for claim in work.open_claims if claim.local_id in records]
    if quiet:
        with tenant_transaction(work.hold.tenant_id):
            work.hold.check()
            settle(quiet)
            ids = [claim.local_id for claim in quiet]
            resolve_record_errors(local_type=work.local_type, local_ids=ids, at=timezone.now())
        work.done |= {claim.local_id for claim in quiet}
