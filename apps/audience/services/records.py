"""What all changes of records have in common: the lock, the version seen, the row that tells who, the queue."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audience.announcing import announce_edit
from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Company, CustomRecord, Person, Record, RecordChange
from apps.audience.selectors.changes import Move, moves_since
from apps.outbox.queue import queue_change
from apps.tenants.actors import Actor

Kept = TypeVar("Kept", Person, Company, CustomRecord)
ACTIVE = "is_active"
EXTERNAL_KEY = "external_key"
_UNNAMED = "Syncline"
BY_HAND = "user"
"""The origin of what a member does on a page."""


class RecordMoved(Exception):
    """The record has changed since it was seen; ``moves`` says who or what changed it, and what."""

    def __init__(self, record: Record, moves: list[Move]) -> None:
        names = ", ".join(dict.fromkeys(move.who for move in moves))
        super().__init__(f"Changed meanwhile by {names}.")
        self.record = record
        self.moves = moves


class ExternalKeyTaken(Exception):
    """Another record of the same kind, active or not, has this external key."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record} has this external key already.")
        self.record = record


def locked(record: Kept, seen_version: int | None) -> Kept:
    """The record as it is now, locked. Raises RecordMoved where it is not the version that was seen; None: any."""
    row: Kept = type(record).objects.select_for_update().get(id=record.pk)
    if seen_version is not None and row.version != seen_version:
        raise RecordMoved(row, moves_since(row.local_type, row.pk, seen_version, row.version))
    return row


def save_change(
    record: Person | Company | CustomRecord,
    *,
    columns: Iterable[str],
    lines: Mapping[str, Mapping[str, str]],
    queued: Iterable[str],
    user: Actor | None,
    origin: str = BY_HAND,
) -> None:
    """Save changed columns as a new version, write down who did it, and queue what concerns Salesforce."""
    now = timezone.now()
    record.version += 1
    record.updated_at = now
    record.save(update_fields=[*columns, "version", "updated_at"])
    note_change(record, lines=lines, user=user, at=now)
    announce_edit(record, lines, origin=origin)
    queue_change(local_type=record.local_type, local_id=record.pk, fields=list(queued), origin=origin, at=now)


def note_change(
    record: Person | Company | CustomRecord,
    *,
    lines: Mapping[str, Mapping[str, str]],
    user: Actor | None,
    at: datetime,
) -> None:
    """Write down who made this version of the record."""
    RecordChange.objects.create(
        **{RECORD_COLUMNS[record.local_type]: record.pk},
        version=record.version,
        actor_id=user.pk if user else None,
        actor_label=actor_label(user),
        changes=lines,
        at=at,
    )


def actor_label(user: Actor | None) -> str:
    """Who acts, as the timeline names them."""
    return user.display_name if user else _UNNAMED


def switch_active(
    record: Kept,
    *,
    is_active: bool,
    seen_version: int | None,
    user: Actor | None,
    queued: Iterable[str] = (),
    origin: str = BY_HAND,
) -> Kept:
    """Deactivate or reactivate; a record that is so already stays as it is. Nothing is deleted in Salesforce."""
    row = locked(record, seen_version)
    if row.is_active == is_active:
        return row
    row.is_active = is_active
    lines = {ACTIVE: {"before": str(not is_active).lower(), "after": str(is_active).lower()}}
    save_change(row, columns=[ACTIVE], lines=lines, queued=queued, user=user, origin=origin)
    return row


def set_external_key(
    record: Kept, *, external_key: str, seen_version: int | None, user: Actor | None, origin: str = BY_HAND
) -> Kept:
    """Note what the tenant's own systems call a record; "" takes it away. Raises RecordMoved and ExternalKeyTaken."""
    row = locked(record, seen_version)
    if row.external_key == external_key:
        return row
    refuse_taken_key(type(row), external_key)
    lines = {EXTERNAL_KEY: {"before": row.external_key, "after": external_key}}
    row.external_key = external_key
    try:
        with transaction.atomic():
            save_change(row, columns=[EXTERNAL_KEY], lines=lines, queued=[], user=user, origin=origin)
    except IntegrityError:
        refuse_taken_key(type(row), external_key)
        raise
    return row


def refuse_taken_key(model: type[Record], external_key: str) -> None:
    """Raise ExternalKeyTaken where a record of the kind has the key."""
    other = model.objects.filter(external_key=external_key).first() if external_key else None
    if other is not None:
        raise ExternalKeyTaken(other)
