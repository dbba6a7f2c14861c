"""What workers do: ids in, one service called, safe to run twice."""

from celery import shared_task
from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.leases import is_free
from apps.core.queue import wake
from apps.integrations.health import wake_due_probes
from apps.integrations.jobs import wake_due_jobs
from apps.integrations.services.passwords import try_password, wake_due_attempts
from apps.outbox.models import OutboxDue
from apps.outbox.queue import PUSH_TASK
from apps.sync import forgetting, pushing_all, tidying
from apps.sync.bulk import advance_bulk, wake_due_bulk
from apps.sync.drive import advance, advance_held
from apps.sync.due import begin_due_push, begin_due_sweep, begin_due_sync
from apps.sync.erasing import TASK as ERASE_TASK
from apps.sync.erasing_walk import advance_erasure, wake_due_erasures
from apps.sync.first_setup import set_up
from apps.sync.models import RunLane, Schedule
from apps.sync.services import QUEUES
from apps.sync.tidying import TASK as TIDY_TASK
from apps.sync_actions.gathering import call_rules_for_events
from apps.sync_actions.tasks import wake_due_rules

_MOST = 500
"""Connections that one tick wakes: more than the workers begin in ten seconds; the others are next."""


@shared_task(name="apps.sync.tasks.tick")
def tick() -> None:
    """Every ten seconds: wake whatever is due and held by nobody, so that a lost message costs ten seconds."""
    wake_due_jobs()
    wake_due_probes()
    wake_due_bulk()
    wake_due_erasures()
    wake_due_attempts()
    now = timezone.now()
    with dispatcher_transaction():
        due = RunLane._base_manager.filter(is_free(now), is_done=False, due_at__lte=now)
        for tenant_id, run_id, name in due.values_list("tenant_id", "run_id", "name")[:200]:
            wake(f"apps.sync.tasks.{name}_lane", tenant_id, run_id, queue=QUEUES[name])
        syncs = Schedule._base_manager.filter(differential_due_at__lte=now).order_by("differential_due_at")
        for tenant_id, connection_id in syncs.values_list("tenant_id", "connection_id")[:_MOST]:
            wake("apps.sync.tasks.differential", tenant_id, connection_id, queue="routine")
        sweeps = Schedule._base_manager.filter(sweep_due_at__lte=now).order_by("sweep_due_at")
        for tenant_id, connection_id in sweeps.values_list("tenant_id", "connection_id")[:_MOST]:
            wake("apps.sync.tasks.sweep", tenant_id, connection_id, queue="bulk")
        tidied = Schedule._base_manager.filter(tidy_due_at__lte=now).order_by("tidy_due_at")
        for tenant_id, connection_id in tidied.values_list("tenant_id", "connection_id")[:_MOST]:
            wake(TIDY_TASK, tenant_id, connection_id, queue="bulk")
        pushes = OutboxDue._base_manager.filter(due_at__lte=now).order_by("due_at")
        for (tenant_id,) in pushes.values_list("tenant_id")[:_MOST]:
            wake(PUSH_TASK, tenant_id, queue="routine")
        wake_due_rules()


@shared_task(name="apps.sync.tasks.differential")
def differential(tenant_id: int, connection_id: int) -> None:
    """Begin the differential sync of a connection if it is due, and do it."""
    hold = begin_due_sync(tenant_id, connection_id)
    if hold is not None:
        advance_held(hold)


@shared_task(name="apps.sync.tasks.sweep")
def sweep(tenant_id: int, connection_id: int) -> None:
    """Begin the nightly comparison of a connection if it is due, and do it."""
    run_id = begin_due_sweep(tenant_id, connection_id)
    if run_id is not None:
        advance(tenant_id, run_id, "sweep")


@shared_task(name="apps.sync.tasks.sweep_lane")
def sweep_lane(tenant_id: int, run_id: int) -> None:
    """Advance a comparison."""
    advance(tenant_id, run_id, "sweep")


@shared_task(name="apps.sync.tasks.pull_lane")
def pull_lane(tenant_id: int, run_id: int) -> None:
    """Advance a differential run."""
    advance(tenant_id, run_id, "pull")


@shared_task(name=PUSH_TASK)
def push(tenant_id: int) -> None:
    """Begin pushing a tenant's waiting changes if any are due, and do it; marketing events are shown to the rules."""
    call_rules_for_events(tenant_id)
    run_id = begin_due_push(tenant_id)
    if run_id is not None:
        advance(tenant_id, run_id, "push")


@shared_task(name="apps.sync.tasks.push_with_sync")
def push_with_sync(tenant_id: int) -> None:
    """After a sync: push what waited for it."""
    run_id = begin_due_push(tenant_id, with_sync=True)
    if run_id is not None:
        advance(tenant_id, run_id, "push")


@shared_task(name="apps.sync.tasks.push_lane")
def push_lane(tenant_id: int, run_id: int) -> None:
    """Advance an outbound run."""
    advance(tenant_id, run_id, "push")


@shared_task(name="apps.sync.tasks.record_lane")
def record_lane(tenant_id: int, run_id: int) -> None:
    """Sync one record."""
    advance(tenant_id, run_id, "record")


@shared_task(name="apps.sync.tasks.fetch_lane")
def fetch_lane(tenant_id: int, run_id: int) -> None:
    """Advance the fetching of a run."""
    advance(tenant_id, run_id, "fetch")


@shared_task(name="apps.sync.tasks.apply_lane")
def apply_lane(tenant_id: int, run_id: int) -> None:
    """Advance the applying of a run."""
    advance(tenant_id, run_id, "apply")


@shared_task(name="apps.sync.tasks.assist_lane")
def assist_lane(tenant_id: int, run_id: int) -> None:
    """Advance the applying of a run by a second lane."""
    advance(tenant_id, run_id, "assist")


@shared_task(name="apps.sync.tasks.forget")
def forget(tenant_id: int, job_id: int) -> None:
    """Delete the next rows of an org that was disconnected."""
    forgetting.forget(tenant_id, job_id)


@shared_task(name="apps.sync.tasks.push_all")
def push_all(tenant_id: int, job_id: int) -> None:
    """Queue the next records that a step writes."""
    pushing_all.push_all(tenant_id, job_id)


@shared_task(name="apps.sync.tasks.bulk")
def bulk(tenant_id: int, action_id: int) -> None:
    """Do the next records of an action on many."""
    advance_bulk(tenant_id, action_id)


@shared_task(name=ERASE_TASK)
def erase(tenant_id: int, job_id: int) -> None:
    """Look for the next traces of somebody who is being erased."""
    advance_erasure(tenant_id, job_id)


@shared_task(name="apps.sync.tasks.connect_by_password")
def connect_by_password(tenant_id: int, attempt_id: int) -> None:
    """Try a user name and password, once."""
    try_password(tenant_id, attempt_id, then=set_up)


@shared_task(name=TIDY_TASK)
def tidy(tenant_id: int, connection_id: int) -> None:
    """Delete the next rows that are older than the log is kept."""
    tidying.tidy(tenant_id, connection_id)
