"""Work that one worker at a time has in hand: a row with ``due_at``, ``lease_until`` and ``fence``.

To claim a row moves its fence on and gives it a lease. Each effect locks the row by that fence, and renews the lease in
its own transaction: a worker that was thought dead and comes back finds no such row, and does nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.queue import wake


def is_free(now: datetime) -> Q:
    """Held by nobody, or by a worker that did not come back in time."""
    return Q(lease_until__isnull=True) | Q(lease_until__lt=now)


def lock_due(rows: "QuerySet[Any]", now: datetime) -> Any | None:
    """The first of ``rows`` that is due and free, locked in the open transaction. Nobody else's lock is waited for."""
    return rows.select_for_update(skip_locked=True).filter(is_free(now), due_at__lte=now).first()


def claim_due(rows: "QuerySet[Any]", lease: timedelta) -> Any | None:
    """Claim the first of ``rows`` that is due and free, in the open transaction; it comes with its new fence."""
    now = timezone.now()
    row = lock_due(rows, now)
    if row is not None:
        row.fence, row.lease_until = row.fence + 1, now + lease
        row.save(update_fields=["fence", "lease_until"])
    return row


def lock_held(rows: "QuerySet[Any]", fence: int) -> Any | None:
    """The row that was claimed with ``fence``, locked for an effect; None where another worker has claimed it since."""
    return rows.select_for_update().filter(fence=fence).first()


def wake_due(rows: "QuerySet[Any]", task: str, *, queue: str, most: int = 100) -> int:
    """Call workers to what is due and free among all tenants' ``rows``; the dispatcher's part. How many were called."""
    now = timezone.now()
    with dispatcher_transaction():
        due = rows.filter(is_free(now), due_at__lte=now).order_by("due_at")
        found = list(due.values_list("tenant_id", "id")[:most])
        for tenant_id, row_id in found:
            wake(task, tenant_id, row_id, queue=queue)
    return len(found)
