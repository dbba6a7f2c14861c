"""What all changes of records have in common: the lock, the version seen, the row that tells who, the queue."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from django.utils import timezone

from apps.audience.models import Company, Person, Record, RecordChange
from apps.audience.selectors.changes import Move, moves_since
from apps.outbox.queue import queue_change
from apps.tenants.models import User

Kept = TypeVar("Kept", Person, Company)
ACTIVE = "is_active"
_UNNAMED = "Syncline"


class RecordMoved(Exception):
    """The record has changed since it was seen; ``moves`` says who or what changed it, and what."""

    def __init__(self, record: Record, moves: list[Move]) -> None:
        names = ", ".join(dict.fromkeys(move.who for move in moves))
        super().__init__(f"Changed meanwhile by {names}.")
        self.record = record
        self.moves = moves


def type_of(record: Record) -> str:
    """The record's local type."""
    return "person" if isinstance(record, Person) else "company"


def locked(record: Kept, seen_version: int | None) -> Kept:
    """The record as it is now, locked. Raises RecordMoved where it is not the version that was seen; None: any."""
    row: Kept = type(record).objects.select_for_update().get(id=record.pk)
    if seen_version is not None and row.version != seen_version:
        raise RecordMoved(row, moves_since(type_of(row), row.pk, seen_version, row.version))
    return row


def save_change(
    record: Person | Company,
    *,
    columns: Iterable[str],
    lines: Mapping[str, Mapping[str, str]],
    queued: Iterable[str],
    user: User | None,
    origin: str = "user",
    label: str = "",
) -> None:
    """Save changed columns as a new version, write down who did it, and queue what concerns Salesforce.

    ``label`` names whatever did it where that was no member.
    """
    now = timezone.now()
    record.version += 1
    record.updated_at = now
    record.save(update_fields=[*columns, "version", "updated_at"])
    note_change(record, lines=lines, user=user, at=now, label=label)
    queue_change(local_type=type_of(record), local_id=record.pk, fields=list(queued), origin=origin, at=now)


def note_change(
    record: Person | Company,
    *,
    lines: Mapping[str, Mapping[str, str]],
    user: User | None,
    at: datetime,
    label: str = "",
) -> None:
    """Write down who made this version of the record."""
    RecordChange.objects.create(
        **{f"{type_of(record)}_id": record.pk},
        version=record.version,
        actor_id=user.pk if user else None,
        actor_label=label[:254] or actor_label(user),
        changes=lines,
        at=at,
    )


def actor_label(user: User | None) -> str:
    """Who acts, as the timeline names them."""
    return user.display_name if user else _UNNAMED


def switch_active(
    record: Kept, *, is_active: bool, seen_version: int | None, user: User | None, queued: Iterable[str] = ()
) -> Kept:
    """Deactivate or reactivate; a record that is so already stays as it is. Nothing is deleted in Salesforce."""
    row = locked(record, seen_version)
    if row.is_active == is_active:
        return row
    row.is_active = is_active
    lines = {ACTIVE: {"before": str(not is_active).lower(), "after": str(is_active).lower()}}
    save_change(row, columns=[ACTIVE], lines=lines, queued=queued, user=user)
    return row
