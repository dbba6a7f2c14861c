"""Differential sync: what changed since the watermark, asked for all sObjects together, small answers applied at once.

Nothing is filtered in the questions: a row that left a filter, a deletion or an opt-out must be seen. Rows come in the
order of (SystemModstamp, Id), and each object keeps a cursor, so that a run that was cut short goes on where it was.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.core import crash
from apps.domain.failures import Category, Failure, MappingBroken, Transient
from apps.domain.moves import Fate, fate_of
from apps.domain.rows import DELETION_FIELDS, RemoteRow, fields_of, row_from_json
from apps.domain.windows import LOOK_BACK, SETTLE, Cursor, Window, covered_after, halved, next_window
from apps.integrations.gateways import Gateway
from apps.integrations.models import Connection, ObjectMetadata
from apps.integrations.soql import window_text
from apps.sync.contexts import context_of, steps_of
from apps.sync.lanes import Hold
from apps.sync.models import ObjectStage, RunObject, SyncRun, Watermark
from apps.sync.pull.plan import RELATIONS, Question, questions
from apps.sync.pull.retrying import retry_due
from apps.sync.pull.small import apply_small_relation
from apps.sync.replanning import plan_anew
from apps.sync.storing import apply_rows
from apps.sync.verdicts import Tally
from apps.sync_errors.services import ErrorFact, record_errors, resolve_errors
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction

PAGE = 2_000
"""Rows of one question: what one answer of the API holds at most (facts, section 6)."""
BATCH = 200
MOST_PAGES = 5
"""After so many pages of one object the rest is asked for by Bulk."""
MOST_PARTS = 4
"""Windows of an object that is slow to ask, brought in by one run; the next run goes on from there."""
NARROWEST = timedelta(minutes=1)
"""A window of this length that still takes Salesforce too long needs a person."""


@dataclass
class Asked:
    """One sObject of the run: what is asked, from where, and what came."""

    question: Question
    covered_to: datetime
    position: int
    after: Cursor | None = None
    part_of: Window | None = None
    rows: list[dict[str, Any]] | None = None
    failure: Failure | None = None

    @property
    def since(self) -> datetime:
        """Where the window begins: the look-back before the watermark, unless only a part is asked for."""
        return self.part_of.since if self.part_of else self.covered_to - LOOK_BACK

    @property
    def is_slow(self) -> bool:
        """Salesforce gave the question up because it ran too long (QUERY_TIMEOUT)."""
        return self.failure is not None and self.failure.category is Category.QUERY_TOO_SLOW


def pull_changes(hold: Hold, gateway: Gateway) -> bool:
    """Bring in what changed. Answers False where some object is so large that Bulk lanes have to take over.

    The watermark moves last, to the org's time just before the question, and only for objects that are wholly in.
    """
    run, asked = _plan(hold)
    if not asked:
        return True
    try:
        org_time = _ask(gateway, asked)
    except MappingBroken:
        plan_anew(hold)
        run, asked = _plan(hold)
        org_time = _ask(gateway, asked)
    crash.point("asked")
    _note_clock(hold, run, org_time)
    _apply_moves(hold, run, asked)
    large = []
    covered: dict[str, datetime] = {}
    for one in asked:
        if one.failure is not None:
            reached = _bring_in_parts(hold, run, gateway, one, org_time) if one.is_slow else None
            if reached is None:
                _leave_out(hold, run, one)
            else:
                covered[one.question.sobject] = reached
        elif _bring_in(hold, run, gateway, one):
            covered[one.question.sobject] = org_time
        else:
            large.append(one)
    retry_due(hold, run, gateway)
    _move_watermarks(hold, run, covered)
    crash.point("covered")
    for one in large:
        _hand_over(hold, run, one, org_time)
    return not large


# -- plan -----------------------------------------------------------------------------------------------------


def _plan(hold: Hold) -> tuple[SyncRun, list[Asked]]:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        run = SyncRun.objects.get(id=hold.run_id)
        settings = settings_of(Connection.objects.get(id=run.connection_id))
        marks = dict(Watermark.objects.filter(connection_id=run.connection_id).values_list("sobject", "covered_to"))
        metadata = list(ObjectMetadata.objects.filter(connection_id=run.connection_id))
        parts = {part.sobject: part for part in RunObject.objects.filter(run=run)}
        asked: list[Asked] = []
        with_campaigns = settings.sync_members and not settings.group_edition
        for question in questions(
            list(steps_of(run)),
            metadata,
            with_campaigns=with_campaigns,
            person_accounts=settings.person_accounts,
        ):
            part, mark = parts.get(question.sobject), marks.get(question.sobject)
            if mark is None or (part is not None and (part.is_done or part.soql)):
                continue
            visible = _visible(metadata, question.sobject)
            columns = (*question.columns, *(name for name in DELETION_FIELDS if name in visible))
            after = None
            if part is not None and part.cursor_stamp is not None:
                after = (part.cursor_stamp, part.cursor_id)
            asked.append(Asked(Question(question.sobject, question.label, columns, ""), mark, len(asked), after))
    return run, asked


def _visible(metadata: Sequence[ObjectMetadata], sobject: str) -> Mapping[str, Any]:
    return next((row.schema["fields"] for row in metadata if row.sobject == sobject), {})


# -- fetch ----------------------------------------------------------------------------------------------------


def _text(one: Asked) -> str:
    return window_text(
        one.question.sobject,
        one.question.columns,
        since=one.since,
        until=one.part_of.until if one.part_of else None,
        after=one.after,
        limit=PAGE,
    )


def _ask(gateway: Gateway, asked: Sequence[Asked]) -> datetime:
    """Ask for all objects, five a call; answers the org's time at which the first question left, at the earliest.

    The answer's date less the time that the call took is never later than the org's time when it was asked: a length
    of time by our clock is as good as one by theirs.
    """
    began = time.monotonic()
    answers = gateway.query_many([_text(one) for one in asked], include_deleted=True)
    org_time = gateway.org_time() - timedelta(seconds=time.monotonic() - began)
    for one, answer in zip(asked, answers, strict=True):
        if isinstance(answer, Failure):
            if answer.category is Category.FIELD_GONE:
                raise MappingBroken(answer.category, answer.message, fields=answer.fields, raw=answer.raw)
            if answer.category not in {Category.OBJECT_GONE, Category.QUERY_TOO_SLOW, Category.INSUFFICIENT_ACCESS}:
                raise answer
            one.failure = answer
        else:
            one.rows = answer
    return org_time


def _note_clock(hold: Hold, run: SyncRun, org_time: datetime) -> None:
    """Keep how far our clock is from the org's: moments of local changes are compared in org time."""
    offset = (org_time - timezone.now()).total_seconds()
    if run.org_started_at is None or abs(offset - run.clock_offset) > 1:
        run.clock_offset, run.org_started_at = offset, run.org_started_at or org_time
        with tenant_transaction(hold.tenant_id):
            SyncRun.objects.filter(id=run.pk).update(clock_offset=offset, org_started_at=run.org_started_at)


