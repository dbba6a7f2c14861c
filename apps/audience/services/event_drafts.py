"""What somebody says has happened, checked: hostile, huge or half values become words, never an error of ours."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.audience.fields import BadValue, Kind, LocalField, read_value
from apps.audience.models import RECEIVED_KINDS, EventKind
from apps.domain.values import clean_text

LONGEST_ID = 200
LONGEST_KEY = 120
LONGEST_DETAILS = 32_768
_LONGEST_SUBJECT = 255
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_EARLY_CLOCK = timedelta(days=1)
"""A sender's clock may be so much ahead of ours; such an event has happened now."""
_LARGEST_ID = 2**63 - 1
_TEXTS = ("url", "form", "email", "link", "channel", "source", "bounce", "body", "inbox_state", "title")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_EMAIL = LocalField("email", "E-mail", Kind.EMAIL)
_NAMED_BY = {
    EventKind.FORM_SUBMITTED: ("form", "url"),
    EventKind.PAGE_VISITED: ("title", "url"),
    EventKind.EMAIL_SENT: ("email",),
    EventKind.EMAIL_OPENED: ("email",),
    EventKind.EMAIL_CLICKED: ("link", "email"),
    EventKind.EMAIL_BOUNCED: ("email",),
    EventKind.REPLIED: ("email",),
}


@dataclass(frozen=True, slots=True)
class EventDraft:
    """One event as it was sent. The person is named by id, by ``external_key`` or by e-mail, in this order; with
    ``creates`` one who is not known yet is made, of ``values`` (typed text by field)."""

    kind: str
    person_id: int | None = None
    external_key: str = ""
    email: str = ""
    happened_at: datetime | None = None
    external_id: str = ""
    subject: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedEvent:
    """An event that can be stored as it is."""

    kind: EventKind
    person_id: int | None
    external_key: str
    email: str
    happened_at: datetime
    external_id: str
    subject: str
    details: Mapping[str, Any]
    creates: bool
    values: Mapping[str, str]

    def text(self, name: str) -> str:
        """A detail as one line of text; "" where there is none."""
        return " ".join(str(self.details.get(name, "")).split())[:255]


class BadEvent(ValueError):
    """An event that cannot be taken, with the reason in words."""


def checked(draft: EventDraft, now: datetime) -> CheckedEvent:
    """The event as it is stored. Raises BadEvent."""
    kind = _kind(draft.kind)
    details = _details(draft.details)
    key, email = _short(draft.external_key, "external_key", LONGEST_KEY), _email(draft.email)
    if draft.person_id is None and not key and not email:
        raise BadEvent("Say whose event it is: by person id, external key or e-mail.")
    if draft.person_id is not None and not 0 < draft.person_id <= _LARGEST_ID:
        raise BadEvent("There is no such person.")
    return CheckedEvent(
        kind=kind,
        person_id=draft.person_id,
        external_key=key,
        email=email,
        happened_at=_moment(draft.happened_at, now),
        external_id=_short(draft.external_id, "external_id", LONGEST_ID),
        subject=_subject(kind, draft.subject, details),
        details=details,
        creates=draft.creates,
        values=draft.values,
    )


def _kind(text: str) -> EventKind:
    if text not in {kind.value for kind in RECEIVED_KINDS}:
        raise BadEvent(f"“{text[:40]}” is no kind of event. There are: {', '.join(RECEIVED_KINDS)}.")
    return EventKind(text)


def _short(text: str, name: str, longest: int) -> str:
    short = clean_text(text)
    if len(short) > longest:
        raise BadEvent(f"The {name} is too long: at most {longest} characters.")
    if not _encodes(short):
        raise BadEvent(f"The {name} holds characters that cannot be stored.")
    return short


def _email(text: str) -> str:
    try:
        return str(read_value(_EMAIL, text))
    except BadValue as error:
        raise BadEvent(str(error)) from error


def _moment(moment: datetime | None, now: datetime) -> datetime:
    if moment is None:
        return now
    if moment.tzinfo is None:
        raise BadEvent("The time needs a zone, such as 2026-01-31T14:30:00Z.")
    if moment > now + _EARLY_CLOCK:
        raise BadEvent("The time lies in the future.")
    if moment < _EARLIEST:
        raise BadEvent("The time lies too far back.")
    return min(moment, now)


def _details(details: Mapping[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(dict(details), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadEvent("The details are no JSON object.") from error
    if not _encodes(text) or _NUL.search(text):
        raise BadEvent("The details hold characters that cannot be stored.")
    if len(text) > LONGEST_DETAILS:
        raise BadEvent(f"The details are too long: at most {LONGEST_DETAILS:,} characters of JSON.")
    wrong = next((name for name in _TEXTS if not isinstance(details.get(name, ""), str)), None)
    if wrong is not None:
        raise BadEvent(f"The detail “{wrong}” has to be text.")
    return dict(details)


def _subject(kind: EventKind, text: str, details: Mapping[str, Any]) -> str:
    """What was sent, or what the details name; on one line, cut to what the column and Salesforce's Subject hold."""
    line = " ".join(clean_text(text).split())
    if not line:
        named = next((str(details[name]) for name in _NAMED_BY.get(kind, ()) if details.get(name)), "")
        line = " ".join(f"{kind.label}: {named}".split()) if named else kind.label
    if not _encodes(line):
        raise BadEvent("The subject holds characters that cannot be stored.")
    return line[:_LONGEST_SUBJECT]


def _encodes(text: str) -> bool:
    """Whether PostgreSQL can hold it: half a surrogate pair is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
