"""A connection's health in the words a user sees: Healthy, Delayed, Paused, Needs you.

Each function writes in the open transaction, only where something changes: ``health_since`` stays while the state
stays, and a change of state or cause becomes one ``HealthChange`` row. A connection that has to be renewed stays
"Needs you" whatever calls still succeed: only Reconnect ends that.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.queue import wake
from apps.domain.budget import PROBE_EVERY
from apps.domain.failures import AuthorizationLost, Category, Failure, NotPermitted, Transient
from apps.integrations.models import Connection, ConnectionState, Health, HealthCause, HealthChange
from apps.notifications.services import NoticeKind, notify
from apps.notifications.webhooks.emitting import WebhookEvent, emit

PROBE_TASK = "apps.integrations.tasks.probe"
_FIELDS = [
    "health",
    "health_cause",
    "health_reason",
    "health_since",
    "health_seen_at",
    "resumes_at",
    "probe_due_at",
]
_MAINTENANCE = "Salesforce maintenance: your org can be read, not changed. Changes wait here."
_FIRST_LOOK = timedelta(seconds=30)
_FORGOTTEN_AFTER = 2 * PROBE_EVERY
_FADING = frozenset({HealthCause.MAINTENANCE.value, HealthCause.GRANT.value, HealthCause.RIGHTS.value})
_PROBED = frozenset({HealthCause.ORG_LIMIT.value, HealthCause.SHARE.value})


class Proof(StrEnum):
    """What showed that all is well."""

    READ = "read"
    """A call succeeded."""
    WRITE = "write"
    """Salesforce took a record."""
    BUDGET = "budget"
    """There are calls left again, for us and in the org."""
    PERSON = "person"
    """Somebody did what was asked for."""


_ENDS: dict[Proof, frozenset[str]] = {
    Proof.READ: frozenset({"", HealthCause.OUTAGE, HealthCause.LOAD}),
    Proof.WRITE: frozenset({"", HealthCause.OUTAGE, HealthCause.LOAD, HealthCause.MAINTENANCE}),
    Proof.BUDGET: frozenset({HealthCause.ORG_LIMIT, HealthCause.SHARE}),
    Proof.PERSON: frozenset(HealthCause),
}


def delayed(
    *,
    connection_id: int,
    reason: str,
    resumes_at: datetime | None = None,
    cause: HealthCause = HealthCause.OUTAGE,
) -> None:
    """It goes on by itself, soon. A pause is more than a delay and stays."""
    _set(connection_id, Health.DELAYED, cause, reason, resumes_at)


def paused(
    *,
    connection_id: int,
    reason: str,
    resumes_at: datetime | None = None,
    cause: HealthCause = HealthCause.OTHER,
) -> None:
    """It goes on by itself at ``resumes_at``, or once the org answers a probe, asked every fifteen minutes."""
    _set(connection_id, Health.PAUSED, cause, reason, resumes_at)


def needs_you(*, connection_id: int, reason: str, cause: HealthCause = HealthCause.OTHER) -> None:
    """Only a person can help; the recipients are told once."""
    _set(connection_id, Health.NEEDS_YOU, cause, reason, None)


def healthy(*, connection_id: int, proof: Proof = Proof.READ) -> None:
    """All is well again, as far as this proof goes: a read ends no pause, a write not one for the budget, and only a
    person ends "Needs you". A refusal that nothing has confirmed for half an hour is forgotten at the next success."""
    if not Connection.objects.filter(id=connection_id).exclude(health=Health.HEALTHY).exists():
        return
    row = Connection.objects.select_for_update().get(id=connection_id)
    if row.health == Health.HEALTHY or not _is_ended(row, proof):
        return
    before = row.health
    row.health, row.health_cause, row.health_reason = Health.HEALTHY, "", ""
    row.health_since = row.health_seen_at = row.resumes_at = row.probe_due_at = None
    _note(row, before)


def note_failure(*, connection_id: int, failure: Failure) -> datetime | None:
    """What a failed call says of the connection; answers when the org is best asked again, None where that is up to
    the caller. A failure that concerns one mapping or one record says nothing."""
    now = timezone.now()
    words = failure.message
    if isinstance(failure, AuthorizationLost):
        needs_you(connection_id=connection_id, reason=words, cause=HealthCause.GRANT)
        return None
    if isinstance(failure, NotPermitted):
        needs_you(connection_id=connection_id, reason=words, cause=HealthCause.RIGHTS)
        return None
    if failure.category is Category.REQUEST_LIMIT:
        again = now + PROBE_EVERY
        reason = "Salesforce accepts no more API calls today: your org has used up its daily allowance."
        paused(connection_id=connection_id, reason=reason, resumes_at=again, cause=HealthCause.ORG_LIMIT)
        return again
    if failure.category is Category.MAINTENANCE:
        again = now + max(PROBE_EVERY, timedelta(seconds=failure.retry_after or 0))
        paused(connection_id=connection_id, reason=_MAINTENANCE, resumes_at=again, cause=HealthCause.MAINTENANCE)
        return again
    if isinstance(failure, Transient) and failure.category in {Category.UNAVAILABLE, Category.CONCURRENT_LIMIT}:
        is_load = failure.category is Category.CONCURRENT_LIMIT
        soon = now + max(_FIRST_LOOK, timedelta(seconds=failure.retry_after or 0))
        cause = HealthCause.LOAD if is_load else HealthCause.OUTAGE
        delayed(connection_id=connection_id, reason=words, resumes_at=soon, cause=cause)
    return None


def note_refusal(*, connection_id: int, category: Category) -> None:
    """What the refusal of one record says of the connection: only that the org is read-only for a while."""
    if category is not Category.MAINTENANCE:
        return
    now = timezone.now()
    lately = Connection.objects.filter(id=connection_id, health_cause=HealthCause.MAINTENANCE)
    if lately.filter(health_seen_at__gt=now - _FIRST_LOOK).exists():
        return
    again = now + PROBE_EVERY
    paused(connection_id=connection_id, reason=_MAINTENANCE, resumes_at=again, cause=HealthCause.MAINTENANCE)


def wake_due_probes() -> int:
    """Call for a probe of each paused connection whose time has come; the dispatcher's part."""
    with dispatcher_transaction():
        due = Connection._base_manager.filter(
            state=ConnectionState.CONNECTED, probe_due_at__lte=timezone.now()
        ).order_by("probe_due_at")
        found = list(due.values_list("tenant_id", "id")[:200])
        for tenant_id, connection_id in found:
            wake(PROBE_TASK, tenant_id, connection_id, queue="routine")
    return len(found)


