"""Work that asks Salesforce, queued; and ending a connection."""

from typing import Any

from django.utils import timezone

from apps.core.queue import wake
from apps.integrations.models import Connection, ConnectionJob, ConnectionState, JobKind, JobState
from apps.tenants.audit import audit
from apps.tenants.directory import leave
from apps.tenants.models import DirectoryKind, User
from apps.tenants.scope import current_tenant_id

_OPEN_STATES = [JobState.QUEUED, JobState.RUNNING]


_TASKS = {
    JobKind.FORGET: "apps.sync.tasks.forget",
    JobKind.UNLINK: "apps.sync.tasks.forget",
    JobKind.PUSH_ALL: "apps.sync.tasks.push_all",
    JobKind.PACKAGE: "apps.integrations.tasks.install_package",
}


def task_of(kind: str) -> str:
    """The task that does jobs of a kind; some are done above, where records and links are known."""
    return _TASKS.get(JobKind(kind), "apps.integrations.tasks.advance_job")


def queue_job(
    *, connection: Connection, kind: JobKind, user: User | None, subject: dict[str, Any] | None = None
) -> ConnectionJob:
    """Queue work that asks Salesforce; one that already waits or runs is answered instead of a second."""
    waiting: ConnectionJob | None = ConnectionJob.objects.filter(
        connection=connection, kind=kind, state__in=_OPEN_STATES
    ).first()
    if waiting is not None:
        return waiting
    job: ConnectionJob = ConnectionJob.objects.create(
        connection=connection, kind=kind, requested_by=user, due_at=timezone.now(), subject=subject or {}
    )
    wake(task_of(kind), current_tenant_id(), job.pk)
    return job


def disconnect(*, connection: Connection, user: User, delete_data: bool = False, unlink_data: bool = False) -> None:
    """End the tie: nothing is sent with its token any more but the request to revoke it. Data stays; or a job
    deletes what came from the org, or closes its links and keeps the records, to move to another org, as asked.

    Doing so twice is harmless. Open questions to Salesforce end with it.
    """
    row = Connection.objects.select_for_update().get(id=connection.pk)
    if not row.is_live:
        return
    now = timezone.now()
    row.state, row.disconnected_at, row.refresh_lease_until = ConnectionState.DISCONNECTED, now, None
    row.credentials = ""
    row.save(update_fields=["state", "disconnected_at", "refresh_lease_until", "credentials"])
    ConnectionJob.objects.filter(connection=row, state__in=_OPEN_STATES).update(
        state=JobState.FAILED, error="Salesforce was disconnected.", finished_at=now, lease_until=None
    )
    leave(kind=DirectoryKind.SALESFORCE_ORG, key=row.org_id)
    queue_job(connection=row, kind=JobKind.REVOKE, user=user)
    if delete_data:
        queue_job(connection=row, kind=JobKind.FORGET, user=user)
    elif unlink_data:
        queue_job(connection=row, kind=JobKind.UNLINK, user=user)
    audit(
        actor=user,
        action="disconnected",
        subject=f"Salesforce org {row.org_id}",
        after={"data": "deleted" if delete_data else "unlinked" if unlink_data else "kept"},
    )
