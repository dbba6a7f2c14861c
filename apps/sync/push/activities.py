"""Events that become Tasks on the leading lead or contact of their person (E07, B08), each exactly once.

    claim → look who stands there → (look for what was begun) → journal → write → settle

With the package a Task is an upsert by the event's own id, which may be done twice without harm. Without it the journal
tells which events were about to be written when something broke off: their Tasks are looked for before any is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Min
from django.utils import timezone

from apps.audience.models import Engagement, TaskState
from apps.core import crash
from apps.domain.activities import ACTIVITY_ID, Activity, is_task_of, task_values
from apps.domain.failures import Category, Failure, Internal, RowFailure, Transient
from apps.domain.ports import ObjectSchema, WriteOperation, WriteResult
from apps.domain.retry import next_attempt
from apps.field_mappings.models import StepKind
from apps.field_mappings.needs import ACTIVITY_KINDS
from apps.field_mappings.selectors import extra_steps
from apps.integrations.soql import find_text
from apps.outbox.models import OutboundChange
from apps.sync.contexts import external_prefix
from apps.sync.models import EntryAction, WriteIntent
from apps.sync.push.claims import CAREFUL_AFTER, GIVEN_UP_AFTER, HELD_FOR
from apps.sync.push.errands import ORG_WIDE, Errand, Fate, close_errors, note_failures, write_down
from apps.sync.push.intending import insert_intents
from apps.sync.push.standing import people_in_salesforce
from apps.tenants.scope import tenant_transaction

TASK, LABEL = "Task", "Activities"
_JOURNAL = "engagement"
AT_ONCE = 1_000
_PER_CALL = 200
_FOR_A_ROW = timedelta(hours=24)
"""How long an event waits for its person to get a row in Salesforce; then it is left out."""
_LOOK_AGAIN = timedelta(minutes=5)
_WHEN_ORG_CHANGES = timedelta(hours=1)
_AFTER_OUTAGE = timedelta(seconds=2)
_PART = 100


@dataclass
class _Round:
    """Claimed events on their way."""

    errand: Errand
    schema: ObjectSchema
    rows: dict[int, Engagement]
    activities: dict[int, Activity]
    who: dict[int, str] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    @property
    def open(self) -> list[int]:
        """Events that nothing has become of yet."""
        return [number for number in self.rows if number not in self.done]


def next_activity_due() -> datetime | None:
    """When the next event is to be told."""
    waiting = Engagement.objects.filter(task_state=TaskState.WAITING)
    found: datetime | None = waiting.aggregate(at=Min("task_due_at"))["at"]
    return found


def tell_activities(errand: Errand) -> bool:
    """Make Tasks of the next events; False where none is due. What an outage leaves undone waits again."""
    work = _begin(errand)
    if work is None:
        return False
    crash.point("activities_taken")
    try:
        _find_who(work)
        _find_begun(work)
        _tell(work)
    except Failure as failure:
        _give_back(work, failure)
        raise
    return True


def _begin(errand: Errand) -> _Round | None:
    now = timezone.now()
    with tenant_transaction(errand.hold.tenant_id):
        errand.hold.check()
        due = Engagement.objects.select_for_update(skip_locked=True).filter(
            task_state=TaskState.WAITING, task_due_at__lte=now
        )
        found = list(due.order_by("task_due_at", "id")[:AT_ONCE])
        if not found:
            return None
        schema = errand.schema(TASK)
        if schema is None or not schema.createable:
            words = "The sync user may not create tasks in Salesforce."
            note_failures(errand, TASK, [RowFailure(Category.INSUFFICIENT_ACCESS, words)])
            Engagement.objects.filter(task_state=TaskState.WAITING).update(task_due_at=now + _WHEN_ORG_CHANGES)
            return None
        careful = next((row for row in found if row.task_attempts >= CAREFUL_AFTER), None)
        rows = [careful] if careful is not None else found
        ids = [row.pk for row in rows]
        Engagement.objects.filter(id__in=ids).update(task_due_at=now + HELD_FOR, task_attempts=F("task_attempts") + 1)
        prefix = external_prefix(errand.hold.tenant_id)
    activities = {
        row.pk: Activity(row.pk, f"{prefix}-{row.pk}", row.kind, row.happened_at, row.subject, row.details)
        for row in rows
    }
    return _Round(errand, schema, {row.pk: row for row in rows}, activities)


# -- who ------------------------------------------------------------------------------------------------------------


def _find_who(work: _Round) -> None:
    """The leading row of each person, where a switch or a step wants a Task there; whoever has none is left out, or
    waits for it."""
    people = {row.person_id for row in work.rows.values()}
    found = people_in_salesforce(work.errand, people)
    with tenant_transaction(work.errand.hold.tenant_id):
        steps = extra_steps(work.errand.connection, StepKind.ACTIVITY)
        wanted = {(ACTIVITY_KINDS.get(step.source, ""), step.sobject) for step in steps}
        wanted |= {(kind, sobject) for kind in work.errand.settings.task_kinds for sobject in ("Lead", "Contact")}
        work.who = {
            number: found[row.person_id][1]
            for number, row in work.rows.items()
            if row.person_id in found and (row.kind, found[row.person_id][0]) in wanted
        }
        waiting = OutboundChange.objects.filter(local_type="person", local_id__in=people - found.keys())
        coming = set(waiting.values_list("local_id", flat=True))
    _leave_out(work, [n for n in work.open if n not in work.who], coming)


def _leave_out(work: _Round, numbers: Sequence[int], coming: set[int]) -> None:
    """Whose person has no row yet but is about to get one waits for a day; the others are not for Salesforce."""
    if not numbers:
        return
    now = timezone.now()
    patient = {n for n in numbers if work.rows[n].person_id in coming and work.rows[n].received_at > now - _FOR_A_ROW}
    gone = [n for n in numbers if n not in patient]
    with tenant_transaction(work.errand.hold.tenant_id):
        work.errand.hold.check()
        waiting = Engagement.objects.filter(task_state=TaskState.WAITING)
        waiting.filter(id__in=patient).update(task_due_at=now + _LOOK_AGAIN, task_attempts=F("task_attempts") - 1)
        words = "The person has no lead or contact in Salesforce for which this is switched on."
        waiting.filter(id__in=gone).update(task_state=TaskState.SKIPPED, task_note=words)
        if gone:
            fates = [Fate(TASK, "", work.rows[n].person_id, EntryAction.SKIPPED, "not_linked") for n in gone]
            write_down(work.errand, TASK, LABEL, fates)
    work.done |= set(numbers)


# -- what was begun -------------------------------------------------------------------------------------------------


def _find_begun(work: _Round) -> None:
    """Events whose Task may have been made when something broke off: those that are there are settled."""
    with tenant_transaction(work.errand.hold.tenant_id):
        open_ones = WriteIntent.objects.filter(
            local_type=_JOURNAL, local_id__in=work.open, remote_id="", closed_at__isnull=True
        )
        begun = sorted(set(open_ones.values_list("local_id", flat=True)))
    found: dict[int, str] = {}
    whos = sorted({work.who[number] for number in begun})
    for start in range(0, len(whos), _PART):
        text = find_text(TASK, ["Id", "WhoId", "Description"], "WhoId", whos[start : start + _PART])
        for row in work.errand.gateway.query(text):
            found |= {n: str(row["Id"]) for n in begun if is_task_of(row, work.activities[n])}
    if not begun:
        return
    with tenant_transaction(work.errand.hold.tenant_id):
        work.errand.hold.check()
        _close(begun, "looked_up")
        _settle(work, {number: WriteResult(remote_id) for number, remote_id in found.items()})


# -- write ----------------------------------------------------------------------------------------------------------


def _tell(work: _Round) -> None:
    numbers = work.open
    for start in range(0, len(numbers), _PER_CALL):
        part = numbers[start : start + _PER_CALL]
        bodies = {number: task_values(work.activities[number], work.who[number], work.schema) for number in part}
        is_named = ACTIVITY_ID in work.schema.fields
        operation = WriteOperation.UPSERT if is_named else WriteOperation.CREATE
        _renew(work, bodies, journals=not is_named)
        crash.point("activities_intended")
        results = list(
            work.errand.gateway.write(TASK, operation, list(bodies.values()), key_field=ACTIVITY_ID if is_named else "")
        )
        crash.point("activities_written")
        with tenant_transaction(work.errand.hold.tenant_id):
            work.errand.hold.check()
            _settle(work, dict(zip(bodies, results, strict=True)))
            _close(part, "written")


def _renew(work: _Round, bodies: Mapping[int, Mapping[str, object]], *, journals: bool) -> None:
    """Keep the events in hand; where a Task has no name of its own, write down that it is about to be made."""
    with tenant_transaction(work.errand.hold.tenant_id):
        work.errand.hold.check()
        until = timezone.now() + HELD_FOR
        Engagement.objects.filter(id__in=work.open, task_state=TaskState.WAITING).update(task_due_at=until)
        if not journals:
            return
        insert_intents(
            [
                WriteIntent(
                    connection_id=work.errand.connection.pk,
                    run_id=work.errand.run.pk,
                    sobject=TASK,
                    remote_id="",
                    local_type=_JOURNAL,
                    local_id=number,
                    operation=WriteOperation.CREATE,
                    values=dict(body),
                    local_version=0,
                    cause="activity",
                )
                for number, body in bodies.items()
            ]
        )


def _close(numbers: Sequence[int], outcome: str) -> None:
    """Close the journal; what it said is kept with the event alone, and goes with the person."""
    WriteIntent.objects.filter(local_type=_JOURNAL, local_id__in=numbers, closed_at__isnull=True).update(
        closed_at=timezone.now(), outcome=outcome, values={}
    )


# -- settle ---------------------------------------------------------------------------------------------------------


def _settle(work: _Round, results: Mapping[int, WriteResult]) -> None:
    """What became of each event, in the open transaction. Refusals of one kind are one error, not one a row."""
    fates, failures = [], []
    for number, result in results.items():
        row = work.rows[number]
        if result.is_success:
            row.task_state, row.task_id, row.task_note = TaskState.SENT, result.remote_id, ""
            fates.append(Fate(TASK, result.remote_id, row.person_id, EntryAction.CREATED))
            continue
        failure = result.failures[0]
        failures.append(failure)
        _refuse(row, failure)
        if row.task_state == TaskState.REFUSED:
            fates.append(Fate(TASK, "", row.person_id, EntryAction.FAILED, failure.category))
    if failures:
        note_failures(work.errand, TASK, failures)
    if any(one.action == EntryAction.CREATED for one in fates):
        close_errors(work.errand, TASK)
    if results:
        Engagement.objects.bulk_update(
            [work.rows[number] for number in results], ["task_state", "task_id", "task_note", "task_due_at"]
        )
        write_down(work.errand, TASK, LABEL, fates)
    work.done |= set(results)


def _refuse(row: Engagement, failure: RowFailure) -> None:
    """What passes by itself, or as soon as somebody changes the org, is tried again; the rest is refused for good."""
    now = timezone.now()
    again = next_attempt(failure.category, row.task_attempts + 1, now=now, jitter=0.5)
    if failure.category in ORG_WIDE:
        again = now + _WHEN_ORG_CHANGES
    elif failure.category in {Category.CONVERTED_LEAD, Category.RECORD_DELETED} and row.task_attempts < CAREFUL_AFTER:
        again = now + _LOOK_AGAIN
    row.task_note = failure.message
    if again is None or row.task_attempts >= GIVEN_UP_AFTER:
        row.task_state = TaskState.REFUSED
    else:
        row.task_due_at = again


def _give_back(work: _Round, failure: Failure) -> None:
    """The events wait again. Only a failure that may be of one of them counts as an attempt: one that was tried alone
    again and again, while others go through, is refused."""
    is_odd = isinstance(failure, Internal) or (
        isinstance(failure, Transient) and failure.category is Category.UNAVAILABLE
    )
    alone = [number for number in work.open if work.rows[number].task_attempts >= GIVEN_UP_AFTER]
    if is_odd and alone:
        work.errand.gateway.limits()  # raises in an outage
    due = timezone.now() + _AFTER_OUTAGE
    with tenant_transaction(work.errand.hold.tenant_id):
        waiting = Engagement.objects.filter(id__in=work.open, task_state=TaskState.WAITING)
        waiting.update(task_due_at=due, task_attempts=F("task_attempts") - (0 if is_odd else 1))
        if is_odd and alone:
            words = f"Salesforce cannot take this event: {failure.message}"
            waiting.filter(id__in=alone).update(task_state=TaskState.REFUSED, task_note=words)
            note_failures(work.errand, TASK, [RowFailure(failure.category, words, raw=failure.raw)])
