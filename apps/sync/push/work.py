"""The lanes of pushes: the outbound queue, and one record at once."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.selectors.types import type_words
from apps.core import crash
from apps.domain.automatic import is_by_itself
from apps.domain.budget import Work
from apps.domain.failures import Category, Failure, MappingBroken, RowFailure
from apps.domain.rows import fields_of, row_from_json
from apps.integrations.gateways import Gateway, open_gateway
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.outbox.queue import queue_change
from apps.sync.contexts import steps_of
from apps.sync.desk import OPT_OUT_FIELD
from apps.sync.lanes import CHUNK_SECONDS, Hold
from apps.sync.models import RecordLink, RunObject, RunState, SyncRun, WriteIntent
from apps.sync.pull.one_row import bring_in
from apps.sync.pull.work import end_run
from apps.sync.push.claims import GIVEN_UP_AFTER, Claimed, claim_changes, give_back, hold_back, note_due
from apps.sync.push.creating import create_rows
from apps.sync.push.errands import Errand
from apps.sync.push.failing import refuse
from apps.sync.push.intending import decide
from apps.sync.push.parts import next_work_due, work_on_parts
from apps.sync.push.persons import is_person
from apps.sync.push.reading import linked_rows, read_rows
from apps.sync.push.round import Round, begin_round, settle_quiet
from apps.sync.push.writing import settle_written, write_if_unchanged, write_intents
from apps.sync.replanning import run_to_advance
from apps.sync.storing import apply_rows
from apps.sync_settings.budget import standing_of
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction

AT_ONCE = 2_000
"""Changes of one round: as many as one read takes."""
_AFTER_OUTAGE = timedelta(seconds=2)
_A_WHILE = timedelta(seconds=30)
_MOST_LOOKS = 3


def push_lane(hold: Hold) -> timedelta | None:
    """Push what is due, round by round; the run ends when nothing is."""
    deadline = time.monotonic() + CHUNK_SECONDS
    run = run_to_advance(hold)
    if run is None:
        return None
    with tenant_transaction(hold.tenant_id):
        connection = Connection.objects.get(id=run.connection_id)
        settings = settings_of(connection)
        standing = standing_of(connection, settings, now=timezone.now())
    is_routine = standing.allows(Work.ROUTINE)
    only = None if is_routine else OPT_OUT_FIELD
    with open_gateway(hold.tenant_id, run.connection_id, purpose=hold.name) as gateway:
        errand = Errand(hold, gateway, run, connection, settings)
        while time.monotonic() < deadline:
            claims = _claim(hold, only)
            if claims:
                push_round(hold, gateway, claims)
            elif not (is_routine and work_on_parts(errand)):
                _finish(hold, settings)
                return None
    return timedelta()


def _claim(hold: Hold, only: str | None) -> list[Claimed]:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        claims = claim_changes(limit=AT_ONCE, only=only)
        dead = [claim for claim in claims if claim.attempts > GIVEN_UP_AFTER and not claim.reason]
        for claim in dead:
            hold_back(claim, "It stopped the work several times without an answer. Please tell us.")
    return [claim for claim in claims if claim not in dead] or (_claim(hold, only) if dead else [])


def _finish(hold: Hold, settings: SyncSettings) -> None:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        due = next_work_due(settings)
        # Nothing that is due was taken: it waits for the budget, or another holds it.
        note_due(max(due, timezone.now() + _A_WHILE) if due is not None else None)
        end_run(hold, RunState.COMPLETED, "")


def push_round(hold: Hold, gateway: Gateway, claims: Sequence[Claimed], *, is_conditional: bool = False) -> Round:
    """Push these changes. What an outage leaves undone waits again; nothing of it counts as an attempt."""
    crash.point("taken")
    work = begin_round(hold, gateway, claims)
    work.is_conditional = is_conditional
    try:
        _push(work)
        if work.broken is not None:
            raise MappingBroken(work.broken.category, work.broken.message, fields=work.broken.fields)
    except Failure:
        settle_written(work)
        with tenant_transaction(hold.tenant_id):
            give_back(work.open_claims, due_at=timezone.now() + _AFTER_OUTAGE)
        raise
    finally:
        _count(work)
    return work


def _push(work: Round) -> None:
    wanted = linked_rows(work)
    for sobject in sorted(wanted):
        ids = wanted[sobject]
        rows = read_rows(work, sobject, list(ids))
        crash.point("read")
        work.read_at = work.gateway.org_time()
        work.run.clock_offset = (work.read_at - timezone.now()).total_seconds()
        intents, judged = decide(work, sobject, rows)
        shown = {str(row["Id"]) for row in rows}
        _hold_unseen(work, sobject, {remote_id: ids[remote_id] for remote_id in ids.keys() - shown})
        _again(work, {ids[remote_id] for remote_id in (shown & ids.keys()) - judged})
        _write(work, intents)
    settle_written(work)
    settle_quiet(work, {record_id for ids in wanted.values() for record_id in ids.values()})
    # What goes out by itself goes to rows that exist: it is no reason to make one.
    unlinked = {claim.local_id for claim in work.open_claims if not is_by_itself(claim.fields)}
    if unlinked:
        create_rows(work, unlinked)
    settle_written(work)
    settle_quiet(work, {claim.local_id for claim in work.open_claims})


def _write(work: Round, intents: Sequence[WriteIntent]) -> None:
    # A person account is written through another row than the one that was read: its stamp says nothing here.
    plain = [one for one in intents if not work.is_conditional or is_person(work, one)]
    if plain:
        write_intents(work, plain)
    for intent in [one for one in intents if one not in plain]:
        if not write_if_unchanged(work, intent):
            _again(work, {intent.local_id})


def _again(work: Round, records: set[int]) -> None:
    """The row has moved since: the next round reads what took its place."""
    claims = [claim for claim in work.open_claims if claim.local_id in records]
    if not claims:
        return
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        give_back(claims, counts=True)
    work.done |= records
    work.again |= records


def _hold_unseen(work: Round, sobject: str, ids: Mapping[str, int]) -> None:
    """A row that neither shows nor is deleted is out of the sync user's sight: nothing is known of it."""
    if not ids:
        return
    words = "Salesforce does not show this record to the sync user."
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        for remote_id, record_id in ids.items():
            failure = RowFailure(Category.INSUFFICIENT_ACCESS, words)
            refuse(work, work.claims[record_id], [failure], sobject=sobject, remote_id=remote_id)


