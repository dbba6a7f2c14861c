"""Beginning what is due by itself."""

from datetime import timedelta

from django.utils import timezone

from apps.integrations.models import Connection, ConnectionState
from apps.sync.lanes import Hold
from apps.sync.models import Schedule
from apps.sync.push.claims import note_due
from apps.sync.push.parts import next_work_due
from apps.sync.schedules import next_slot, next_sweep
from apps.sync.services import CannotStart, begin_differential_sync, open_push_run, start_sweep
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction

_A_LITTLE_LATER = timedelta(minutes=10)


def begin_due_sync(tenant_id: int, connection_id: int) -> Hold | None:
    """Begin the differential sync of a connection whose time has come, its lane held; its schedule moves to the next
    slot. None where it is not due, cannot start, or another pull is open: then it is tried again in the next slot."""
    now = timezone.now()
    with tenant_transaction(tenant_id):
        row = (
            Schedule.objects.select_for_update(skip_locked=True)
            .filter(connection_id=connection_id, differential_due_at__lte=now)
            .first()
        )
        if row is None:
            return None
        connection = Connection.objects.get(id=connection_id)
        settings = settings_of(connection)
        try:
            hold = begin_differential_sync(connection=connection, settings=settings)
        except CannotStart:
            hold = None
        frequency = timedelta(minutes=settings.frequency_minutes)
        row.differential_due_at = next_slot(row.differential_due_at, frequency, now) if frequency else None
        row.save(update_fields=["differential_due_at"])
        return hold


def begin_due_sweep(tenant_id: int, connection_id: int) -> int | None:
    """Queue the sweep of a connection whose night has come; its schedule moves to the next one. Where another pull
    is open it is tried again a little later."""
    now = timezone.now()
    with tenant_transaction(tenant_id):
        row = (
            Schedule.objects.select_for_update(skip_locked=True)
            .filter(connection_id=connection_id, sweep_due_at__lte=now)
            .first()
        )
        if row is None:
            return None
        run = start_sweep(connection=Connection.objects.get(id=connection_id))
        row.sweep_due_at = next_sweep(connection_id, now) if run else now + _A_LITTLE_LATER
        row.save(update_fields=["sweep_due_at"])
        return run.pk if run else None


def begin_due_push(tenant_id: int, *, with_sync: bool = False) -> int | None:
    """Queue the outbound run of a tenant whose changes are due; None where nothing may go out now. Changes wait
    while syncs are off, and for the next sync (``with_sync``) where they are not pushed automatically."""
    with tenant_transaction(tenant_id):
        connection = Connection.objects.filter(state=ConnectionState.CONNECTED).first()
        if connection is None:
            note_due(None)
            return None
        settings = settings_of(connection)
        if not settings.syncs_enabled or not (settings.push_automatically or with_sync):
            note_due(None)
            return None
        due = next_work_due(settings)
        if due is None or due > timezone.now():
            note_due(due)
            return None
        run: int = open_push_run(connection).pk
        return run
