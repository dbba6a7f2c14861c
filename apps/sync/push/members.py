"""Lists as Campaigns and people on them as their members, as they were changed here (B09).

A Campaign that is to be made is looked for by its name and maker where an earlier attempt was broken off. A membership
needs no journal: Salesforce keeps one for each person, and says so where there is one already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.audience.models import List, ListKind, ListMembership, OutState
from apps.core import crash
from apps.domain.failures import Category, Failure, Internal, RowFailure, Transient
from apps.domain.ports import WriteOperation, WriteResult
from apps.domain.retry import next_attempt
from apps.integrations.soql import find_text
from apps.sync.models import EntryAction
from apps.sync.push.campaigns import make_campaigns
from apps.sync.push.errands import ORG_WIDE, Errand, Fate, close_errors, note_failures, write_down
from apps.sync.push.standing import people_in_salesforce
from apps.sync_settings.models import SyncSettings
from apps.tenants.scope import tenant_transaction

MEMBER, LABEL = "CampaignMember", "Campaign members"
AT_ONCE = 1_000
_PER_CALL = 200
_PART = 100
_LOOK_AGAIN = timedelta(hours=6)
_WHEN_ORG_CHANGES = timedelta(hours=1)
_GONE = frozenset({Category.RECORD_DELETED})
_NOBODY = "The person has no lead or contact in Salesforce yet."


@dataclass
class _Round:
    """Memberships on their way, and who stands for each person in Salesforce: (sObject, id)."""

    errand: Errand
    rows: dict[int, ListMembership]
    who: dict[int, tuple[str, str]] = field(default_factory=dict)


def are_told(settings: SyncSettings) -> bool:
    """Whether lists and members are told to Salesforce at all (B03, B09)."""
    return settings.sync_members and not settings.group_edition


def next_member_due() -> datetime | None:
    """When the next list or membership is to be told."""
    lists = List.objects.filter(kind=ListKind.CAMPAIGN, remote_id="", out_state=OutState.WAITING)
    moments = [
        rows.aggregate(at=Min(Coalesce("out_due_at", "updated_at")))["at"]
        for rows in (lists, ListMembership.objects.filter(out_state=OutState.WAITING).exclude(list__remote_id=""))
    ]
    return min((at for at in moments if at is not None), default=None)


def tell_members(errand: Errand) -> bool:
    """Tell the next lists and memberships; False where none is due."""
    if make_campaigns(errand):
        return True
    work = _begin(errand)
    if work is None:
        return False
    crash.point("members_taken")
    _find_who(work)
    rows = list(work.rows.values())
    gone = [row for row in rows if not row.is_active and row.remote_id]
    known = [row for row in rows if row.is_active and row.remote_id]
    fresh = [row for row in rows if row.is_active and not row.remote_id and row.pk in work.who]
    _finish(work, [row for row in rows if not row.is_active and not row.remote_id], [])
    _each(work, gone, _remove)
    _each(work, known, _change)
    _each(work, fresh, _add)
    return True


def _begin(errand: Errand) -> _Round | None:
    now = timezone.now()
    with tenant_transaction(errand.hold.tenant_id):
        errand.hold.check()
        schema = errand.schema(MEMBER)
        if schema is None:
            waiting = ListMembership.objects.filter(out_state=OutState.WAITING)
            waiting.update(out_due_at=now + _LOOK_AGAIN, out_note="This org shows no Campaigns.")
            return None
        is_due = Q(out_due_at__isnull=True) | Q(out_due_at__lte=now)
        due = ListMembership.objects.filter(is_due, out_state=OutState.WAITING).exclude(list__remote_id="")
        rows = {row.pk: row for row in due.select_related("list").order_by("id")[:AT_ONCE]}
        if not rows:
            return None
        if not schema.createable:
            words = "The sync user may not add members to Campaigns."
            note_failures(errand, MEMBER, [RowFailure(Category.INSUFFICIENT_ACCESS, words)])
            _wait(list(rows), now + _WHEN_ORG_CHANGES, words)
            return None
    return _Round(errand, rows)


def _find_who(work: _Round) -> None:
    """Whom each new member is to be; one who is not in Salesforce yet is looked at again later."""
    fresh = {row.person_id: row.pk for row in work.rows.values() if row.is_active and not row.remote_id}
    found = people_in_salesforce(work.errand, set(fresh))
    work.who = {row.pk: found[row.person_id] for row in work.rows.values() if row.person_id in found}
    absent = [row.pk for row in work.rows.values() if row.person_id in fresh and row.person_id not in found]
    if absent:
        with tenant_transaction(work.errand.hold.tenant_id):
            work.errand.hold.check()
            _wait(absent, timezone.now() + _LOOK_AGAIN, _NOBODY)


def _wait(ids: Sequence[int], until: datetime, words: str) -> None:
    ListMembership.objects.filter(id__in=ids, out_state=OutState.WAITING).update(out_due_at=until, out_note=words)


def _each(
    work: _Round, rows: Sequence[ListMembership], write: Callable[[_Round, Sequence[ListMembership]], None]
) -> None:
    """Write rows by the call. Where a call fails for no reason that concerns all, the rest is halved until the row that
    fails is by itself."""
    for start in range(0, len(rows), _PER_CALL):
        _halved(work, rows[start : start + _PER_CALL], write)


def _halved(
    work: _Round, rows: Sequence[ListMembership], write: Callable[[_Round, Sequence[ListMembership]], None]
) -> None:
    try:
        write(work, rows)
    except (Transient, Internal) as failure:
        if not isinstance(failure, Internal) and failure.category is not Category.UNAVAILABLE:
            raise
        work.errand.gateway.limits()  # raises in an outage
        if len(rows) > 1:
            half = len(rows) // 2
            _halved(work, rows[:half], write)
            _halved(work, rows[half:], write)
            return
        _finish(work, [], [(rows[0], _failed(failure))])


def _failed(failure: Failure) -> RowFailure:
    words = f"Salesforce cannot take this member: {failure.message}"
    return RowFailure(failure.category, words, raw=failure.raw)


# -- add, change, remove --------------------------------------------------------------------------------------------


def _add(work: _Round, rows: Sequence[ListMembership]) -> None:
    bodies = []
    for row in rows:
        sobject, remote_id = work.who[row.pk]
        status = {"Status": row.status} if row.status else {}
        bodies.append({"CampaignId": row.list.remote_id, f"{sobject}Id": remote_id, **status})
    results = _write(work, WriteOperation.CREATE, bodies)
    there = [
        row
        for row, result in zip(rows, results, strict=True)
        if not result.is_success and result.failures[0].category is Category.DUPLICATE_VALUE
    ]
    found = _look(work, there)
    good: list[tuple[ListMembership, str, str]] = []
    bad: list[tuple[ListMembership, RowFailure]] = []
    for row, result in zip(rows, results, strict=True):
        if result.is_success:
            good.append((row, result.remote_id, row.status))
        elif row.pk in found:
            good.append((row, *found[row.pk]))
        else:
            bad.append((row, result.failures[0]))
    _settle_added(work, good)
    _finish(work, [], bad)


def _look(work: _Round, rows: Sequence[ListMembership]) -> dict[int, tuple[str, str]]:
    """Members that Salesforce has already: (id, status) by membership."""
    wanted = {(row.list.remote_id, work.who[row.pk]): row.pk for row in rows}
    found: dict[int, tuple[str, str]] = {}
    for sobject in sorted({sobject for _, (sobject, _) in wanted}):
        ids = sorted({remote_id for _, (kind, remote_id) in wanted if kind == sobject})
        for start in range(0, len(ids), _PART):
            fields = ["Id", "CampaignId", f"{sobject}Id", "Status"]
            text = find_text(MEMBER, fields, f"{sobject}Id", ids[start : start + _PART])
            for member in work.errand.gateway.query(text):
                pk = wanted.get((str(member["CampaignId"]), (sobject, str(member[f"{sobject}Id"]))))
                if pk is not None:
                    found[pk] = (str(member["Id"]), str(member.get("Status") or ""))
    return found


def _change(work: _Round, rows: Sequence[ListMembership]) -> None:
    told = [row for row in rows if row.status]
    _finish(work, [row for row in rows if not row.status], [])
    if told:
        results = _write(work, WriteOperation.UPDATE, [{"Id": r.remote_id, "Status": r.status} for r in told])
        _outcome(work, told, results, "member_status")


def _remove(work: _Round, rows: Sequence[ListMembership]) -> None:
    results = _write(work, WriteOperation.DELETE, [{"Id": row.remote_id} for row in rows])
    _outcome(work, rows, results, "member_removed")


def _write(work: _Round, operation: WriteOperation, bodies: Sequence[Mapping[str, Any]]) -> list[WriteResult]:
    crash.point("members_intended")
    results = list(work.errand.gateway.write(MEMBER, operation, bodies))
    crash.point("members_written")
    return results


# -- settle ---------------------------------------------------------------------------------------------------------


def _outcome(work: _Round, rows: Sequence[ListMembership], results: Sequence[WriteResult], reason: str) -> None:
    """One whom Salesforce has taken off meanwhile is off here, too."""
    done, bad = [], []
    for row, result in zip(rows, results, strict=True):
        if result.is_success or result.failures[0].category in _GONE:
            done.append(row)
        else:
            bad.append((row, result.failures[0]))
    gone = [
        row.pk for row, result in zip(rows, results, strict=True) if reason == "member_removed" or not result.is_success
    ]
    with tenant_transaction(work.errand.hold.tenant_id):
        work.errand.hold.check()
        ids = {row.pk for row in done}
        off = ListMembership.objects.filter(id__in=[pk for pk in gone if pk in ids])
        off.update(remote_id="", is_active=False if reason != "member_removed" else F("is_active"))
        fates = [Fate(MEMBER, row.remote_id, row.person_id, EntryAction.WRITTEN, reason) for row in done]
        _close(work, done, fates)
    _finish(work, [], bad)


def _settle_added(work: _Round, added: Sequence[tuple[ListMembership, str, str]]) -> None:
    """New members know their id. One that was there with another status than ours is told ours next."""
    with tenant_transaction(work.errand.hold.tenant_id):
        work.errand.hold.check()
        for row, remote_id, _ in added:
            ListMembership.objects.filter(id=row.pk).update(remote_id=remote_id)
        told = [row for row, _, status in added if not row.status or row.status == status]
        fates = [
            Fate(MEMBER, remote_id, row.person_id, EntryAction.CREATED, "member_added") for row, remote_id, _ in added
        ]
        _close(work, told, fates)


def _close(work: _Round, rows: Sequence[ListMembership], fates: Sequence[Fate]) -> None:
    """Memberships of which everything is told; one that was changed meanwhile goes on waiting."""
    for row in rows:
        present = ListMembership.objects.filter(id=row.pk, updated_at=row.updated_at, out_state=OutState.WAITING)
        present.update(out_state=OutState.NONE, out_note="", out_due_at=None)
    if fates:
        close_errors(work.errand, MEMBER)
        write_down(work.errand, MEMBER, LABEL, fates)


def _finish(work: _Round, rows: Sequence[ListMembership], refused: Sequence[tuple[ListMembership, RowFailure]]) -> None:
    """Close what needs no call, and write down refusals: those of one kind are one error."""
    if not rows and not refused:
        return
    now = timezone.now()
    with tenant_transaction(work.errand.hold.tenant_id):
        work.errand.hold.check()
        _close(work, rows, [])
        for row, failure in refused:
            again = next_attempt(failure.category, 1, now=now, jitter=0.5)
            again = now + _WHEN_ORG_CHANGES if failure.category in ORG_WIDE else again
            state = OutState.WAITING if again is not None else OutState.REFUSED
            present = ListMembership.objects.filter(id=row.pk, updated_at=row.updated_at)
            present.update(out_state=state, out_note=failure.message, out_due_at=again)
        if refused:
            note_failures(work.errand, MEMBER, [failure for _, failure in refused])
            fates = [Fate(MEMBER, r.remote_id, r.person_id, EntryAction.FAILED, f.category) for r, f in refused]
            write_down(work.errand, MEMBER, LABEL, fates)
