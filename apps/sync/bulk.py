"""Doing one thing with many records: chosen ones, or all that match a list page's filters, in chunks by a worker."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, Max, QuerySet
from django.utils import timezone

from apps.audience.models import Company, List, Person, Record
from apps.audience.selectors.companies import CompanyFilter, companies
from apps.audience.selectors.people import PeopleFilter, people
from apps.audience.selectors.saved_filters import Sieve
from apps.audience.services.companies import deactivate_company
from apps.audience.services.lists import add_to_list
from apps.audience.services.people import deactivate_person
from apps.audience.services.values import fields_of, value_of
from apps.core.leases import claim_due, lock_held, wake_due
from apps.core.queue import wake
from apps.outbox.queue import queue_changes
from apps.sync.drafts import LEADING_ROW
from apps.sync.models import BulkAction, BulkKind, BulkState
from apps.tenants.audit import audit
from apps.tenants.models import User
from apps.tenants.scope import current_tenant_id, tenant_transaction

TASK = "apps.sync.tasks.bulk"
PUSH_AT_ONCE = "apps.sync.tasks.push_with_sync"
MOST_CHOSEN = 1_000
_MOST_IDS = 20_000
_ROWS = 500
_LOOKED_AT = 5_000
_CHUNK_SECONDS = 5.0
_LEASE = timedelta(seconds=60)
_MODELS: dict[str, type[Person] | type[Company]] = {"person": Person, "company": Company}
_MANY = {"person": "people", "company": "companies"}
_DEEDS = {
    BulkKind.PUSH: "pushed to Salesforce",
    BulkKind.SYNC: "synced now",
    BulkKind.DEACTIVATE: "deactivated",
    BulkKind.ADD_TO_LIST: "added to a list",
}


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which records an action is about: ``ids`` or all that ``wanted`` admits, as far as a saved filter's ``tree``
    admits them, too."""

    record_type: str
    ids: Sequence[int] = ()
    wanted: PeopleFilter | CompanyFilter | None = None
    tree: Mapping[str, Any] | None = None

    def stored(self) -> dict[str, Any]:
        """Plain data for the row."""
        if self.wanted is None:
            return {"ids": sorted(set(self.ids))[:_MOST_IDS], "tree": self.tree}
        return {"filter": asdict(self.wanted), "tree": self.tree}


def start_bulk(*, kind: BulkKind, criteria: Criteria, user: User, list_id: int | None = None) -> BulkAction:
    """Queue an action; records that arrive after this moment are not among those it is about."""
    last: int = _MODELS[criteria.record_type]._default_manager.aggregate(last=Max("id"))["last"] or 0
    action: BulkAction = BulkAction.objects.create(
        kind=kind,
        record_type=criteria.record_type,
        criteria=criteria.stored(),
        list_id=list_id,
        requested_by_id=user.pk,
        requested_by_label=user.display_name,
        until_id=last,
        due_at=timezone.now(),
    )
    audit(
        actor=user,
        action=f"bulk_{kind.value}",
        subject=f"Many {_MANY[criteria.record_type]} {_DEEDS[kind]}",
        after={"which": criteria.stored(), "list": list_id},
    )
    wake(TASK, current_tenant_id(), action.pk, queue="routine")
    return action


def cancel_bulk(*, action: BulkAction, user: User) -> bool:
    """Stop an action between two chunks; what it has done stays. False where it was over."""
    stopped = BulkAction.objects.filter(id=action.pk, due_at__isnull=False).update(
        state=BulkState.CANCELLED, due_at=None, lease_until=None, fence=F("fence") + 1, finished_at=timezone.now()
    )
    if stopped:
        audit(actor=user, action="bulk_cancelled", subject=f"Action {action.pk} on many records")
    return bool(stopped)


def wake_due_bulk() -> int:
    """Call workers to actions that wait or whose worker died; the dispatcher's part."""
    return wake_due(BulkAction._base_manager.all(), TASK, queue="routine")


def advance_bulk(tenant_id: int, action_id: int) -> None:
    """Work at an action for a few seconds; harmless when it is over or somebody else's."""
    fence = _claim(tenant_id, action_id)
    until = time.monotonic() + _CHUNK_SECONDS
    while fence is not None:
        with tenant_transaction(tenant_id):
            row = lock_held(BulkAction.objects.filter(id=action_id), fence)
            if row is None or not row.is_open:
                return
            is_over = _chunk(row)
            is_pause = not is_over and time.monotonic() > until
            row.state = BulkState.DONE if is_over else BulkState.RUNNING
            row.lease_until = None if is_over or is_pause else timezone.now() + _LEASE
            if is_over:
                row.finished_at, row.due_at = timezone.now(), None
            row.save()
            if is_pause:
                wake(TASK, tenant_id, action_id, queue="routine")
        if is_over or is_pause:
            return


