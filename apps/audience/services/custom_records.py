"""Making and changing custom records."""

from collections.abc import Mapping

from django.utils import timezone

from apps.audience.models import CustomRecord, CustomRecordType, Source
from apps.audience.services.records import BY_HAND, locked, note_change, save_change, switch_active
from apps.audience.services.values import BadValues, columns_of, differing, filled_fields, put, read_values
from apps.outbox.queue import queue_change
from apps.tenants.actors import Actor

_NAMELESS = "It needs a name."


def create_custom_record(
    *,
    record_type: CustomRecordType,
    values: Mapping[str, str],
    user: Actor | None,
    source: Source = Source.MANUAL,
    origin: str = BY_HAND,
    external_key: str = "",
) -> CustomRecord:
    """Make a record of typed values by field. Raises BadValues."""
    local_type = record_type.local_type
    filled = {name: value for name, value in read_values(local_type, values).items() if value not in ("", None)}
    if not filled.get("name"):
        raise BadValues({"name": _NAMELESS})
    now = timezone.now()
    record = CustomRecord(
        record_type=record_type, source=source, external_key=external_key, created_at=now, updated_at=now
    )
    put(local_type, record, filled)
    record.save(force_insert=True)
    note_change(record, lines={}, user=user, at=now)
    queue_change(local_type=local_type, local_id=record.pk, fields=list(filled), origin=origin, at=now)
    return record


def update_custom_record(
    *,
    record: CustomRecord,
    values: Mapping[str, str],
    seen_version: int | None,
    user: Actor | None,
    origin: str = BY_HAND,
) -> CustomRecord:
    """Change what differs of the typed values; where nothing does, nothing is written.

    Raises BadValues and RecordMoved. A record that has never had a name, since Salesforce gives it, may go without.
    """
    local_type = record.local_type
    read = read_values(local_type, values)
    row = locked(record, seen_version)
    changed = differing(local_type, row, read)
    if not changed:
        return row
    if changed.get("name", row.name) == "" and row.name:
        raise BadValues({"name": _NAMELESS})
    lines = put(local_type, row, changed)
    columns = columns_of(local_type, changed)
    save_change(row, columns=columns, lines=lines, queued=changed, user=user, origin=origin)
    return row


def switch_custom_record(
    *,
    record: CustomRecord,
    is_active: bool,
    user: Actor | None,
    seen_version: int | None = None,
    origin: str = BY_HAND,
) -> CustomRecord:
    """Take a record out of use here, or into use again; its row in Salesforce stays as it is. One that is not there
    yet is queued whole. Raises RecordMoved."""
    whole = [] if record.is_linked or not is_active else filled_fields(record.local_type, record)
    return switch_active(record, is_active=is_active, seen_version=seen_version, user=user, queued=whole, origin=origin)
