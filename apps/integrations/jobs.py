"""Doing connection jobs: claimed by lease, the asking outside transactions, the storing in short ones."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db.models import Q
from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.queue import wake
from apps.domain.failures import Failure, Transient
from apps.integrations.checks import findings, read_profile, store_findings
from apps.integrations.gateways import open_gateway
from apps.integrations.metadata import read_org, store_org
from apps.integrations.models import Connection, ConnectionJob, JobKind, JobState
from apps.integrations.tokens import opened, salesforce_app
from apps.salesforce.oauth import revoke
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=90)
_MOST_ATTEMPTS = 5


def run_job(tenant_id: int, job_id: int) -> None:
    """Claim the job if it is due, do it, settle it."""
    with tenant_transaction(tenant_id):
        job = _claim(job_id, timezone.now())
    if job is None:
        return
    work: dict[str, Callable[[int, int], None]] = {
        JobKind.METADATA: refresh_metadata,
        JobKind.PREFLIGHT: run_preflight,
        JobKind.REVOKE: _revoke,
    }
    try:
        work[job.kind](tenant_id, job.connection_id)
    except Failure as failure:
        log.warning("connection_job_failed", job=job_id, kind=job.kind, category=failure.category)
        _settle(tenant_id, job, failure)
    else:
        _settle(tenant_id, job, None)


def _claim(job_id: int, now: datetime) -> ConnectionJob | None:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    job: ConnectionJob | None = (
        ConnectionJob.objects.select_for_update(skip_locked=True)
        .filter(free, id=job_id, state__in=[JobState.QUEUED, JobState.RUNNING], due_at__lte=now)
        .first()
    )
    if job is not None:
        job.state, job.lease_until = JobState.RUNNING, now + _LEASE
        job.fence += 1
        job.attempts += 1
        job.save()
    return job


def _settle(tenant_id: int, job: ConnectionJob, failure: Failure | None) -> None:
    now = timezone.now()
    with tenant_transaction(tenant_id):
        row = ConnectionJob.objects.select_for_update().filter(id=job.pk, fence=job.fence).first()
        if row is None:
            return
        row.lease_until = None
        if isinstance(failure, Transient) and row.attempts < _MOST_ATTEMPTS:
            row.state, row.error = JobState.QUEUED, failure.message
            row.due_at = now + timedelta(seconds=failure.retry_after or 5 * 2**row.attempts)
        else:
            row.state, row.finished_at = (JobState.FAILED if failure else JobState.DONE), now
            row.error = failure.message if failure else ""
        row.save()


def refresh_metadata(tenant_id: int, connection_id: int) -> None:
    """Read describes and reference data anew."""
    with open_gateway(tenant_id, connection_id) as gateway:
        facts = read_org(gateway)
    store_org(tenant_id, connection_id, facts)


def run_preflight(tenant_id: int, connection_id: int) -> None:
    """Ask all pre-flight questions anew."""
    with tenant_transaction(tenant_id):
        user_id = Connection.objects.get(id=connection_id).user_remote_id
    with open_gateway(tenant_id, connection_id) as gateway:
        facts = read_org(gateway)
        profile, usage = read_profile(gateway, user_id), gateway.limits()
    store_org(tenant_id, connection_id, facts)
    store_findings(tenant_id, connection_id, findings({s.name: s for s in facts.schemas}, profile, usage))


def _revoke(tenant_id: int, connection_id: int) -> None:
    with tenant_transaction(tenant_id):
        row = Connection.objects.get(id=connection_id)
        token = opened(row, "refresh_token") if row.refresh_token else ""
    if token:
        revoke(salesforce_app(), login_url=row.login_url, token=token)
    with tenant_transaction(tenant_id):
        Connection.objects.filter(id=connection_id).update(access_token="", refresh_token="")


def wake_due_jobs() -> int:
    """Send wake-up calls for jobs that are due and not held; the dispatcher's part."""
    now = timezone.now()
    with dispatcher_transaction():
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        due = list(
            ConnectionJob._base_manager.filter(
                free, state__in=[JobState.QUEUED, JobState.RUNNING], due_at__lte=now
            ).values_list("tenant_id", "id")[:100]
        )
        for tenant_id, job_id in due:
            wake("apps.integrations.tasks.advance_job", tenant_id, job_id)
    return len(due)