# -- apply ----------------------------------------------------------------------------------------------------


def _apply_moves(hold: Hold, run: SyncRun, asked: Sequence[Asked]) -> None:
    """Merges and conversions first: they say which record a row belongs to."""
    for one in asked:
        if not one.rows or one.question.sobject in RELATIONS:
            continue
        fields = fields_of(step for step in steps_of(run) if step.sobject == one.question.sobject)
        moving = [raw for raw in one.rows if fate_of(row_from_json(raw, fields)) in {Fate.MERGED, Fate.CONVERTED}]
        if moving:
            part = _part(hold, run, one)
            _apply(hold, run, one, part, moving, keeps_cursor=True)
            moved = {raw["Id"] for raw in moving}
            one.rows = [raw for raw in one.rows if raw["Id"] not in moved]


def _bring_in(hold: Hold, run: SyncRun, gateway: Gateway, one: Asked) -> bool:
    """Apply the rows of an object page by page; False where there are too many for this road."""
    rows = one.rows or []
    is_full = len(rows) >= PAGE
    if not rows and one.after is None:
        return True
    part = _part(hold, run, one)
    for _ in range(MOST_PAGES):
        for start in range(0, len(rows), BATCH):
            _apply(hold, run, one, part, rows[start : start + BATCH])
        if not is_full:
            _finish(hold, part)
            return True
        one.after = (part.cursor_stamp or one.since, part.cursor_id)
        rows = list(gateway.query(_text(one), include_deleted=True))
        is_full = len(rows) >= PAGE
    for start in range(0, len(rows), BATCH):
        _apply(hold, run, one, part, rows[start : start + BATCH])
    one.after = (part.cursor_stamp or one.since, part.cursor_id)
    return False


def _bring_in_parts(hold: Hold, run: SyncRun, gateway: Gateway, one: Asked, org_time: datetime) -> datetime | None:
    """Bring in an object whose question runs too long: the window is halved until it passes, and a few of that width
    follow each other. Answers the org's time as of which everything is in; None where even the narrowest is too slow.
    """
    end = org_time - SETTLE
    window = halved(Window(one.after[0] if one.after else one.since, end))
    reached = None
    for _ in range(MOST_PARTS):
        passed = _ask_narrower(gateway, one, window)
        if passed is None:
            return reached
        if not _bring_in(hold, run, gateway, one):
            return one.after[0] + SETTLE if one.after else reached
        reached = passed.until + SETTLE
        if passed.until >= end:
            break
        window = Window(passed.until, min(passed.until + passed.length, end))
    return reached


def _ask_narrower(gateway: Gateway, one: Asked, window: Window) -> Window | None:
    """Ask for the rows of the window, or of its first half, and so on; the window that passed, None where none did."""
    while window.length >= NARROWEST:
        one.part_of, one.after = window, None
        try:
            one.rows = list(gateway.query(_text(one), include_deleted=True))
        except Transient as failure:
            if failure.category is not Category.QUERY_TOO_SLOW:
                raise
            window = halved(window)
        else:
            return window
    return None


