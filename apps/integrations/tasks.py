"""Connection jobs, run by a worker."""

from celery import shared_task

from apps.integrations.jobs import run_job


@shared_task(name="apps.integrations.tasks.advance_job")
def advance_job(tenant_id: int, job_id: int) -> None:
    """Do one connection job; harmless when it is already done or someone else's."""
    run_job(tenant_id, job_id)
