"""Starting and stopping runs."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.queue import wake
from apps.integrations.models import Connection
from apps.sync.models import RunKind, RunLane, RunState, SyncRun
from apps.sync_settings.services import enable_syncs, settings_of
from apps.tenants.audit import audit
from apps.tenants.models import User

LANES = ("fetch", "apply")


class CannotStart(Exception):
    """Why a run cannot start, in words."""


def open_pull_run(connection: Connection) -> SyncRun | None:
    """The run that is under way or waits."""
    found: SyncRun | None = SyncRun.objects.filter(
        connection_id=connection.pk, state__in=[RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING]
    ).first()
    return found


def start_full_sync(*, connection: Connection, user: User | None, turn_on: bool = False) -> SyncRun:
    """Queue a full sync; one that is open already is answered instead, however often the button is pressed."""
    if not connection.is_usable:
        raise CannotStart("The connection to Salesforce has to be renewed first.")
    settings = settings_of(connection)
    if turn_on and user is not None and not settings.syncs_enabled:
        enable_syncs(connection=connection, user=user)
        settings.refresh_from_db()
    if not settings.syncs_enabled:
        raise CannotStart("Syncs are switched off.")
    try:
        with transaction.atomic():
            run: SyncRun = SyncRun.objects.create(
                connection_id=connection.pk,
                kind=RunKind.FULL,
                requested_by_id=user.pk if user else None,
                requested_by_label=user.display_name if user else "Syncline",
                settings_version=settings.version,
            )
    except IntegrityError:
        running = open_pull_run(connection)
        if running is None:
            raise
        return running
    for name in LANES:
        RunLane.objects.create(run=run, name=name)
    audit(actor=user, action="full_sync_started", subject=f"Full sync {run.pk}")
    wake_run(run)
    return run


def wake_run(run: SyncRun) -> None:
    """Call the workers to a run when the transaction commits."""
    for name in LANES:
        wake(f"apps.sync.tasks.{name}_lane", run.tenant_id or 0, run.pk, queue="bulk")


def cancel_run(*, run: SyncRun, user: User) -> None:
    """Ask an open run to stop; what it has applied stays."""
    changed = SyncRun.objects.filter(id=run.pk, state__in=[RunState.QUEUED, RunState.RUNNING]).update(
        state=RunState.CANCELLING, step="Stopping"
    )
    if changed:
        RunLane.objects.filter(run=run, is_done=False).update(due_at=timezone.now())
        audit(actor=user, action="full_sync_cancelled", subject=f"Full sync {run.pk}")
        wake_run(run)