def _part(hold: Hold, run: SyncRun, one: Asked) -> RunObject:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        part, _ = RunObject.objects.get_or_create(
            run=run,
            sobject=one.question.sobject,
            defaults={
                "position": one.position,
                "label": one.question.label,
                "columns": list(one.question.columns),
                "stage": ObjectStage.FETCHING,
                "window_from": one.since,
                "started_at": timezone.now(),
            },
        )
    found: RunObject = part
    return found


def _apply(
    hold: Hold, run: SyncRun, one: Asked, part: RunObject, raw: list[dict[str, Any]], *, keeps_cursor: bool = False
) -> None:
    """Apply rows, count them and move the cursor, in one transaction."""
    sobject = one.question.sobject
    with tenant_transaction(hold.tenant_id):
        hold.check()
        if sobject in RELATIONS:
            tally = apply_small_relation(run, part, raw)
        else:
            context = context_of(run, sobject)
            fields = fields_of(context.steps)
            tally = apply_rows(context, [row_from_json(row, fields) for row in raw])
        count_rows(part, tally, len(raw))
        if not keeps_cursor:
            _move_cursor(part, row_from_json(raw[-1], {}))
        part.save()
    crash.point("applied")


def _move_cursor(part: RunObject, last: RemoteRow) -> None:
    if last.stamp is not None:
        part.cursor_stamp, part.cursor_id = last.stamp, last.remote_id


def count_rows(part: RunObject, tally: Tally, rows: int) -> None:
    """Add a tally to an object's counters."""
    part.fetched += rows
    part.created += tally.created
    part.updated += tally.updated
    part.unchanged += tally.unchanged
    part.failed += tally.failed
    part.skipped += sum(tally.skipped.values())
    for reason, count in tally.skipped.items():
        part.skip_reasons[reason] = part.skip_reasons.get(reason, 0) + count


def _finish(hold: Hold, part: RunObject) -> None:
    """Close an object. Where it stopped is forgotten: that row may be of somebody who was erased."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        RunObject.objects.filter(id=part.pk).update(
            stage=ObjectStage.FETCHED, is_done=True, finished_at=timezone.now(), cursor_id=""
        )


def _leave_out(hold: Hold, run: SyncRun, one: Asked) -> None:
    assert one.failure is not None
    note = f"{one.question.label} was left out: {one.failure.message}"
    part = _part(hold, run, one)
    slow = ErrorFact(
        category=Category.QUERY_TOO_SLOW,
        message=f"{note} Even one minute of changes is too much for one question.",
        sobject=one.question.sobject,
        remote_id=_whole(one.question.sobject),
        is_blocked=True,
    )
    with tenant_transaction(hold.tenant_id):
        hold.check()
        row = SyncRun.objects.select_for_update().get(id=run.pk)
        row.warnings = [*row.warnings, note]
        row.save(update_fields=["warnings"])
        RunObject.objects.filter(id=part.pk).update(
            stage=ObjectStage.SKIPPED, is_done=True, note=note, finished_at=timezone.now()
        )
        if one.is_slow:
            record_errors([slow], connection_id=run.connection_id, run_id=run.pk, at=timezone.now())


def _whole(sobject: str) -> str:
    """What the error of a whole sObject stands under in place of a row's id."""
    return f"all of {sobject}"


# -- end ------------------------------------------------------------------------------------------------------


def _move_watermarks(hold: Hold, run: SyncRun, covered: Mapping[str, datetime]) -> None:
    """Everything that was visible up to ``SETTLE`` before the org's time given for each object is in, or in the retry
    ledger. An object that was too slow before and is in now has no error any more."""
    with tenant_transaction(hold.tenant_id):
        hold.check()
        for mark in Watermark.objects.filter(connection_id=run.connection_id, sobject__in=covered):
            window = next_window(mark.covered_to, covered[mark.sobject])
            moved = covered_after(mark.covered_to, window, is_in=True)
            if moved != mark.covered_to:
                Watermark.objects.filter(id=mark.pk).update(covered_to=moved, run_id=run.pk)
        resolve_errors(
            connection_id=run.connection_id, remote_ids=[_whole(name) for name in covered], at=timezone.now()
        )


def _hand_over(hold: Hold, run: SyncRun, one: Asked, org_time: datetime) -> None:
    """Ask for the rest of a large object by Bulk, up to the org's time of the question; the other lanes bring it in."""
    soql = window_text(
        one.question.sobject,
        one.question.columns,
        since=one.after[0] if one.after else one.since,
        until=org_time - SETTLE,
        after=None,
        limit=None,
    )
    with tenant_transaction(hold.tenant_id):
        hold.check()
        RunObject.objects.filter(run=run, sobject=one.question.sobject).update(
            soql=soql,
            columns=list(one.question.columns),
            stage=ObjectStage.WAITING,
            window_to=org_time - SETTLE,
        )