def _count(work: Round) -> None:
    """Add the round to the run's counters; read = created + updated + unchanged + failed."""
    with tenant_transaction(work.hold.tenant_id):
        part, _ = RunObject.objects.select_for_update().get_or_create(
            run=work.run,
            sobject=work.local_type,
            defaults={"position": 0, "label": type_words(work.local_type), "started_at": timezone.now()},
        )
        settled = len(work.done - work.again)
        changed = work.created + work.updated + work.pulled + work.failed
        part.stage = "fetched"
        part.fetched += settled
        part.created += work.created
        part.updated += work.updated + work.pulled
        part.failed += work.failed
        part.unchanged += max(0, settled - changed)
        part.is_done = True
        part.finished_at = timezone.now()
        part.save()


# -- one record -----------------------------------------------------------------------------------------------


def record_lane(hold: Hold) -> timedelta | None:
    """Sync one record both ways: judge its rows as they are now, then write what is to be written if they are still
    as they were read; a row that changed meanwhile is judged again. A row without a record here is brought in first."""
    run = run_to_advance(hold)
    if run is None:
        return None
    with open_gateway(hold.tenant_id, run.connection_id, purpose=hold.name) as gateway:
        if run.local_id is None:
            run = bring_in(hold, gateway, run)
        if run.local_id is not None:
            _sync_record(hold, gateway, run)
    with tenant_transaction(hold.tenant_id):
        hold.check()
        end_run(hold, RunState.COMPLETED, "")
    return None


def _sync_record(hold: Hold, gateway: Gateway, run: SyncRun) -> None:
    assert run.local_id is not None
    if not _waits(hold, run):
        _pull_record(hold, gateway, run)
    for look in range(_MOST_LOOKS):
        with tenant_transaction(hold.tenant_id):
            hold.check()
            claims = claim_changes(limit=1, record=(run.local_type, run.local_id))
        if not claims:
            break
        # The last look writes whatever it finds: somebody edits this row faster than it can be read.
        push_round(hold, gateway, claims, is_conditional=look < _MOST_LOOKS - 1)


def _waits(hold: Hold, run: SyncRun) -> bool:
    """Whether a change of the record waits; one that was held is tried again, and a record that has no row there
    yet is queued whole."""
    key = RECORD_COLUMNS[run.local_type]
    with tenant_transaction(hold.tenant_id):
        hold.check()
        changes = OutboundChange.objects.filter(local_type=run.local_type, local_id=run.local_id)
        changes.filter(state="held").update(state="waiting", reason="", attempts=0)
        if changes.exists():
            return True
        if RecordLink.objects.filter(connection_id=run.connection_id, **{key: run.local_id}).exists():
            return False
        names = {rule.local_field for s in steps_of(run) if s.local_type == run.local_type for rule in s.rules}
        now, record_id = timezone.now(), run.local_id or 0
        queue_change(local_type=run.local_type, local_id=record_id, fields=sorted(names), origin="sync_now", at=now)
        return bool(names)


def _pull_record(hold: Hold, gateway: Gateway, run: SyncRun) -> None:
    """Bring in every live row of the record; what is to be written there is queued."""
    record_id = run.local_id or 0
    claim = Claimed(0, run.local_type, record_id, {OPT_OUT_FIELD: {"origin": "sync_now"}}, 0, 0, "")
    work = begin_round(hold, gateway, [claim])
    for sobject, ids in sorted(linked_rows(work).items()):
        rows = read_rows(work, sobject, list(ids))
        with tenant_transaction(hold.tenant_id):
            hold.check()
            context = work.context(sobject)
            fields = fields_of(context.steps)
            tally = apply_rows(context, [row_from_json(row, fields) for row in rows])
        crash.point("applied")
        work.done.add(record_id)
        work.pulled += tally.updated
        work.failed += tally.failed
    _count(work)
