"""Connection jobs: claimed by lease, done in short steps, the asking outside transactions."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.utils import timezone

from apps.core.db import dispatcher_transaction
from apps.core.leases import is_free, lock_due, lock_held
from apps.core.queue import wake
from apps.domain.failures import AuthorizationLost, Failure, NotPermitted, Transient
from apps.integrations.gateways import open_gateway
from apps.integrations.metadata import EXTRA_STEPS, KEPT_FRESH, STEPS, Place, Step
from apps.integrations.models import Connection, ConnectionJob, ConnectionState, JobKind, JobState
from apps.integrations.preflight import check_org, note_api_closed
from apps.integrations.services.connections import queue_job, task_of
from apps.integrations.tokens import opened, salesforce_app
from apps.salesforce.oauth import revoke
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=90)
_CHUNK_SECONDS = 5.0
_MOST_ATTEMPTS = 6
_OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)

_STEPS_OF: dict[str, tuple[tuple[str, Step], ...]] = {
    JobKind.METADATA: STEPS,
    JobKind.DESCRIBE: EXTRA_STEPS,
    JobKind.PREFLIGHT: (*STEPS, ("Checking rights and limits", check_org)),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in our hands; the fence tells whether it still is."""

    job_id: int
    kind: str
    fence: int
    place: Place
    first_step: int


def run_job(tenant_id: int, job_id: int) -> None:
    """Claim the job if it is due, do steps of it for a few seconds, and settle or schedule the rest."""
    claim = claim_job(tenant_id, job_id)
    if claim is None:
        return
    try:
        is_done = _ALONE.get(claim.kind, _advance)(claim)
    except Failure as failure:
        log.warning("connection_job_failed", job=job_id, kind=claim.kind, category=failure.category)
        settle_failure(claim, failure)
    else:
        settle_job(claim, is_done=is_done)


def claim_job(tenant_id: int, job_id: int) -> Claim | None:
    """Take a job that is due and held by nobody; None where there is nothing to do."""
    with tenant_transaction(tenant_id):
        return _claim(tenant_id, job_id, timezone.now())


def _claim(tenant_id: int, job_id: int, now: datetime) -> Claim | None:
    job: ConnectionJob | None = lock_due(ConnectionJob.objects.filter(id=job_id, state__in=_OPEN_STATES), now)
    if job is None:
        return None
    if job.attempts >= _MOST_ATTEMPTS:
        job.state, job.finished_at, job.lease_until = JobState.FAILED, now, None
        job.error = job.error or "It was tried several times and never came to its end."
        job.save()
        return None
    job.state, job.lease_until = JobState.RUNNING, now + _LEASE
    job.fence += 1
    job.attempts += 1
    job.total_steps = len(_STEPS_OF.get(job.kind, ())) or job.total_steps or 1
    job.save()
    return Claim(job.pk, job.kind, job.fence, Place(tenant_id, job.connection_id), job.done_steps)


def _advance(claim: Claim) -> bool:
    """Do steps until the chunk's time is up; True when the last one is done. A step may be done twice."""
    steps = _STEPS_OF[claim.kind]
    until = time.monotonic() + _CHUNK_SECONDS
    with open_gateway(claim.place.tenant_id, claim.place.connection_id) as gateway:
        for number in range(claim.first_step, len(steps)):
            words, step = steps[number]
            if not _note(claim, words, number, has_progress=number > claim.first_step):
                return False
            step(gateway, claim.place)
            if time.monotonic() > until and number + 1 < len(steps):
                _note(claim, words, number + 1, has_progress=True)
                return False
    return True


def _note(claim: Claim, words: str, done: int, *, has_progress: bool) -> bool:
    """Write down how far it is and keep the lease; False when another worker holds the job by now."""
    values: dict[str, Any] = {"step": words, "done_steps": done, "lease_until": timezone.now() + _LEASE}
    if has_progress:
        values["attempts"] = 1
    with tenant_transaction(claim.place.tenant_id):
        return bool(ConnectionJob.objects.filter(id=claim.job_id, fence=claim.fence).update(**values))


