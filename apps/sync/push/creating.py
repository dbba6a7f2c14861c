"""Creating rows in Salesforce: look first, by external id and by key, then write once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Person
from apps.domain.automatic import automatic_values
from apps.domain.failures import Category, Failure, RowFailure
from apps.domain.mapping import Step
from apps.domain.owning import OWNER, owned_at_birth
from apps.domain.persons import reachable
from apps.domain.ports import WriteOperation
from apps.domain.pushing import Creation, creating_step, creation
from apps.domain.rows import DELETION_FIELDS, EXTERNAL_ID, row_from_json
from apps.domain.writing import refusals
from apps.integrations.soql import find_text
from apps.sync.contexts import external_prefix, steps_of
from apps.sync.desk import Desk
from apps.sync.drafts import RecordDraft
from apps.sync.judging import Judge
from apps.sync.linked import links_of
from apps.sync.local import automatic_texts
from apps.sync.models import EntryAction, RunEntry, WriteIntent
from apps.sync.push.claims import settle
from apps.sync.push.failing import refuse
from apps.sync.push.intending import insert_intents, open_intents
from apps.sync.push.persons import is_person
from apps.sync.push.reading import note_person_accounts, read_fields, read_kinds
from apps.sync.push.round import Round
from apps.sync.push.unanswered import find_unanswered
from apps.sync.push.writing import write_intents
from apps.sync.storing import store
from apps.tenants.scope import tenant_transaction

_PART = 100
"""Texts in one question."""

MAKE_NEW = "make_new"
"""What waits in the outbox when somebody said that the record is none of those that Salesforce has."""

Hits = dict[int, list[tuple[str, dict[str, Any]]]]
"""Rows found for each record: (sObject, row)."""


def create_rows(work: Round, records: set[int]) -> None:
    """Make rows for records without a live link, or link those that Salesforce has already. A record whose row was
    deleted there is not made again."""
    deleted = _once_linked(work, records)
    _skip(work, deleted, "deleted_there")
    waiting = records - deleted
    chosen, names = _choose(work, waiting)
    _skip(work, waiting - chosen.keys(), "no_step")
    if not chosen:
        return
    hits = _look(work, {i: step for i, step in chosen.items() if MAKE_NEW not in work.claims[i].fields}, names)
    hits |= find_unanswered(work, chosen.keys() - hits.keys())
    for sobject in {sobject for found in hits.values() for sobject, _ in found}:
        _link(work, sobject, hits)
    fresh = {record_id: step for record_id, step in chosen.items() if record_id not in hits.keys() | work.done}
    for sobject in sorted({step.sobject for step in fresh.values()}):
        intents = _open_creations(work, sobject, {i: s for i, s in fresh.items() if s.sobject == sobject})
        if intents:
            write_intents(work, intents)


def _once_linked(work: Round, records: set[int]) -> set[int]:
    key = RECORD_COLUMNS[work.local_type]
    with tenant_transaction(work.hold.tenant_id):
        return {getattr(link, key) for link in links_of(work.connection.pk, work.local_type, records)}


def _skip(work: Round, records: set[int], reason: str) -> None:
    claims = [claim for claim in work.open_claims if claim.local_id in records]
    if not claims:
        return
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        settle(claims)
        if reason == "deleted_there":
            RunEntry.objects.bulk_create(
                RunEntry(
                    run_id=work.run.pk,
                    sobject="",
                    remote_id="",
                    local_type=work.local_type,
                    local_id=claim.local_id,
                    action=EntryAction.SKIPPED,
                    way="out",
                    reason=reason,
                )
                for claim in claims
            )
    work.done |= records


def _steps(work: Round) -> list[Step]:
    return [step for step in steps_of(work.run) if step.local_type == work.local_type and step.sobject in work.schemas]


def _choose(work: Round, records: set[int]) -> tuple[dict[int, Step], dict[int, dict[str, str]]]:
    """The step that makes each record's row, and its values; inactive records make none."""
    steps = _steps(work)
    chosen: dict[int, Step] = {}
    values: dict[int, dict[str, str]] = {}
    if not any(step.pushes and step.create_remote for step in steps):
        return chosen, values
    with tenant_transaction(work.hold.tenant_id):
        for record_id, draft in _drafts(work, records, steps).items():
            has_account = isinstance(draft.row, Person) and bool(draft.values.get("company"))
            step = creating_step(steps, draft.values, has_account=has_account) if draft.row.is_active else None
            if step is not None:
                chosen[record_id], values[record_id] = step, draft.values
    return chosen, values


