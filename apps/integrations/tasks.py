"""Connection jobs and probes, run by a worker."""

from celery import shared_task

from apps.integrations import probing
from apps.integrations.jobs import run_job
from apps.integrations.package import installing


@shared_task(name="apps.integrations.tasks.advance_job")
def advance_job(tenant_id: int, job_id: int) -> None:
    """Do one connection job; harmless when it is already done or someone else's."""
    run_job(tenant_id, job_id)


@shared_task(name="apps.integrations.tasks.install_package")
def install_package(tenant_id: int, job_id: int) -> None:
    """Do the next piece of a package's installation; harmless when it is already done or someone else's."""
    installing.install(tenant_id, job_id)


@shared_task(name="apps.integrations.tasks.probe")
def probe(tenant_id: int, connection_id: int) -> None:
    """Ask a paused org whether it answers again; harmless when that is not due."""
    probing.probe(tenant_id, connection_id)