def settle_job(claim: Claim, *, is_done: bool, delay: float = 0.0) -> None:
    """End a job, or schedule its next chunk."""
    now = timezone.now()
    with tenant_transaction(claim.place.tenant_id):
        row = lock_held(ConnectionJob.objects.filter(id=claim.job_id), claim.fence)
        if row is None:
            return
        row.lease_until, row.error, row.attempts = None, "", 0
        if is_done:
            row.state, row.finished_at, row.done_steps, row.step = JobState.DONE, now, row.total_steps, ""
        else:
            row.state, row.due_at = JobState.QUEUED, now + timedelta(seconds=delay)
            wake(task_of(claim.kind), claim.place.tenant_id, row.pk, delay=delay)
        row.save()


def settle_failure(claim: Claim, failure: Failure) -> None:
    """Try again later what passes by itself; anything else ends the job with its reason in words."""
    if claim.kind == JobKind.PREFLIGHT and isinstance(failure, NotPermitted):
        note_api_closed(claim.place, failure.message)
    now = timezone.now()
    with tenant_transaction(claim.place.tenant_id):
        row = lock_held(ConnectionJob.objects.filter(id=claim.job_id), claim.fence)
        if row is None:
            return
        row.lease_until, row.error = None, failure.message[:500]
        if isinstance(failure, Transient) and row.attempts < _MOST_ATTEMPTS:
            row.state = JobState.QUEUED
            row.due_at = now + timedelta(seconds=max(failure.retry_after or 0.0, 5.0 * 2**row.attempts))
        else:
            row.state, row.finished_at, row.step = JobState.FAILED, now, ""
        row.save()


def _revoke(claim: Claim) -> bool:
    """Revoke the grant of a connection that was ended; one that came back meanwhile keeps its new tokens."""
    with tenant_transaction(claim.place.tenant_id):
        row = Connection.objects.get(id=claim.place.connection_id)
        token = opened(row, "refresh_token") if row.refresh_token and not row.is_live else ""
    if not token:
        return True
    try:
        revoke(salesforce_app(), login_url=row.login_url, token=token)
    except AuthorizationLost as failure:
        log.info("grant_was_gone", category=failure.category)
    with tenant_transaction(claim.place.tenant_id):
        Connection.objects.filter(id=row.pk, token_generation=row.token_generation).update(
            access_token="", refresh_token=""
        )
    return True


def _read_list_views(claim: Claim) -> bool:
    """Read the list views of an sObject, or what one of them asks for, into the job's result."""
    with tenant_transaction(claim.place.tenant_id):
        subject = ConnectionJob.objects.get(id=claim.job_id).subject
    with open_gateway(claim.place.tenant_id, claim.place.connection_id) as gateway:
        view = subject.get("view")
        found: dict[str, Any] = (
            {"view": gateway.list_view(subject["sobject"], view)}
            if view
            else {"views": gateway.list_views(subject["sobject"])}
        )
    with tenant_transaction(claim.place.tenant_id):
        ConnectionJob.objects.filter(id=claim.job_id, fence=claim.fence).update(result=found)
    return True


_ALONE: dict[str, Callable[[Claim], bool]] = {JobKind.REVOKE: _revoke, JobKind.LIST_VIEWS: _read_list_views}
"""Kinds that are one step by themselves."""


def queue_stale_metadata() -> int:
    """Queue the daily reading of metadata where it is due; one that fails is due again a day later."""
    now = timezone.now()
    with dispatcher_transaction():
        stale = list(
            Connection._base_manager.filter(state=ConnectionState.CONNECTED, metadata_due_at__lte=now)
            .order_by("metadata_due_at")
            .values_list("tenant_id", "id")[:50]
        )
    for tenant_id, connection_id in stale:
        with tenant_transaction(tenant_id):
            row = Connection.objects.select_for_update().get(id=connection_id)
            row.metadata_due_at = now + KEPT_FRESH
            row.save(update_fields=["metadata_due_at"])
            queue_job(connection=row, kind=JobKind.METADATA, user=None)
    return len(stale)


def wake_due_jobs() -> int:
    """Send wake-up calls for jobs that are due and not held; the dispatcher's part."""
    queue_stale_metadata()
    now = timezone.now()
    with dispatcher_transaction():
        due = list(
            ConnectionJob._base_manager.filter(is_free(now), state__in=_OPEN_STATES, due_at__lte=now)
            .order_by("due_at")
            .values_list("tenant_id", "id", "kind")[:100]
        )
        for tenant_id, job_id, kind in due:
            wake(task_of(kind), tenant_id, job_id)
    return len(due)
