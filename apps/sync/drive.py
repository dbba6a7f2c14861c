"""Drive: advance one lane of a run for a few seconds, then schedule the next look. The engine's edge."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from apps.core.queue import wake
from apps.domain.failures import AuthorizationLost, Category, Failure, NotPermitted, Transient
from apps.sync.lanes import Hold, LeaseLost, claim
from apps.sync.models import RunState, SyncRun
from apps.sync.pull.work import apply_lane, end_run, fetch_lane, pull_lane, sweep_lane
from apps.sync.push.work import push_lane, record_lane
from apps.sync.services import QUEUES
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 8
_PARKED = timedelta(minutes=15)
_WORK: dict[str, Callable[[Hold], timedelta | None]] = {
    "fetch": fetch_lane,
    "apply": apply_lane,
    "pull": pull_lane,
    "sweep": sweep_lane,
    "push": push_lane,
    "record": record_lane,
}


def advance(tenant_id: int, run_id: int, lane: str) -> None:
    """Advance a lane; harmless when it is not due, held by another, or its run is over."""
    hold = claim(tenant_id, run_id, lane)
    if hold is None:
        return
    try:
        delay = _guarded(hold, _WORK[lane])
    except LeaseLost:
        log.warning("lease_lost", run=run_id, lane=lane)
        return
    if delay is not None:
        wake(f"apps.sync.tasks.{lane}_lane", tenant_id, run_id, queue=QUEUES[lane], delay=delay.total_seconds())


def _guarded(hold: Hold, work: Callable[[Hold], timedelta | None]) -> timedelta | None:
    """Do the work; what fails is written down and tried again later, or ends the run in words."""
    try:
        delay = work(hold)
    except (Transient, DatabaseError, InterfaceError) as error:
        return _wait(hold, error)
    except (AuthorizationLost, NotPermitted) as failure:
        return _park(hold, failure)
    except LeaseLost:
        raise
    except Exception as error:  # the engine's edge: an unforeseen fault must not stop the queue
        log.exception("run_failed", run=hold.run_id, lane=hold.name)
        return _wait(hold, error)
    with tenant_transaction(hold.tenant_id):
        hold.release(delay=delay or timedelta(), is_done=delay is None)
        SyncRun.objects.filter(id=hold.run_id).exclude(attempts=0).update(attempts=0, waiting_reason="")
    return delay


def _wait(hold: Hold, error: Exception) -> timedelta | None:
    """Count the failure; wait longer each time; after too many in a row the run has failed."""
    message = str(error) if isinstance(error, Failure) else f"A fault of ours ({type(error).__name__})."
    with tenant_transaction(hold.tenant_id):
        run = SyncRun.objects.select_for_update().get(id=hold.run_id)
        run.attempts += 1
        patient = isinstance(error, Transient)
        if run.attempts >= _MOST_ATTEMPTS and not patient:
            run.save(update_fields=["attempts"])
            end_run(hold, RunState.FAILED, message)
            record_errors(
                [ErrorFact(category=Category.INTERNAL, message=message, sobject="", remote_id=f"run {run.pk}")],
                connection_id=run.connection_id,
                run_id=run.pk,
                at=timezone.now(),
            )
            return None
        run.waiting_reason = message
        run.save(update_fields=["attempts", "waiting_reason"])
        hint = error.retry_after if isinstance(error, Failure) and error.retry_after else 0.0
        delay = timedelta(seconds=max(hint, min(60.0, 0.5 * 2**run.attempts)))
        hold.release(delay=delay)
    return delay


def _park(hold: Hold, failure: Failure) -> timedelta:
    """The grant is gone: the run waits for a person and goes on after Reconnect."""
    with tenant_transaction(hold.tenant_id):
        SyncRun.objects.filter(id=hold.run_id).update(waiting_reason=failure.message)
        hold.release(delay=_PARKED)
    return _PARKED
