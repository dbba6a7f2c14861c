"""Ending a connection."""

from django.utils import timezone

from apps.core.queue import wake
from apps.integrations.models import Connection, ConnectionJob, ConnectionState, JobKind, JobState
from apps.tenants.audit import audit
from apps.tenants.directory import leave
from apps.tenants.models import DirectoryKind, User


def queue_job(*, connection: Connection, kind: JobKind, user: User | None) -> ConnectionJob:
    """Queue work that asks Salesforce; one that already waits or runs is answered instead of a second."""
    open_states = [JobState.QUEUED, JobState.RUNNING]
    waiting: ConnectionJob | None = ConnectionJob.objects.filter(
        connection=connection, kind=kind, state__in=open_states
    ).first()
    if waiting is not None:
        return waiting
    job: ConnectionJob = ConnectionJob.objects.create(
        connection=connection, kind=kind, requested_by=user, due_at=timezone.now()
    )
    wake("apps.integrations.tasks.advance_job", connection.tenant_id, job.pk)
    return job


def disconnect(*, connection: Connection, user: User) -> None:
    """End the tie: nothing is sent with its token any more but the request to revoke it; data stays."""
    connection.state = ConnectionState.DISCONNECTED
    connection.disconnected_at = timezone.now()
    connection.save()
    leave(kind=DirectoryKind.SALESFORCE_ORG, key=connection.org_id)
    queue_job(connection=connection, kind=JobKind.REVOKE, user=user)
    audit(actor=user, action="disconnected", subject=f"Salesforce org {connection.org_id}")
