"""Automatic values: what Syncline tells Salesforce by itself, in fields of its own package (E03, E05, E06).

They go out only, need no mapping and no permission of a step, and are written where their field exists and holds
something else. Nothing is ever brought in from them, and nothing of theirs is emptied.
"""

from collections.abc import Collection, Mapping
from typing import Any

from apps.domain.ports import ObjectSchema
from apps.domain.values import FieldType
from apps.domain.writing import writable

SCORE_FIELD = "Syncline_Lead_Score__c"
AUTOMATIC_FIELDS: dict[str, tuple[str, FieldType]] = {
    "score": (SCORE_FIELD, FieldType.DOUBLE),
    "most_recent_visit": ("Syncline_Most_Recent_Visit__c", FieldType.DATETIME),
    "first_touch_channel": ("Syncline_First_Touch_Channel__c", FieldType.STRING),
    "first_touch_source": ("Syncline_First_Touch_Source__c", FieldType.STRING),
    "last_touch_channel": ("Syncline_Last_Touch_Channel__c", FieldType.STRING),
    "last_touch_source": ("Syncline_Last_Touch_Source__c", FieldType.STRING),
}
"""Ours → the package's field on Lead and Contact, and its type (design, section 7)."""
AUTOMATIC = frozenset(AUTOMATIC_FIELDS)
STATES = frozenset({"sequence_status", "inbox_state"})
"""States of a person that steps translate into the status of their lead (E08)."""
READ = {remote: (kind, 0 if kind is FieldType.DOUBLE else None) for remote, kind in AUTOMATIC_FIELDS.values()}
"""What is read of a row to see whether it differs."""
_NOTHING = {"", "0"}


def is_by_itself(fields: Collection[str]) -> bool:
    """Whether a waiting change concerns nothing but what Syncline tells by itself: no reason to make a row."""
    return bool(fields) and set(fields) <= AUTOMATIC | STATES


def goes_alone(fields: Collection[str], *, only_score: bool) -> bool:
    """Whether a waiting change is written without what is mapped: a state always is, an automatic value where the
    settings say so (B06)."""
    return is_by_itself(fields) and (only_score or AUTOMATIC.isdisjoint(fields))


def automatic_values(
    schema: ObjectSchema,
    ours: Mapping[str, str],
    theirs: Mapping[str, str | None],
    *,
    creating: bool = False,
    mapped: Collection[str] = (),
) -> dict[str, str]:
    """The values to write, by remote field: those that differ, in fields that exist, may be written, and are not
    ``mapped`` to something else. A hidden value (None) is unknown and left alone; a score that nobody has earned yet
    is not worth a write."""
    wanted: dict[str, str] = {}
    for name, (remote, kind) in AUTOMATIC_FIELDS.items():
        field = schema.fields.get(remote)
        held = "" if creating else theirs.get(remote)
        if field is None or remote in mapped or held is None:
            continue
        text = ours.get(name, "")
        if kind is FieldType.STRING and field.length:
            text = text[: field.length].strip()
        is_blank = text in _NOTHING and (held in _NOTHING or kind is not FieldType.DOUBLE)
        if not is_blank and text != held:
            wanted[remote] = text
    return writable(schema, wanted, creating=creating)


def local_names(values: Mapping[str, Any]) -> dict[str, str]:
    """Our names of automatic values that are written, by remote field."""
    return {remote: name for name, (remote, _) in AUTOMATIC_FIELDS.items() if remote in values}