def _claim(tenant_id: int, action_id: int) -> int | None:
    """Take an action in hand; its fencing number, or None where there is nothing to take."""
    with tenant_transaction(tenant_id):
        row: BulkAction | None = claim_due(BulkAction.objects.filter(id=action_id), _LEASE)
    return None if row is None else row.fence


def _chunk(action: BulkAction) -> bool:
    """Do the next records, in the open transaction; True when there are no more."""
    ids, is_over = _next_ids(action)
    if ids:
        rows = list(_MODELS[action.record_type]._default_manager.filter(id__in=ids).order_by("id"))
        done = _DOERS[BulkKind(action.kind)](action, rows)
        action.done += done
        action.unchanged += len(ids) - done
    return is_over


def _next_ids(action: BulkAction) -> tuple[list[int], bool]:
    rows = _rows_of(action).filter(id__gt=action.cursor_id, id__lte=action.until_id)
    sieve = Sieve(action.record_type, action.criteria.get("tree"))
    ids: list[int] = []
    ahead = list(sieve.lean(rows).order_by("id")[:_LOOKED_AT])
    for row in ahead:
        action.cursor_id = row.pk
        action.looked_at += 1
        if sieve.admits(row):
            ids.append(row.pk)
            if len(ids) == _ROWS:
                return ids, False
    return ids, len(ahead) < _LOOKED_AT


def _rows_of(action: BulkAction) -> "QuerySet[Any]":
    criteria = action.criteria
    if "ids" in criteria:
        return _MODELS[action.record_type]._default_manager.filter(id__in=criteria["ids"])
    if action.record_type == "person":
        return people(PeopleFilter(**criteria["filter"]))
    return companies(CompanyFilter(**criteria["filter"]))


# -- what is done ---------------------------------------------------------------------------------------------


def _push(action: BulkAction, rows: Sequence[Record]) -> int:
    """Everything that the records hold is queued, as if it had been typed now."""
    known = fields_of(action.record_type)
    filled = {row.pk: _filled(known, row) for row in rows if row.is_active}
    return _queue(action, filled, origin="user")


def _sync(action: BulkAction, rows: Sequence[Record]) -> int:
    """Linked records are read and judged both ways; those that are not in Salesforce yet are queued whole."""
    known = fields_of(action.record_type)
    fields = {row.pk: [LEADING_ROW] if row.is_linked else _filled(known, row) for row in rows}
    count = _queue(action, fields, origin="sync_now")
    wake(PUSH_AT_ONCE, current_tenant_id(), queue="routine")
    return count


def _filled(known: Mapping[str, Any], row: Record) -> list[str]:
    return [name for name, target in known.items() if value_of(row, target) not in ("", None)]


def _queue(action: BulkAction, fields: Mapping[int, Sequence[str]], *, origin: str) -> int:
    changes = {record_id: list(names) for record_id, names in fields.items() if names}
    queue_changes(local_type=action.record_type, changes=changes, origin=origin, at=timezone.now())
    return len(changes)


def _deactivate(action: BulkAction, rows: Sequence[Record]) -> int:
    user = User.objects.filter(pk=action.requested_by_id or 0).first()
    active = [row for row in rows if row.is_active]
    for row in active:
        if isinstance(row, Person):
            deactivate_person(person=row, user=user)
        elif isinstance(row, Company):
            deactivate_company(company=row, user=user)
    return len(active)


def _add_to_list(action: BulkAction, rows: Sequence[Record]) -> int:
    to = List.objects.filter(id=action.list_id).first()
    if to is None:
        return 0
    user = User.objects.filter(pk=action.requested_by_id or 0).first()
    return add_to_list(people=[row.pk for row in rows], to=to, origin="user", user=user)


_DOERS: dict[BulkKind, Callable[[BulkAction, Sequence[Record]], int]] = {
    BulkKind.PUSH: _push,
    BulkKind.SYNC: _sync,
    BulkKind.DEACTIVATE: _deactivate,
    BulkKind.ADD_TO_LIST: _add_to_list,
}