def _is_ended(row: Connection, proof: Proof) -> bool:
    if row.state == ConnectionState.NEEDS_RECONNECT:
        return False
    if row.health_cause in _ENDS[proof]:
        return True
    # A call that succeeds may have needed less than the one that was refused: only time tells then.
    is_forgotten = row.health_seen_at is None or row.health_seen_at + _FORGOTTEN_AFTER < timezone.now()
    return row.health_cause in _FADING and is_forgotten


def _set(connection_id: int, health: Health, cause: HealthCause, reason: str, resumes_at: datetime | None) -> None:
    row = Connection.objects.select_for_update().get(id=connection_id)
    if not row.is_usable or _outranks(row, health, cause):
        return
    before, cause_before = row.health, row.health_cause
    now = timezone.now()
    row.health, row.health_cause, row.health_reason = health.value, cause.value, reason
    row.resumes_at, row.probe_due_at = resumes_at, resumes_at if cause in _PROBED else None
    row.health_since, row.health_seen_at = (row.health_since if before == row.health else now), now
    if (before, cause_before) == (row.health, row.health_cause):
        row.save(update_fields=_FIELDS)
    else:
        _note(row, before)


def _outranks(row: Connection, health: Health, cause: HealthCause) -> bool:
    """What is worse stays until it is ended, or eases by itself: a timeout does not make a pause a delay."""
    if row.health_cause == cause:
        return False
    order = [Health.HEALTHY.value, Health.DELAYED.value, Health.PAUSED.value, Health.NEEDS_YOU.value]
    return order.index(row.health) > order.index(health.value)


def _note(row: Connection, before: str) -> None:
    """Save the row with its history; tell once that somebody is needed."""
    row.save(update_fields=_FIELDS)
    change = HealthChange.objects.create(
        connection=row,
        before=before,
        health=row.health,
        cause=row.health_cause,
        reason=row.health_reason,
        resumes_at=row.resumes_at,
    )
    _announce(row, before, change.pk)
    if row.health == Health.NEEDS_YOU and before != Health.NEEDS_YOU:
        notify(
            kind=NoticeKind.NEEDS_YOU,
            subject=f"Salesforce needs you: {row}",
            facts={"Why": row.health_reason, "Org": str(row)},
            path="/integrations/salesforce/",
        )


def _announce(row: Connection, before: str, number: int) -> None:
    """Tell webhooks of a state that somebody waits for: needs you, paused, healthy again. A delay passes by itself,
    and a change of cause within a state is no news."""
    stopped = {Health.NEEDS_YOU.value, Health.PAUSED.value}
    is_over = row.health == Health.HEALTHY and before in stopped
    if row.health == before or not (row.health in stopped or is_over):
        return
    words = {Health.NEEDS_YOU.value: "needs you", Health.PAUSED.value: "is paused", Health.HEALTHY.value: "is healthy"}
    again = " again" if is_over else ""
    payload = {
        "title": f"Salesforce {words[row.health]}{again}: {row}",
        "text": row.health_reason,
        "org": str(row),
        "before": before,
        "health": row.health,
        "cause": row.health_cause,
        "resumes_at": row.resumes_at.isoformat() if row.resumes_at else None,
        "path": "/integrations/salesforce/",
    }
    emit(WebhookEvent.HEALTH_CHANGED, payload, key=f"health:{number}")
