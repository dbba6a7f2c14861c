"""One row that was asked for by its id there, brought in by the ordinary road; or why it is not."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.domain.mapping import Step
from apps.domain.reconcile import Skip
from apps.domain.rows import DELETION_FIELDS, SYSTEM_FIELDS, RemoteRow, fields_of, row_from_json
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.integrations.soql import find_text
from apps.sync.contexts import context_of, steps_of
from apps.sync.lanes import Hold
from apps.sync.models import ObjectStage, RunObject, SyncRun
from apps.sync.selectors.links import record_behind
from apps.sync.selectors.runs import SKIP_WORDS
from apps.sync.selectors.why_record import failing_rules, rule_words
from apps.sync.storing import apply_rows
from apps.sync.verdicts import Tally
from apps.tenants.scope import tenant_transaction

UNSEEN = "Salesforce does not show this record to the sync user."
_BINNED = "It has been deleted in Salesforce."
_ONLY_UPDATES = "The steps only change people who are here already: creating records here is off."
_FILTERED = frozenset({Skip.FILTERED, Skip.CREATING_IS_OFF})
_BUSY = "Another sync of this person is under way."


def bring_in(hold: Hold, gateway: Gateway, run: SyncRun) -> SyncRun:
    """Read and judge the row; the run goes on with the record that it became. Where it became none, the run's part
    holds the reason in words."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        connection = Connection.objects.get(id=run.connection_id)
        schema = cached_schema(connection, run.remote_sobject)
        steps = [step for step in steps_of(run) if step.sobject == run.remote_sobject]
    if schema is None or not steps:
        return _note(hold, run, Tally(), f"No step syncs {run.remote_sobject}.")
    fields = fields_of(steps)
    wanted = [n for n in dict.fromkeys((*SYSTEM_FIELDS, *DELETION_FIELDS, *fields)) if n in schema.fields]
    text = find_text(run.remote_sobject, wanted, "Id", [run.remote_id])
    row = next((row_from_json(raw, fields) for raw in gateway.query(text, include_deleted=True)), None)
    if row is None:
        return _note(hold, run, Tally(), UNSEEN)
    run.clock_offset = (gateway.org_time() - timezone.now()).total_seconds()
    with tenant_transaction(hold.tenant_id):
        hold.check()
        tally = apply_rows(context_of(run, run.remote_sobject), [row])
        if record_behind(connection, run.remote_id) is not None:
            return _go_on(run, connection, tally)
    return _note(hold, run, tally, left_out_words(steps, row, tally))


def left_out_words(steps: Sequence[Step], row: RemoteRow, tally: Tally) -> str:
    """Why a row became no record, in words: the gate that was closed, and what stood before it."""
    if tally.errors:
        return tally.errors[0].message
    if row.is_deleted:
        return _BINNED
    pulling = [step for step in steps if step.pulls]
    if not pulling:
        return f"No step brings {steps[0].sobject} records in: they only push to Salesforce."
    if Skip.CREATING_IS_OFF in tally.skipped:
        return _ONLY_UPDATES
    other = next((reason for reason in tally.skipped if reason not in _FILTERED), None)
    if other is not None:
        return f"It was left out: {SKIP_WORDS.get(other, other.replace('_', ' '))}."
    met = (rule for step in pulling for rule in failing_rules(step.inbound_filter, row.values))
    refused = dict.fromkeys(rule_words(rule, row.values) for rule in met)
    return f"A filter leaves it out: {'; '.join(refused)}." if refused else "No step admits it."


def _go_on(run: SyncRun, connection: Connection, tally: Tally) -> SyncRun:
    """The run is the record's from here on; a run of it that is open already does the rest."""
    found = record_behind(connection, run.remote_id)
    assert found is not None
    note = ""
    try:
        with transaction.atomic():
            SyncRun.objects.filter(id=run.pk).update(local_type=found[0], local_id=found[1])
            run.local_type, run.local_id = found
    except IntegrityError:
        run.local_type, run.local_id, note = "", None, _BUSY
    _count(run, tally, note)
    return run


def _note(hold: Hold, run: SyncRun, tally: Tally, words: str) -> SyncRun:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        _count(run, tally, words)
    return run


def _count(run: SyncRun, tally: Tally, note: str) -> None:
    now = timezone.now()
    RunObject.objects.update_or_create(
        run=run,
        sobject=run.remote_sobject,
        defaults={
            "position": 0,
            "label": f"{run.remote_sobject}s",
            "stage": ObjectStage.FETCHED,
            "is_done": True,
            "fetched": tally.created + tally.updated + tally.unchanged + tally.failed + sum(tally.skipped.values()),
            "created": tally.created,
            "updated": tally.updated,
            "unchanged": tally.unchanged,
            "skipped": sum(tally.skipped.values()),
            "failed": tally.failed,
            "skip_reasons": tally.skipped,
            "note": note,
            "started_at": now,
            "finished_at": now,
        },
    )
