"""Write and settle: intents go out by the hundred, and each one's fate is written down."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Erasure
from apps.audience.services.erasures import active_marker, add_tombstones
from apps.core import crash
from apps.domain.baseline import pack, unpack
from apps.domain.failures import Category
from apps.domain.owning import OWNER
from apps.domain.ports import Changed, WriteOperation, WriteResult
from apps.domain.pushing import NEWS, base_after_write, stamp_after_write
from apps.domain.rows import EXTERNAL_ID, OPT_OUT
from apps.domain.writing import body_of
from apps.field_mappings.models import BaselineLayout
from apps.sync.contexts import steps_of
from apps.sync.local import MODELS
from apps.sync.models import EntryAction, RecordLink, RunEntry, WriteIntent
from apps.sync.push.claims import give_back, renew, settle
from apps.sync.push.failing import refuse
from apps.sync.push.isolating import write_each
from apps.sync.push.persons import is_person, write_persons
from apps.sync.push.round import Round
from apps.sync.storing import insert_entries, update_links
from apps.sync_errors.services import resolve_record_errors
from apps.tenants.scope import tenant_transaction

AT_ONCE = 200
"""Records of one call (facts, section 8: sObject Collections)."""
LOCKED_AT_ONCE = 10
"""Rows that met a lock go in small batches, neighbours of one parent together."""
_AGAIN = timedelta(seconds=1)


def write_intents(work: Round, intents: Sequence[WriteIntent]) -> None:
    """Write intents of one sObject and operation, and settle each batch as it comes back."""
    crash.point("intended")
    groups: dict[tuple[bool, str], list[WriteIntent]] = defaultdict(list)
    for intent in intents:
        groups[is_person(work, intent), _assignment_rule(work, intent)].append(intent)
    for alike in groups.values():
        locked = [intent for intent in alike if work.claims[intent.local_id].is_locked]
        plain = [intent for intent in alike if not work.claims[intent.local_id].is_locked]
        for batch in _batches(plain, AT_ONCE):
            write_each(work, batch, _write)
        for batch in _batches(sorted(locked, key=_parent), LOCKED_AT_ONCE):
            write_each(work, batch, _write)


def _assignment_rule(work: Round, intent: WriteIntent) -> str:
    """The rule that is to choose the owner of a new lead; "" where none shall run (facts, section 8)."""
    is_free = intent.sobject == "Lead" and not intent.remote_id and OWNER not in intent.values
    return work.owner_policy.lead_assignment if is_free else ""


def _batches(intents: Sequence[WriteIntent], size: int) -> Iterable[Sequence[WriteIntent]]:
    for start in range(0, len(intents), size):
        yield intents[start : start + size]


def _parent(intent: WriteIntent) -> tuple[str, str]:
    return str(intent.values.get("AccountId", "")), intent.remote_id


def _write(work: Round, intents: Sequence[WriteIntent]) -> None:
    """One call, or one per operation; claims are renewed before it, so that nobody else takes them meanwhile."""
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        renew(work.claims[intent.local_id] for intent in intents)
    if is_person(work, intents[0]):
        results = write_persons(work, intents)
        crash.point("written")
        settle_results(work, list(zip(intents, results, strict=True)))
        return
    sobject = intents[0].sobject
    operation = WriteOperation(intents[0].operation)
    key_field = EXTERNAL_ID if operation is WriteOperation.UPSERT else ""
    bodies = [_body(work, intent) for intent in intents]
    results = list(
        work.gateway.write(
            sobject,
            operation,
            bodies,
            key_field=key_field,
            allow_duplicates=work.settings.save_duplicates,
            assignment_rule=_assignment_rule(work, intents[0]),
        )
    )
    crash.point("written")
    settle_results(work, list(zip(intents, results, strict=True)))


def _body(work: Round, intent: WriteIntent) -> dict[str, Any]:
    body: dict[str, Any] = body_of(work.schemas[intent.sobject], intent.values)
    return {"Id": intent.remote_id, **body} if intent.remote_id else body


def write_if_unchanged(work: Round, intent: WriteIntent) -> bool:
    """Write one row only if it is as it was read; False where it has changed and must be judged again."""
    assert intent.seen_stamp is not None
    crash.point("intended")
    body = body_of(work.schemas[intent.sobject], intent.values)
    result = work.gateway.write_if_unchanged(
        intent.sobject,
        intent.remote_id,
        intent.seen_stamp,
        body,
        allow_duplicates=work.settings.save_duplicates,
    )
    crash.point("written")
    if isinstance(result, Changed):
        with tenant_transaction(work.hold.tenant_id):
            work.hold.check()
            _close([intent], "abandoned")
        return False
    settle_results(work, [(intent, result)])
    return True


def settle_results(work: Round, results: Sequence[tuple[WriteIntent, WriteResult]]) -> None:
    """Per row: link, baseline and entry on success, the error and its plan on failure; in one transaction."""
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        results = _surviving(work, results)
        written = [(intent, result) for intent, result in results if result.is_success]
        for intent, result in results:
            if not result.is_success:
                _refused(work, intent, result)
        _settle_updates(work, [intent for intent, _ in written if intent.remote_id])
        for intent, result in written:
            if not intent.remote_id:
                _settle_creation(work, intent, result)
        _close([intent for intent, _ in written], "written")
        intents = [intent for intent, _ in written]
        insert_entries([_entry(work, intent, result) for intent, result in written])
        work.written |= {intent.local_id for intent in intents}


def _surviving(
    work: Round, results: Sequence[tuple[WriteIntent, WriteResult]]
) -> Sequence[tuple[WriteIntent, WriteResult]]:
    """Without those of people who were erased while the write was on its way: nothing of them is noted, and a row
    that was just made of one is not taken in again."""
    if work.local_type != "person":
        return results
    active_marker()  # from here on an erasure waits for us
    intents = [intent for intent, _ in results]
    kept = set(WriteIntent.objects.filter(id__in=[intent.pk for intent in intents]).values_list("id", flat=True))
    for intent, result in results:
        if intent.pk not in kept:
            work.done.add(intent.local_id)
            erasure = Erasure.objects.filter(person_id=intent.local_id, lifted_at__isnull=True).first()
            if erasure is not None and result.remote_id:
                add_tombstones(erasure=erasure, identifiers=[result.remote_id])
    return [(intent, result) for intent, result in results if intent.pk in kept]


def settle_written(work: Round) -> None:
    """Changes of which everything has arrived are done with; a record may have several rows, and one that was refused
    keeps its change waiting."""
    claims = [claim for claim in work.open_claims if claim.local_id in work.written]
    if not claims:
        return
    ids = [claim.local_id for claim in claims]
    with tenant_transaction(work.hold.tenant_id):
        work.hold.check()
        settle(claims)
        resolve_record_errors(local_type=work.local_type, local_ids=ids, at=timezone.now())
    crash.point("settled")
    work.done |= set(ids)


def _close(intents: Sequence[WriteIntent], outcome: str) -> None:
    WriteIntent.objects.filter(id__in=[intent.pk for intent in intents], closed_at__isnull=True).update(
        closed_at=timezone.now(), outcome=outcome
    )


def _refused(work: Round, intent: WriteIntent, result: WriteResult) -> None:
    _close([intent], "refused")
    claim = work.claims[intent.local_id]
    if result.failures[0].category in NEWS and intent.remote_id and claim.attempts <= 2:
        # News about the row, not a failure of the write: the next round reads it again and follows what happened.
        give_back([claim], due_at=timezone.now() + _AGAIN, reason=result.failures[0].message, counts=True)
        work.done.add(claim.local_id)
        return
    if result.failures[0].category is Category.FIELD_GONE and claim.attempts == 1:
        # The describe is older than the org's rights: once it is read again, the other fields go without this one.
        give_back([claim], reason=result.failures[0].message, counts=True)
        work.done.add(claim.local_id)
        work.broken = result.failures[0]
        return
    refuse(work, claim, result.failures, sobject=intent.sobject, remote_id=intent.remote_id)


def _settle_updates(work: Round, intents: Sequence[WriteIntent]) -> None:
    """Baselines follow what was written; where a newer row was applied meanwhile, that one has judged it already."""
    rows = RecordLink.objects.select_for_update().filter(
        connection_id=work.connection.pk, remote_id__in=[intent.remote_id for intent in intents]
    )
    links = {link.remote_id: link for link in rows.order_by("remote_id")}
    layouts = {
        layout.pk: layout.keys
        for layout in BaselineLayout.objects.filter(id__in={link.layout_id for link in links.values()})
    }
    now = timezone.now()
    work.updated += len(intents)
    changed = []
    for intent in intents:
        link = links.get(intent.remote_id)
        if link is None:
            continue
        link.pushed_at = now
        known = link.remote_stamp
        if work.read_at is not None:
            link.remote_stamp = stamp_after_write(seen=intent.seen_stamp, read_at=work.read_at, known=known)
        rules = _rules(work, intent.sobject, intent.after)
        if rules:
            base = unpack(rules, layouts.get(link.layout_id or 0, []), link.base_remote, link.base_local)
            after = {key: (pair[0], pair[1]) for key, pair in intent.after.items()}
            settled = base_after_write(base, after, seen=intent.seen_stamp, known=known)
            link.base_remote, link.base_local = pack(rules, {rule.key: settled.of(rule.key) for rule in rules})
            link.layout_id = work.layout_of(rules)
        if intent.opted_out is not None:
            link.opted_out = intent.opted_out
        link.notes = _notes(link, intent)
        changed.append(link)
    update_links(changed, RECORD_COLUMNS[work.local_type])


def _notes(link: RecordLink, intent: WriteIntent) -> dict[str, Any] | None:
    notes = dict(link.notes or {})
    if intent.set_again:
        notes["set_again"] = True
    if intent.flips:
        known = notes.get("flips") or {}
        notes["flips"] = {**known, **{key: known.get(key, 0) + 1 for key in intent.flips}}
    return notes or None


def _rules(work: Round, sobject: str, after: Mapping[str, Any]) -> tuple[Any, ...]:
    """The rules of the step under which the row was judged: the first that knows all the written fields."""
    if not after:
        return ()
    steps = [step for step in steps_of(work.run) if step.sobject == sobject]
    return next((step.rules for step in steps if set(after) <= {rule.key for rule in step.rules}), ())


def _settle_creation(work: Round, intent: WriteIntent, result: WriteResult) -> None:
    """A new row: its record is linked with it, and what was sent is what both sides hold."""
    now = timezone.now()
    rules = _rules(work, intent.sobject, intent.after)
    after = {key: (pair[0], pair[1]) for key, pair in intent.after.items()}
    remote, local = pack(rules, after)
    is_first = not RecordLink.objects.filter(
        connection_id=work.connection.pk, is_live=True, **{RECORD_COLUMNS[work.local_type]: intent.local_id}
    ).exists()
    RecordLink.objects.update_or_create(
        connection_id=work.connection.pk,
        remote_id=result.remote_id,
        defaults={
            "sobject": intent.sobject,
            RECORD_COLUMNS[work.local_type]: intent.local_id,
            "is_leading": is_first,
            "is_live": True,
            "layout_id": work.layout_of(rules),
            "base_remote": remote,
            "base_local": local,
            "local_version": intent.local_version,
            "pushed_at": now,
            "opted_out": intent.values.get(OPT_OUT) == "true",
            "created_run_id": work.run.pk,
            "created_at": now,
        },
    )
    if is_first:
        MODELS[work.local_type]._default_manager.filter(id=intent.local_id).update(
            leading_sobject=intent.sobject, leading_remote_id=result.remote_id
        )
    work.created += 1


def _entry(work: Round, intent: WriteIntent, result: WriteResult) -> RunEntry:
    is_new = not intent.remote_id
    return RunEntry(
        run_id=work.run.pk,
        sobject=intent.sobject,
        remote_id=result.remote_id or intent.remote_id,
        local_type=work.local_type,
        local_id=intent.local_id,
        action=EntryAction.CREATED if is_new else EntryAction.WRITTEN,
        way="out",
        reason=intent.cause,
        changes=intent.changes or None,
        at=timezone.now(),
    )
