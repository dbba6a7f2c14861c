"""Beginning what is due by itself."""

from datetime import timedelta

from django.utils import timezone

from apps.integrations.models import Connection
from apps.sync.models import Schedule
from apps.sync.schedules import next_due
from apps.sync.services import CannotStart, start_differential_sync
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction


def begin_due_sync(tenant_id: int, connection_id: int) -> int | None:
    """Queue the differential sync of a connection whose time has come; its schedule moves to the next slot. None
    where it is not due, cannot start, or another pull is open: then it is tried again in the next slot."""
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
        frequency = timedelta(minutes=settings_of(connection).frequency_minutes)
        row.differential_due_at = next_due(row.differential_due_at, frequency, now) if frequency else None
        row.save(update_fields=["differential_due_at"])
        try:
            run = start_differential_sync(connection=connection, trigger="schedule")
        except CannotStart:
            return None
        return run.pk if run else None