def _drafts(work: Round, records: set[int], steps: Sequence[Step]) -> Mapping[int, RecordDraft]:
    """The records in canonical text, with every field that any step of their type maps."""
    found: dict[int, RecordDraft] = {}
    for sobject in dict.fromkeys(step.sobject for step in steps):
        desk = Desk(work.context(sobject), [], records)
        for record_id, draft in desk.records.items():
            if record_id in found:
                found[record_id].values |= draft.values
            else:
                found[record_id] = draft
    return {record_id: draft for record_id, draft in found.items() if record_id in records}


# -- look -----------------------------------------------------------------------------------------------------


def _look(work: Round, chosen: Mapping[int, Step], values: Mapping[int, Mapping[str, str]]) -> Hits:
    """What Salesforce has of these records already: by external id, else by the key of every step that has one."""
    hits: Hits = defaultdict(list)
    prefix, begun = _prefix(work), _begun(work, set(chosen))
    for sobject in dict.fromkeys(step.sobject for step in _steps(work)):
        if EXTERNAL_ID in work.schemas[sobject].fields:
            wanted = {f"{prefix}-{record_id}": record_id for record_id in chosen}
            _find(work, sobject, EXTERNAL_ID, wanted, hits, begun)
    for step in _steps(work):
        rule = step.key_rule
        if rule is None:
            continue
        wanted = {
            text.lower(): record_id
            for record_id in chosen
            if record_id not in hits and (text := values[record_id].get(rule.local_field, ""))
        }
        _find(work, step.sobject, rule.remote_field, wanted, hits, begun)
    return {record_id: found for record_id, found in hits.items() if found}


def _begun(work: Round, records: set[int]) -> set[int]:
    """Records for which a row was about to be made when something broke off: it may be there, deleted even."""
    with tenant_transaction(work.hold.tenant_id):
        intents = WriteIntent.objects.filter(
            local_type=work.local_type, local_id__in=records, remote_id="", closed_at__isnull=True
        )
        return set(intents.values_list("local_id", flat=True))


def _prefix(work: Round) -> str:
    with tenant_transaction(work.hold.tenant_id):
        return external_prefix(work.hold.tenant_id)


def _find(work: Round, sobject: str, name: str, wanted: Mapping[str, int], hits: Hits, begun: Collection[int]) -> None:
    """Deleted rows count only where a row was ``begun``: an old tombstone is no reason."""
    if not wanted:
        return
    shown = [field for field in DELETION_FIELDS if field in work.schemas[sobject].fields]
    fields = [*read_fields(work, sobject), *shown]
    texts = list(wanted)
    queries = [find_text(sobject, fields, name, texts[i : i + _PART]) for i in range(0, len(texts), _PART)]
    for answer in work.gateway.query_many(queries, include_deleted=bool(begun)):
        if isinstance(answer, Failure):
            raise answer
        for row in answer:
            record_id = wanted.get(str(row.get(name) or "").strip().lower())
            if row.get("IsDeleted") and record_id not in begun:
                continue
            if record_id is not None and row["Id"] not in {found["Id"] for _, found in hits[record_id]}:
                hits[record_id].append((sobject, row))


def _link(work: Round, sobject: str, hits: Hits) -> None:
    """Link records with the rows that were found, and write what is to be written there."""
    note_person_accounts(work, (row for found in hits.values() for where, row in found if where == sobject))
    fields = read_kinds(work, sobject)
    pairs = [
        (record_id, row_from_json(row, fields))
        for record_id, found in sorted(hits.items())
        for where, row in found
        if where == sobject
    ]
    many = {record_id for record_id, found in hits.items() if len(found) > 1 and work.local_type == "company"}
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        context = work.context(sobject)
        for record_id in many & work.claims.keys():
            words = "Salesforce has several accounts with this website."
            ids = tuple(str(row["Id"]) for _, row in hits[record_id])
            failure = RowFailure(Category.AMBIGUOUS_MATCH, words, matched_ids=ids)
            refuse(work, work.claims[record_id], [failure], sobject=sobject)
        try:
            with transaction.atomic():
                rows = [row for _, row in pairs]
                judge = Judge(context, Desk(context, rows, [record_id for record_id, _ in pairs]), queues=False)
                for record_id, row in pairs:
                    draft = judge.desk.records.get(record_id)
                    if record_id in many or draft is None:
                        continue
                    if judge.desk.link(row.remote_id) is None:
                        judge.link_with(row, draft)
                    else:
                        judge.judge(row)
                store(context, judge)
                intents = open_intents(work, context, judge)
        except (IntegrityError, DataError):
            failure = RowFailure(Category.IDENTITY_TAKEN, "Salesforce's row cannot be stored here.")
            for record_id, _ in pairs:
                refuse(work, work.claims[record_id], [failure], sobject=sobject)
            return
    if intents:
        write_intents(work, intents)


