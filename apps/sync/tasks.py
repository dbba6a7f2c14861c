"""What workers do: ids in, one service called, safe to run twice."""

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.queue import wake
from apps.integrations.jobs import wake_due_jobs
from apps.sync import forgetting
from apps.sync.models import RunLane
from apps.sync.pull.drive import advance


@shared_task(name="apps.sync.tasks.tick")
def tick() -> None:
    """Every ten seconds: wake whatever is due and held by nobody, so that a lost message costs ten seconds."""
    wake_due_jobs()
    now = timezone.now()
    with dispatcher_transaction():
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        due = RunLane._base_manager.filter(free, is_done=False, due_at__lte=now)
        for tenant_id, run_id, name in due.values_list("tenant_id", "run_id", "name")[:200]:
            wake(f"apps.sync.tasks.{name}_lane", tenant_id, run_id, queue="bulk")


@shared_task(name="apps.sync.tasks.fetch_lane")
def fetch_lane(tenant_id: int, run_id: int) -> None:
    """Advance the fetching of a run."""
    advance(tenant_id, run_id, "fetch")


@shared_task(name="apps.sync.tasks.apply_lane")
def apply_lane(tenant_id: int, run_id: int) -> None:
    """Advance the applying of a run."""
    advance(tenant_id, run_id, "apply")


@shared_task(name="apps.sync.tasks.forget")
def forget(tenant_id: int, job_id: int) -> None:
    """Delete the next rows of an org that was disconnected."""
    forgetting.forget(tenant_id, job_id)
