"""What members did to a record, and who moved it since a version was seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import ConsentChange, Person, RecordChange

SYNC = "a sync with Salesforce"


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody, or a sync, who changed a record since it was seen; a sync's fields are told by the activity log."""

    who: str
    at: datetime | None = None
    fields: list[str] = field(default_factory=list)


def changes_of_record(local_type: str, record_id: int, limit: int = 30) -> list[RecordChange]:
    """Edits of a record by members, the newest first."""
    rows = RecordChange.objects.filter(**{RECORD_COLUMNS[local_type]: record_id})
    return list(rows.order_by("-id")[:limit])


def moves_since(local_type: str, record_id: int, seen: int, now: int) -> list[Move]:
    """Who made the versions after the one that was seen; those that nobody here made are a sync's."""
    rows = RecordChange.objects.filter(**{RECORD_COLUMNS[local_type]: record_id}, version__gt=seen, version__lte=now)
    found = [Move(row.actor_label, row.at, list(row.changes)) for row in rows.order_by("id")[:50]]
    return found if len(found) >= now - seen else [*found, Move(SYNC)]


def consent_of(person: Person, limit: int = 20) -> list[ConsentChange]:
    """Opt-outs and opt-ins that were written down here, the newest first."""
    return list(ConsentChange.objects.filter(person_id=person.pk).order_by("-id")[:limit])


def deactivated_here(changes: Sequence[RecordChange]) -> RecordChange | None:
    """The edit by which a member deactivated a record, of its edits newest first; None where none did last."""
    switched = next((change for change in changes if "is_active" in change.changes), None)
    return switched if switched is not None and switched.changes["is_active"].get("after") == "false" else None
