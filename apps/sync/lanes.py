"""The right to advance a run: a lease with a fencing number, checked in the transaction of each effect."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from apps.core.leases import lock_due
from apps.sync.models import RunLane, RunState, SyncRun
from apps.tenants.scope import tenant_transaction

LEASE = timedelta(seconds=30)
CHUNK_SECONDS = 5.0
"""How long a task works at a lane before it schedules its next."""


class LeaseLost(Exception):
    """Another worker holds the lane now: whatever this one was about to do must not happen."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A claimed lane."""

    tenant_id: int
    run_id: int
    lane_id: int
    name: str
    fence: int

    def check(self) -> None:
        """In the transaction of an effect: raise LeaseLost unless the lane is still ours; renew it."""
        renewed = RunLane.objects.filter(id=self.lane_id, fence=self.fence).update(lease_until=timezone.now() + LEASE)
        if not renewed:
            raise LeaseLost

    def release(self, *, delay: timedelta = timedelta(), is_done: bool = False) -> None:
        """Give the lane back, to be looked at after ``delay``; in the open transaction."""
        RunLane.objects.filter(id=self.lane_id, fence=self.fence).update(
            lease_until=None, due_at=timezone.now() + delay, is_done=is_done
        )


def claim(tenant_id: int, run_id: int, name: str) -> Hold | None:
    """Take the lane if it is due and free and its run is open."""
    now = timezone.now()
    with tenant_transaction(tenant_id):
        lane = lock_due(RunLane.objects.filter(run_id=run_id, name=name, is_done=False), now)
        if lane is None:
            return None
        RunLane.objects.filter(id=lane.pk).update(fence=F("fence") + 1, lease_until=now + LEASE)
        SyncRun.objects.filter(id=run_id, state=RunState.QUEUED).update(state=RunState.RUNNING, started_at=now)
        return Hold(tenant_id, run_id, lane.pk, name, lane.fence + 1)


def hold_new(run: SyncRun, name: str) -> Hold:
    """Make a lane of a run that is new and begun, and hold it, in the transaction that makes the run. Where its
    worker dies, the lease runs out as that of a lane that was claimed."""
    lane = RunLane.objects.create(run=run, name=name, fence=1, lease_until=timezone.now() + LEASE)
    assert run.tenant_id is not None
    return Hold(run.tenant_id, run.pk, lane.pk, name, lane.fence)
