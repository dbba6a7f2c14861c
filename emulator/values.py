"""One value: from what a client sends to what is stored, and from there to JSON.

Stored: booleans as ``true``/``false``, numbers as numbers, dates and datetimes as Bulk CSV writes them
(``2026-01-01T00:00:00.000Z``), text trimmed, blank as NULL.
"""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from emulator.errors import Refused, refused
from emulator.ids import is_id, normalized
from emulator.schema import Field

Stored = str | int | float | None

_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"]+@[^\s@,;:<>()\[\]\"]+\.[^\s@.,;:<>()\[\]\"]{2,}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+-]\d\d:?\d\d)?)?")
_BLANKS = " \t\n\r\f\v"


class Unparsable(Exception):
    """A value that is none of the field's type; ``kind`` is Salesforce's word for the type."""

    def __init__(self, field: Field, value: Any) -> None:
        self.kind = {"currency": "double", "percent": "double"}.get(field.type, field.type)
        self.field, self.value = field, value
        super().__init__(self.kind)


def moment_text(moment: datetime) -> str:
    """A point of time as it is stored."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 date or datetime with offset, or None."""
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        return None
    day, clock, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    whole, _, fraction = (clock or "00:00:00").partition(".")
    whole = whole if whole.count(":") == 2 else whole + ":00"
    try:
        return datetime.fromisoformat(f"{day}T{whole}.{(fraction + '000000')[:6]}{zone}")
    except ValueError:
        return None


def to_stored(field: Field, raw: Any) -> Stored:
    """Parse and check one value; raises Unparsable or Refused (recorded/errors)."""
    if field.type == "boolean":
        return _boolean(field, raw)
    if raw is None:
        return None
    if isinstance(raw, (dict, list)):
        raise Unparsable(field, raw)
    if field.is_number or field.type in {"int", "long"}:
        return _number(field, raw)
    text = ("true" if raw else "false") if isinstance(raw, bool) else str(raw)
    text = text.replace("\x00", "").strip(_BLANKS)
    if not text:
        return None
    if field.type in {"id", "reference"}:
        if not is_id(text):
            raise _wrong_id(field, text)
        return normalized(text)
    if field.type in {"date", "datetime"}:
        return _time(field, text)
    return _text(field, text)


def _boolean(field: Field, raw: Any) -> str:
    if raw is None or raw == "":
        return "false"
    text = str(raw).strip().lower()
    if text not in {"true", "false", "1", "0"}:
        raise Unparsable(field, raw)
    return "true" if text in {"true", "1"} else "false"


def _number(field: Field, raw: Any) -> int | float | None:
    text = str(raw).strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Unparsable(field, raw) from None
    if not number.is_finite() or isinstance(raw, bool):
        raise Unparsable(field, raw)
    whole_digits = field.digits or (field.precision - field.scale) or 18
    if abs(number) >= Decimal(10) ** whole_digits:
        message = f"{field.label}: value outside of valid range on numeric field: {text}"
        raise refused("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)
    if field.type in {"int", "long"}:
        if number != number.to_integral_value():
            raise Unparsable(field, raw)
        return int(number)
    return float(number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP))


def _time(field: Field, text: str) -> str:
    moment = parse_moment(text)
    if moment is None:
        raise Unparsable(field, text)
    return moment_text(moment) if field.type == "datetime" else text[:10]


def _text(field: Field, text: str) -> str:
    if field.type == "email" and not _EMAIL.fullmatch(text):
        raise refused("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", field.name)
    if field.length and len(text) > field.length and field.type != "multipicklist":
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise refused("STRING_TOO_LONG", message, field.name)
    if field.type == "multipicklist":
        chosen = dict.fromkeys(part.strip() for part in text.split(";") if part.strip())
        known = [value.value for value in field.values]
        parts = [v for v in known if v in chosen] + [v for v in chosen if v not in known]
        _check_values(field, parts)
        return ";".join(parts)
    if field.type == "picklist":
        _check_values(field, [text])
    return text


def _check_values(field: Field, parts: list[str]) -> None:
    known = {value.value.lower() for value in field.values}
    for part in parts:
        if field.is_restricted and known and part.lower() not in known:
            message = f"{field.label}: bad value for restricted picklist field: {part}"
            raise refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)


def _wrong_id(field: Field, text: str) -> Refused:
    return refused("MALFORMED_ID", f"{field.label.removesuffix(' ID')}: id value of incorrect type: {text}", field.name)


def wrong_type_id(field: Field, text: str) -> Refused:
    """A well-formed id of another object than the field refers to (errors/MALFORMED_ID-400.json)."""
    return _wrong_id(field, text[:15])


def to_json(field: Field, value: Stored) -> Any:
    """A stored value as REST answers it."""
    if value is None:
        return None
    if field.type == "boolean":
        return value == "true"
    if field.type == "datetime":
        return str(value).replace("Z", "+0000")
    if field.is_number:
        return float(value)
    return value


def rest_moment(stored: str) -> str:
    """A stored point of time as REST answers it."""
    return stored.replace("Z", "+0000")


def today(moment: datetime) -> date:
    """The date of a moment; orgs here live in UTC."""
    return moment.astimezone(UTC).date()