# -- create ---------------------------------------------------------------------------------------------------


def _open_creations(work: Round, sobject: str, steps: Mapping[int, Step]) -> list[WriteIntent]:
    """Intents for new rows. One that an earlier attempt left open is closed: it was looked for and not found."""
    schema = work.schemas[sobject]
    has_external_id = EXTERNAL_ID in schema.fields and schema.fields[EXTERNAL_ID].createable
    required = [field.name for field in schema.fields.values() if field.is_required_on_create]
    creatable = [field.name for field in schema.fields.values() if field.createable]
    intents = []
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        prefix = external_prefix(work.hold.tenant_id)
        WriteIntent.objects.filter(
            local_type=work.local_type, local_id__in=list(steps), remote_id="", closed_at__isnull=True
        ).update(closed_at=timezone.now(), outcome="abandoned")
        for record_id, draft in _drafts(work, set(steps), [steps[i] for i in steps]).items():
            made = creation(
                draft.state,
                steps[record_id],
                required=required,
                defaults=_defaults(work, sobject),
                writable=creatable,
            )
            intent = _creation_intent(work, sobject, draft, _owned(work, sobject, steps[record_id], made))
            if intent is None:
                continue
            if is_person(work, intent):
                assert work.account is not None
                intent.values = reachable(intent.values, work.account.fields)
            elif has_external_id:
                intent.operation = WriteOperation.UPSERT
                intent.values = {**intent.values, EXTERNAL_ID: f"{prefix}-{record_id}"}
            intents.append(intent)
        return insert_intents(intents)


def _owned(work: Round, sobject: str, step: Step, made: Creation) -> Creation:
    """The new row with an owner that Salesforce takes; who it becomes is news from there."""
    field = work.schemas[sobject].fields.get(OWNER)
    if field is None or not field.createable:
        return made
    values, _ = owned_at_birth(made.values, work.owner_policy, field.reference_to, is_lead=sobject == "Lead")
    if values == made.values:
        return made
    after = dict(made.base_after)
    for rule in step.rules:
        if rule.remote_field == OWNER:
            _, ours = after.pop(rule.key, (None, None))
            if ours and OWNER in values:
                after[rule.key] = (values[OWNER], ours)
    return replace(made, values=values, base_after=after)


def _defaults(work: Round, sobject: str) -> dict[str, str]:
    """What stands in for a missing required value (B10)."""
    if sobject == "Lead":
        return {"LastName": work.settings.default_last_name, "Company": work.settings.default_account_name}
    if sobject == "Contact":
        return {"LastName": work.settings.default_last_name}
    return {"Name": work.settings.default_account_name} if sobject == "Account" else {}


def _creation_intent(work: Round, sobject: str, draft: RecordDraft, made: Creation) -> WriteIntent | None:
    claim = work.claims[draft.row.pk]
    schema = work.schemas[sobject]
    failures = list(refusals(schema, made.values))
    failures += [
        RowFailure(Category.REQUIRED_FIELD_MISSING, f"{schema.fields[name].label} is required.", (name,))
        for name in made.missing
    ]
    if failures:
        refuse(work, claim, failures, sobject=sobject)
        return None
    own = automatic_values(schema, automatic_texts(draft.row), {}, creating=True, mapped=made.values)
    return WriteIntent(
        connection_id=work.connection.pk,
        run_id=work.run.pk,
        sobject=sobject,
        remote_id="",
        local_type=work.local_type,
        local_id=draft.row.pk,
        operation=WriteOperation.CREATE,
        values={**made.values, **own},
        after={key: list(pair) for key, pair in made.base_after.items()},
        local_version=draft.row.version,
        generation=claim.generation,
        cause=claim.cause,
    )
