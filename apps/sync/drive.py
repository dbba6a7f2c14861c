"""Drive: advance one lane of a run for a few seconds, then schedule the next look. The engine's edge."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from apps.core import crash
from apps.core.queue import wake
from apps.core.served import note_served
from apps.domain.budget import Work
from apps.domain.failures import AuthorizationLost, Category, Failure, MappingBroken, NotPermitted, Transient
from apps.integrations.health import healthy, note_failure
from apps.integrations.models import Connection
from apps.sync.lanes import Hold, LeaseLost, claim
from apps.sync.models import RunLane, RunState, SyncRun
from apps.sync.pull.work import apply_lane, assist_lane, end_run, fetch_lane, pull_lane, sweep_lane
from apps.sync.push.work import push_lane, record_lane
from apps.sync.replanning import plan_anew
from apps.sync.services import QUEUES
from apps.sync_errors.services import ErrorFact, record_errors
from apps.sync_settings.budget import note_standing, standing_of, words_of
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_MOST_ATTEMPTS = 8
_PARKED = timedelta(minutes=15)
_TICK = timedelta(seconds=10)
_NEEDS = {
    "fetch": Work.BACKFILL,
    "sweep": Work.BACKFILL,
    "pull": Work.ROUTINE,
    "push": Work.ESSENTIAL,
    "record": Work.INTERACTIVE,
}
"""What the calls of each lane are for. A push goes on with opt-outs alone when calls are scarce."""
_WORK: dict[str, Callable[[Hold], timedelta | None]] = {
    "fetch": fetch_lane,
    "apply": apply_lane,
    "assist": assist_lane,
    "pull": pull_lane,
    "sweep": sweep_lane,
    "push": push_lane,
    "record": record_lane,
}


def advance(tenant_id: int, run_id: int, lane: str) -> None:
    """Advance a lane; harmless when it is not due, held by another, or its run is over."""
    hold = claim(tenant_id, run_id, lane)
    if hold is not None:
        advance_held(hold)


def advance_held(hold: Hold) -> None:
    """Advance a lane that was claimed a moment ago."""
    lane = hold.name
    crash.point("claimed")
    if _NEEDS.get(lane, Work.BACKFILL) is not Work.BACKFILL:
        note_served(hold.tenant_id)
    try:
        delay = _without_budget(hold) or _guarded(hold, _WORK[lane])
    except LeaseLost:
        log.warning("lease_lost", run=hold.run_id, lane=lane)
        return
    if delay is not None and delay < _TICK:  # what is due later the tick finds
        seconds = delay.total_seconds()
        wake(f"apps.sync.tasks.{lane}_lane", hold.tenant_id, hold.run_id, queue=QUEUES[lane], delay=seconds)


def _without_budget(hold: Hold) -> timedelta | None:
    """Where the API budget does not allow this lane's work now: for how long it waits. Nothing is lost meanwhile."""
    if hold.name not in _NEEDS:
        return None
    now = timezone.now()
    with tenant_transaction(hold.tenant_id):
        connection = Connection.objects.get(id=SyncRun.objects.get(id=hold.run_id).connection_id)
        standing = standing_of(connection, settings_of(connection), now=now)
        note_standing(connection=connection, standing=standing)
        resumes = standing.resumes(_NEEDS[hold.name])
        if resumes is None:
            return None
        SyncRun.objects.filter(id=hold.run_id).update(waiting_reason=words_of(standing))
        delay = min(max(resumes - now, timedelta(seconds=1)), _PARKED)
        hold.release(delay=delay)
    return delay


def _guarded(hold: Hold, work: Callable[[Hold], timedelta | None]) -> timedelta | None:
    """Do the work; what fails is written down and tried again later, or ends the run in words."""
    try:
        delay = work(hold)
    except (Transient, DatabaseError, InterfaceError) as error:
        return _wait(hold, error)
    except (AuthorizationLost, NotPermitted) as failure:
        return _park(hold, failure)
    except MappingBroken as failure:
        return _go_on_without(hold, failure)
    except LeaseLost:
        raise
    except Exception as error:  # the engine's edge: an unforeseen fault must not stop the queue
        log.exception("run_failed", run=hold.run_id, lane=hold.name)
        return _wait(hold, error)
    with tenant_transaction(hold.tenant_id):
        hold.release(delay=delay or timedelta(), is_done=delay is None)
        run = SyncRun.objects.get(id=hold.run_id)
        if (run.attempts or run.waiting_reason) and _speaks_for_run(hold):
            SyncRun.objects.filter(id=hold.run_id).update(attempts=0, waiting_reason="")
        if hold.name in _NEEDS:
            healthy(connection_id=run.connection_id)
    return delay


def _speaks_for_run(hold: Hold) -> bool:
    """Whether this lane's success ends a row of failures: applying that has nothing to do yet says nothing of a
    fetching that fails."""
    others = RunLane.objects.filter(run_id=hold.run_id, is_done=False).exclude(name__in=("apply", "assist"))
    return hold.name in _NEEDS or (hold.name == "apply" and not others.exists())


def _go_on_without(hold: Hold, failure: MappingBroken) -> timedelta | None:
    """A field is gone: its mapping pauses with the reason, and the run goes on with the others."""
    try:
        plan_anew(hold)
    except Failure as another:
        return _wait(hold, another)
    return _wait(hold, failure)


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
        delay = timedelta(seconds=max(hint, min(60.0, 0.5 * 2 ** min(run.attempts, 10))))
        if isinstance(error, Failure):
            again = note_failure(connection_id=run.connection_id, failure=error)
            delay = max(delay, min(again - timezone.now(), _PARKED)) if again is not None else delay
        hold.release(delay=delay)
    return delay


def _park(hold: Hold, failure: Failure) -> timedelta:
    """The grant is gone: the run waits for a person and goes on after Reconnect."""
    with tenant_transaction(hold.tenant_id):
        run = SyncRun.objects.get(id=hold.run_id)
        SyncRun.objects.filter(id=run.pk).update(waiting_reason=failure.message)
        note_failure(connection_id=run.connection_id, failure=failure)
        hold.release(delay=_PARKED)
    return _PARKED
