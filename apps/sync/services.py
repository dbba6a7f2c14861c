"""Starting and stopping runs."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.core.queue import wake
from apps.integrations.models import Connection
from apps.sync.first_setup import ask_again
from apps.sync.lanes import Hold, hold_new
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunLane, RunState, SyncRun, Watermark
from apps.sync.selectors.links import record_behind
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import enable_syncs, settings_of
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

LANES = {
    RunKind.FULL: ("fetch", "apply", "assist"),
    RunKind.OBJECT: ("fetch", "apply", "assist"),
    RunKind.DIFFERENTIAL: ("pull",),
    RunKind.SWEEP: ("sweep",),
    RunKind.OUTBOUND: ("push",),
    RunKind.RECORD: ("record",),
}
"""Which lanes a run of each kind has; a large differential run gets those of a full one, too."""
QUEUES = {
    "fetch": "bulk",
    "apply": "bulk",
    "assist": "bulk",
    "pull": "routine",
    "sweep": "bulk",
    "push": "routine",
    "record": "interactive",
}


class CannotStart(Exception):
    """Why a run cannot start, in words."""


def open_pull_run(connection: Connection) -> SyncRun | None:
    """The pull that is under way or waits."""
    found: SyncRun | None = SyncRun.objects.filter(
        connection_id=connection.pk,
        state__in=OPEN_RUN_STATES,
        kind__in=[RunKind.FULL, RunKind.OBJECT, RunKind.DIFFERENTIAL, RunKind.SWEEP],
    ).first()
    return found


def start_full_sync(*, connection: Connection, user: Actor | None, turn_on: bool = False) -> SyncRun:
    """Queue a full sync; one that is open already is answered instead, however often the button is pressed. A
    differential sync that is under way makes room: the full one brings in all that it would have."""
    if not connection.is_usable:
        raise CannotStart("The connection to Salesforce has to be renewed first.")
    settings = settings_of(connection)
    if turn_on and user is not None and not settings.syncs_enabled:
        enable_syncs(connection=connection, user=user)
        settings.refresh_from_db()
    if not settings.syncs_enabled:
        raise CannotStart("Syncs are switched off.")
    running = open_pull_run(connection)
    if running is not None and running.kind in {RunKind.DIFFERENTIAL, RunKind.SWEEP}:
        _supersede(running)
    run = _create(connection, RunKind.FULL, user, settings_version=settings.version)
    if run is None:
        running = open_pull_run(connection)
        if running is None:
            raise CannotStart("Another sync has just begun. Try again in a moment.")
        return running
    audit(actor=user, action="full_sync_started", subject=f"Full sync {run.pk}")
    ask_again(connection=connection, user=None)
    wake_run(run)
    return run


_TOGETHER = {"Campaign": ["Campaign", "CampaignMember"], "Opportunity": ["Opportunity", "OpportunityContactRole"]}
"""What belongs to an sObject comes with it."""


def start_object_sync(*, connection: Connection, sobject: str, user: Actor | None) -> SyncRun:
    """Queue a full sync of one sObject alone; pressed again while it is open, it is the same run. What other objects
    have reached stays as it is."""
    if not connection.is_usable:
        raise CannotStart("The connection to Salesforce has to be renewed first.")
    settings = settings_of(connection)
    if not settings.syncs_enabled:
        raise CannotStart("Syncs are switched off.")
    wanted = _TOGETHER.get(sobject, [sobject])
    run = _create(connection, RunKind.OBJECT, user, settings_version=settings.version, sobjects=wanted)
    if run is None:
        running = open_pull_run(connection)
        if running is not None and running.kind == RunKind.OBJECT and running.sobjects == wanted:
            return running
        raise CannotStart("Another sync is running. Start this one when it has finished.")
    audit(actor=user, action="object_sync_started", subject=f"Sync {run.pk} of {sobject}")
    wake_run(run)
    return run


def start_differential_sync(*, connection: Connection, user: Actor | None = None) -> SyncRun | None:
    """Queue a differential sync; None where another pull is open. Raises CannotStart before the first full sync."""
    settings = settings_of(connection)
    _refuse_differential(connection, settings)
    run = _create(connection, RunKind.DIFFERENTIAL, user, settings_version=settings.version)
    if run is not None:
        wake_run(run)
    return run


def begin_differential_sync(*, connection: Connection, settings: SyncSettings) -> Hold | None:
    """Make the differential sync whose time has come, and begin it at once: whoever makes it holds its lane. Answers
    and raises as ``start_differential_sync``."""
    _refuse_differential(connection, settings)
    run = _insert(
        connection,
        RunKind.DIFFERENTIAL,
        None,
        trigger="schedule",
        settings_version=settings.version,
        state=RunState.RUNNING,
        started_at=timezone.now(),
    )
    return hold_new(run, "pull") if run is not None else None


def _refuse_differential(connection: Connection, settings: SyncSettings) -> None:
    """Raise CannotStart, with the words, where no differential sync may start."""
    if not connection.is_usable:
        raise CannotStart("The connection to Salesforce has to be renewed first.")
    if not settings.syncs_enabled:
        raise CannotStart("Syncs are switched off.")
    if not Watermark.objects.filter(connection_id=connection.pk).exists():
        raise CannotStart("Run a Full Sync first: a differential sync goes on from there.")


def start_sweep(*, connection: Connection) -> SyncRun | None:
    """Queue the nightly comparison; None where another pull is open or nothing has been synced yet."""
    settings = settings_of(connection)
    if not connection.is_usable or not settings.syncs_enabled:
        return None
    if not Watermark.objects.filter(connection_id=connection.pk).exists():
        return None
    run = _create(connection, RunKind.SWEEP, None, trigger="schedule")
    if run is not None:
        wake_run(run)
    return run


def sync_now(*, connection: Connection, local_type: str, record_id: int, user: Actor | None) -> SyncRun:
    """Queue a sync of one record, both ways, that overtakes everything; pressed again while it is open, it is the
    same run."""
    return _start_record_run(connection, user, local_type=local_type, local_id=record_id)


def sync_row_now(*, connection: Connection, sobject: str, remote_id: str, user: Actor | None) -> SyncRun:
    """Queue a sync of one row by its id there. A row that is linked is synced as its record; another is brought in
    first, by the ordinary road, or the run says why it is not."""
    known = record_behind(connection, remote_id)
    if known is not None:
        return sync_now(connection=connection, local_type=known[0], record_id=known[1], user=user)
    return _start_record_run(connection, user, remote_sobject=sobject, remote_id=remote_id)


def _start_record_run(connection: Connection, user: Actor | None, **what: Any) -> SyncRun:
    if not connection.is_usable:
        raise CannotStart("The connection to Salesforce has to be renewed first.")
    settings = settings_of(connection)
    if not settings.syncs_enabled:
        raise CannotStart("Syncs are switched off.")
    run = _create(connection, RunKind.RECORD, user, settings_version=settings.version, **what)
    if run is None:
        found: SyncRun | None = SyncRun.objects.filter(
            connection_id=connection.pk, kind=RunKind.RECORD, state__in=OPEN_RUN_STATES, **what
        ).first()
        if found is None:
            raise CannotStart("It has just been synced. Try again in a moment.")
        return found
    wake_run(run)
    return run


def _create(connection: Connection, kind: RunKind, user: Actor | None, **facts: Any) -> SyncRun | None:
    """A run with its lanes; None where one of its kind is open."""
    run = _insert(connection, kind, user, **facts)
    if run is not None:
        for name in LANES[kind]:
            RunLane.objects.create(run=run, name=name)
    return run


def _insert(connection: Connection, kind: RunKind, user: Actor | None, **facts: Any) -> SyncRun | None:
    """A run; None where one of its kind is open."""
    try:
        with transaction.atomic():
            run: SyncRun = SyncRun.objects.create(
                connection_id=connection.pk,
                kind=kind,
                requested_by_id=user.pk if user else None,
                requested_by_label=user.display_name[:254] if user else "Syncline",
                **facts,
            )
    except IntegrityError:
        return None
    return run


def open_push_run(connection: Connection) -> SyncRun:
    """The open outbound run of a connection, made where there is none."""
    run = _create(connection, RunKind.OUTBOUND, None, trigger="system")
    if run is None:
        found: SyncRun = SyncRun.objects.get(
            connection_id=connection.pk, kind=RunKind.OUTBOUND, state__in=OPEN_RUN_STATES
        )
        return found
    wake_run(run)
    return run


def _supersede(run: SyncRun) -> None:
    """End a run from outside: whoever holds a lane finds its fencing number passed."""
    SyncRun.objects.filter(id=run.pk).update(
        state=RunState.CANCELLED, failure="A full sync took its place.", finished_at=timezone.now(), step=""
    )
    RunLane.objects.filter(run=run).update(fence=F("fence") + 1, is_done=True, lease_until=None)


def wake_run(run: SyncRun) -> None:
    """Call the workers to a run when the transaction commits."""
    for lane in RunLane.objects.filter(run=run, is_done=False):
        wake(f"apps.sync.tasks.{lane.name}_lane", run.tenant_id or 0, run.pk, queue=QUEUES[lane.name])


def cancel_run(*, run: SyncRun, user: Actor) -> None:
    """Ask an open run to stop; what it has applied stays."""
    changed = SyncRun.objects.filter(id=run.pk, state__in=[RunState.QUEUED, RunState.RUNNING]).update(
        state=RunState.CANCELLING, step="Stopping"
    )
    if changed:
        RunLane.objects.filter(run=run, is_done=False).update(due_at=timezone.now())
        audit(actor=user, action="full_sync_cancelled", subject=f"Full sync {run.pk}")
        wake_run(run)
