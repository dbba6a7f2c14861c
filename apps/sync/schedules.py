"""Schedules: when a connection is next due for what happens by itself."""

from datetime import datetime, timedelta

from django.utils import timezone

from apps.integrations.models import Connection
from apps.sync.models import Schedule
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of

SWEEP_EVERY = timedelta(hours=24)
_NIGHT_HOUR = 2


def next_slot(due: datetime | None, frequency: timedelta, now: datetime) -> datetime:
    """The first slot after ``now``: slots that were missed are caught up by one sync, not by as many as were missed."""
    if due is None or due > now:
        return now + frequency
    missed = int((now - due) / frequency)
    return due + frequency * (missed + 1)


def next_sweep(connection_id: int, now: datetime) -> datetime:
    """The next night, spread over an hour by connection so that not all sweep at once."""
    night = now.replace(hour=_NIGHT_HOUR, minute=connection_id % 60, second=0, microsecond=0)
    return night if night > now else night + SWEEP_EVERY


def begin_schedule(connection_id: int, settings: SyncSettings, *, sweeps_now: bool = False) -> None:
    """After a full sync: differential syncs and sweeps are due from now on; ``sweeps_now``: a sweep at once."""
    now = timezone.now()
    frequency = timedelta(minutes=settings.frequency_minutes)
    Schedule.objects.update_or_create(
        connection_id=connection_id,
        defaults={
            "differential_due_at": now + frequency if frequency else None,
            "sweep_due_at": now if sweeps_now else next_sweep(connection_id, now),
        },
    )


def reschedule(connection: Connection) -> None:
    """After the frequency or "Syncs Enabled" was changed: the next sync follows the new settings, at once where one
    is overdue."""
    settings = settings_of(connection)
    row = Schedule.objects.filter(connection_id=connection.pk).first()
    if row is None:
        return
    frequency = timedelta(minutes=settings.frequency_minutes)
    due = None
    if frequency:
        last = row.last_differential_at
        due = timezone.now() if last is None else max(timezone.now(), last + frequency)
    Schedule.objects.filter(id=row.pk).update(differential_due_at=due)
