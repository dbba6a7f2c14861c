"""Claims: taking waiting changes in hand, and what becomes of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min, Q
from django.utils import timezone

from apps.domain.pushing import is_settled
from apps.outbox.models import OutboundChange, OutboxDue
from apps.outbox.queue import ring

HELD_FOR = timedelta(seconds=30)
"""A claim whose worker died is free again after this time."""
CAREFUL_AFTER = 3
"""A change that was claimed so often without being settled is claimed alone: it may be what stops the others."""
GIVEN_UP_AFTER = 6
LOCKED = "row_locked"
"""Reason of a change that met a locked row."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A change in hand, as it was when claimed."""

    id: int
    local_type: str
    local_id: int
    fields: dict[str, dict[str, Any]]
    generation: int
    attempts: int
    reason: str

    @property
    def is_locked(self) -> bool:
        """Whether it met a locked row: it is written again with few others."""
        return self.reason == LOCKED

    @property
    def cause(self) -> str:
        """What asked for the write: a user's change, or the sync's own decision."""
        return "user_write" if any(fact["origin"] != "reconcile" for fact in self.fields.values()) else "reconcile"


def claim_changes(*, limit: int, record: tuple[str, int] | None = None, only: str | None = None) -> list[Claimed]:
    """Take due changes of one record type, oldest first, in the open transaction; or those of one record, due or
    not; or ``only`` those of one field. A change that failed again and again comes alone."""
    now = timezone.now()
    free = Q(state="waiting") | Q(state="in_flight", lease_until__lt=now)
    rows = OutboundChange.objects.select_for_update(skip_locked=True).filter(free)
    if record is not None:
        rows = rows.filter(local_type=record[0], local_id=record[1])
    else:
        rows = rows.filter(due_at__lte=now).order_by("due_at", "id")
    if only is not None:
        rows = rows.filter(fields__has_key=only)
    found = list(rows[:limit])
    if not found:
        return []
    careful = next((row for row in found if row.attempts >= CAREFUL_AFTER), None)
    chosen = [careful] if careful is not None else [row for row in found if row.local_type == found[0].local_type]
    OutboundChange.objects.filter(id__in=[row.pk for row in chosen]).update(
        state="in_flight", lease_until=now + HELD_FOR, attempts=F("attempts") + 1
    )
    return [
        Claimed(row.pk, row.local_type, row.local_id, row.fields, row.generation, row.attempts + 1, row.reason)
        for row in chosen
    ]


def renew(claims: Iterable[Claimed]) -> None:
    """Keep claims in hand for another while."""
    ids = [claim.id for claim in claims]
    OutboundChange.objects.filter(id__in=ids, state="in_flight").update(lease_until=timezone.now() + HELD_FOR)


def settle(claims: Sequence[Claimed]) -> None:
    """The changes are done with; those that were folded into meanwhile go on waiting."""
    now = timezone.now()
    present = dict(
        OutboundChange.objects.select_for_update()
        .filter(id__in=[claim.id for claim in claims])
        .values_list("id", "generation")
    )
    done = [c.id for c in claims if c.id in present and is_settled(claimed=c.generation, present=present[c.id])]
    moved = [claim.id for claim in claims if claim.id in present and claim.id not in set(done)]
    OutboundChange.objects.filter(id__in=done).delete()
    if moved:
        OutboundChange.objects.filter(id__in=moved).update(
            state="waiting", lease_until=None, due_at=now, attempts=0, reason=""
        )
        ring(at=now)


def give_back(
    claims: Iterable[Claimed], *, due_at: datetime | None = None, reason: str = "", counts: bool = False
) -> None:
    """The changes wait again, to be tried at ``due_at``; unless it ``counts``, this was no attempt."""
    at = due_at or timezone.now()
    ids = [claim.id for claim in claims]
    if ids:
        OutboundChange.objects.filter(id__in=ids, state="in_flight").update(
            state="waiting", lease_until=None, due_at=at, reason=reason, attempts=F("attempts") - (0 if counts else 1)
        )
        ring(at=at)


def hold_back(claim: Claimed, reason: str) -> None:
    """The change is held until the record changes again or a person releases it."""
    OutboundChange.objects.filter(id=claim.id, generation=claim.generation).update(
        state="held", lease_until=None, reason=reason, attempts=0
    )
    OutboundChange.objects.filter(id=claim.id, state="in_flight").update(state="waiting", lease_until=None)


def next_due() -> datetime | None:
    """When the next waiting change is due."""
    found: datetime | None = OutboundChange.objects.filter(state__in=["waiting", "in_flight"]).aggregate(
        at=Min("due_at")
    )["at"]
    return found


def note_due(at: datetime | None) -> None:
    """Have the tenant's changes looked at by ``at``; None: not by themselves."""
    OutboxDue.objects.all().update(due_at=at)
