"""An event as a Task: what is sent, and how one that was sent before is known again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apps.domain.ports import ObjectSchema
from apps.domain.values import clean_text

ACTIVITY_ID = "Syncline_Activity_Id__c"
"""The package's field on Task that names our event: external id, unique (design, section 7)."""
_LONGEST_SUBJECT = 255
_LONGEST_DESCRIPTION = 32_000
_TYPES = {"call_logged": "Call", "email_sent": "Email", "email_opened": "Email", "email_clicked": "Email"}
_LINES = {
    "url": "Page",
    "form": "Form",
    "email": "E-mail",
    "link": "Link",
    "channel": "Channel",
    "source": "Source",
}
_LONGEST_CALL = 99_999_999
"""Seconds that CallDurationInSeconds holds (8 digits in the describe)."""


@dataclass(frozen=True, slots=True)
class Activity:
    """An event that is to become a Task. ``key`` names it in every org and for ever."""

    id: int
    key: str
    kind: str
    happened_at: datetime
    subject: str
    details: Mapping[str, Any]


def task_values(activity: Activity, who: str, schema: ObjectSchema) -> dict[str, Any]:
    """The JSON members of the Task. Without the external id the description ends with the event's name, by which the
    Task is found again."""
    is_named = ACTIVITY_ID in schema.fields
    values: dict[str, Any] = {
        "WhoId": who,
        "Subject": activity.subject[:_LONGEST_SUBJECT],
        "ActivityDate": activity.happened_at.astimezone(UTC).date().isoformat(),
        "Description": _description(activity, "" if is_named else mark_of(activity.key)),
        "Status": _choice(schema, "Status", "Completed"),
        "Type": _choice(schema, "Type", _TYPES.get(activity.kind, "Other")),
    }
    if activity.kind == "call_logged":
        values |= _call(activity.details)
    if is_named:
        values[ACTIVITY_ID] = activity.key
    shown = schema.fields
    return {name: value for name, value in values.items() if value and name in shown and shown[name].createable}


def mark_of(key: str) -> str:
    """The line that names an event in a description."""
    return f"Syncline event {key}"


def is_task_of(row: Mapping[str, Any], activity: Activity) -> bool:
    """Whether a Task that was found is the one that was made of this event."""
    return str(row.get("Description") or "").rstrip().endswith(mark_of(activity.key))


def _choice(schema: ObjectSchema, name: str, value: str) -> str:
    """The value, if the org's picklist has it."""
    field = schema.fields.get(name)
    return value if field is not None and value in {choice for choice, _ in field.picklist} else ""


def _description(activity: Activity, mark: str) -> str:
    lines = [clean_text(str(activity.details.get("body", "")))]
    lines += [f"{label}: {text}" for name, label in _LINES.items() if (text := _line(activity.details, name))]
    lines.append(f"Happened: {activity.happened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
    text = "\n".join(line for line in lines if line)[: _LONGEST_DESCRIPTION - len(mark) - 2]
    return f"{text}\n\n{mark}" if mark else text


def _line(details: Mapping[str, Any], name: str) -> str:
    return " ".join(str(details.get(name, "")).split())[:1_000]


def _call(details: Mapping[str, Any]) -> dict[str, Any]:
    """What a call brings along: how long it was, and what came of it."""
    seconds = details.get("duration")
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds <= _LONGEST_CALL
    return {"CallDurationInSeconds": seconds if is_number else None, "CallDisposition": _line(details, "result")[:255]}
