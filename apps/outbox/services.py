"""What a person does to waiting changes: cancel them, or release those that are held."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from apps.core.queue import wake
from apps.outbox.models import OutboundChange
from apps.outbox.queue import PUSH_TASK, ring
from apps.outbox.selectors import ChangeState
from apps.tenants.actors import Actor
from apps.tenants.audit import audit
from apps.tenants.scope import current_tenant_id

CONSENT = "email_opt_out"
"""The field that is never cancelled: what somebody said about being mailed is told to Salesforce."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of changes that were to be cancelled: gone, left with the opt-out alone, or on their way already."""

    cancelled: int
    kept_consent: int
    in_flight: int


def cancel_changes(*, ids: Sequence[int], user: Actor | None) -> Cancelled:
    """Take changes out of the queue; the records keep what they hold. One that is on its way is not stopped, and an
    opt-out or opt-in among the fields goes on waiting alone."""
    chosen = list(OutboundChange.objects.select_for_update().filter(id__in=ids).order_by("id"))
    rows = [row for row in chosen if row.state != ChangeState.IN_FLIGHT]
    named = [_named(row) for row in rows if row.fields.keys() != {CONSENT}]
    kept = [row for row in rows if CONSENT in row.fields]
    OutboundChange.objects.filter(id__in=[row.pk for row in rows if CONSENT not in row.fields]).delete()
    for row in kept:
        row.fields = {CONSENT: row.fields[CONSENT]}
        row.save(update_fields=["fields"])
    if named:
        facts = {"changes": "; ".join(named[:_MOST_NAMED])}
        audit(actor=user, action="changes_cancelled", subject=_counted(len(named)), before=facts)
    return Cancelled(len(rows) - len(kept), len(kept), len(chosen) - len(rows))


def release_changes(*, ids: Sequence[int], user: Actor | None) -> int:
    """Have held changes tried again now; answers how many were held."""
    rows: QuerySet[OutboundChange] = OutboundChange.objects.filter(id__in=ids, state=ChangeState.HELD)
    named = [_named(row) for row in rows.order_by("id")[:_MOST_NAMED]]
    now = timezone.now()
    released = rows.update(state=ChangeState.WAITING, reason="", attempts=0, due_at=now)
    if released:
        audit(actor=user, action="changes_released", subject=_counted(released), after={"changes": "; ".join(named)})
        ring(at=now)
        wake(PUSH_TASK, current_tenant_id(), queue="routine")
    return released


def _named(row: OutboundChange) -> str:
    return f"{row.local_type} {row.local_id}: {', '.join(sorted(row.fields))}"


def _counted(count: int) -> str:
    return "1 waiting change" if count == 1 else f"{count:,} waiting changes"
