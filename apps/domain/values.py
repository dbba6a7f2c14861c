"""Canonical text: the one form in which values are compared, kept in baselines and shown in the log.

A canonical value is a ``str``; ``""`` is blank. ``None`` is *unknown*: absent, hidden or unreadable, and never blank.
"""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any


class FieldType(StrEnum):
    """Salesforce's field types (``fieldType`` of the partner WSDL)."""

    STRING = "string"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    COMBOBOX = "combobox"
    REFERENCE = "reference"
    BASE64 = "base64"
    BOOLEAN = "boolean"
    CURRENCY = "currency"
    TEXTAREA = "textarea"
    INT = "int"
    LONG = "long"
    DOUBLE = "double"
    PERCENT = "percent"
    PHONE = "phone"
    ID = "id"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    URL = "url"
    EMAIL = "email"
    ENCRYPTEDSTRING = "encryptedstring"
    DATACATEGORYGROUPREFERENCE = "datacategorygroupreference"
    LOCATION = "location"
    ADDRESS = "address"
    ANYTYPE = "anyType"
    COMPLEXVALUE = "complexvalue"


NUMERIC = frozenset({FieldType.CURRENCY, FieldType.INT, FieldType.LONG, FieldType.DOUBLE, FieldType.PERCENT})
COMPOUND = frozenset({FieldType.ADDRESS, FieldType.LOCATION, FieldType.BASE64, FieldType.COMPLEXVALUE})
"""Types that no mapping can carry: their parts are fields of their own."""

MOST_DIGITS = 18
"""Digits before the point that a number of Salesforce can have (precision of the describes)."""

BLANKS = " \t\n\r\f\v"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CHECK_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class Unreadable(ValueError):
    """A value that its type cannot hold; it counts as unknown, and the row is reported."""


def normalize_id(raw: str) -> str:
    """The 18-character form of an id: each of the last three tells which of five characters are upper case.

    Raises Unreadable for anything else. Rule checked on recorded ids (facts, section 4).
    """
    if not _ID.fullmatch(raw):
        raise Unreadable(f"not an id: {raw[:20]!r}")
    base = raw[:15]
    suffix = ""
    for start in (0, 5, 10):
        bits = sum(1 << i for i, char in enumerate(base[start : start + 5]) if "A" <= char <= "Z")
        suffix += _CHECK_CHARACTERS[bits]
    return base + suffix


def clean_text(raw: str) -> str:
    """Text without NUL and outer blanks, with line feeds only; Salesforce cuts outer blanks itself."""
    return raw.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n").strip(BLANKS)


def number_text(raw: str, scale: int | None = None) -> str:
    """A number as plain decimal: no exponent, no zeros at the end of the fraction, no negative zero."""
    try:
        number = Decimal(raw)
    except InvalidOperation as error:
        raise Unreadable(f"not a number: {raw[:40]!r}") from error
    if not number.is_finite() or number.adjusted() >= MOST_DIGITS:
        raise Unreadable(f"not a number: {raw[:40]!r}")
    if scale is not None and -number.as_tuple().exponent > scale:  # type: ignore[operator]  # finite: an int
        number = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def datetime_text(raw: str) -> str:
    """A moment in UTC as ``2026-01-01T00:00:00.000Z``, which is what Bulk results carry."""
    text = raw.replace("Z", "+00:00") if raw.endswith("Z") else raw
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(f"not a date and time: {raw[:40]!r}") from error
    if moment.tzinfo is None:
        raise Unreadable(f"a date and time without zone: {raw[:40]!r}")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError as error:
        raise Unreadable(f"outside the calendar: {raw[:40]!r}") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _date_text(raw: str) -> str:
    if not _DATE.fullmatch(raw):
        raise Unreadable(f"not a date: {raw[:40]!r}")
    try:
        return date.fromisoformat(raw).isoformat()
    except ValueError as error:
        raise Unreadable(f"not a date: {raw[:40]!r}") from error


def _boolean_text(raw: str) -> str:
    lowered = raw.lower()
    if lowered not in {"true", "false"}:
        raise Unreadable(f"neither true nor false: {raw[:40]!r}")
    return lowered


def canonical(field_type: FieldType, raw: str | None, *, scale: int | None = None) -> str | None:
    """The canonical text of a value as CSV delivers it; ``None`` stays unknown; raises Unreadable."""
    if raw is None:
        return None
    text = clean_text(raw)
    if field_type is FieldType.BOOLEAN:
        return _boolean_text(text or "false")
    if not text:
        return ""
    if field_type is FieldType.EMAIL:
        return text.lower()
    if field_type in NUMERIC:
        return number_text(text, scale)
    if field_type is FieldType.DATETIME:
        return datetime_text(text)
    if field_type is FieldType.DATE:
        return _date_text(text)
    if field_type in {FieldType.ID, FieldType.REFERENCE}:
        return normalize_id(text)
    if field_type is FieldType.MULTIPICKLIST:
        return ";".join(sorted({part.strip(BLANKS) for part in text.split(";")} - {""}))
    return text


def from_json(field_type: FieldType, value: Any, *, scale: int | None = None) -> str | None:
    """The canonical text of a value of a REST answer, where null is blank."""
    if value is None:
        return canonical(field_type, "", scale=scale)
    if isinstance(value, bool):
        return canonical(field_type, "true" if value else "false", scale=scale)
    if isinstance(value, int | float | Decimal):
        return canonical(field_type, str(value), scale=scale)
    if isinstance(value, str):
        return canonical(field_type, value, scale=scale)
    raise Unreadable(f"a {type(value).__name__} where a value was expected")


def to_json(field_type: FieldType, text: str) -> str | int | float | bool | None:
    """The value to send in a JSON body: null clears a field."""
    if field_type is FieldType.BOOLEAN:
        return text == "true"
    if text == "":
        return None
    if field_type in {FieldType.INT, FieldType.LONG}:
        return int(Decimal(text))
    if field_type in NUMERIC:
        return float(Decimal(text))
    return text


def to_csv(text: str) -> str:
    """The cell to send in a Bulk job: an empty cell means "no change", so blank is ``#N/A``.

    A person's own text ``#N/A`` would clear the field; such a row must go by JSON instead, hence Unreadable.
    """
    if text == "#N/A":
        raise Unreadable("the text #N/A cannot be sent in a Bulk job")
    return text or "#N/A"


def domain_of(text: str) -> str:
    """The bare domain of a website or e-mail address, or ``""``."""
    host = text.strip().lower().rsplit("@", 1)[-1]
    host = host.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].split(":", 1)[0]
    host = host.removeprefix("www.").strip(".")
    return host if "." in host and " " not in host else ""


def further_words(text: str) -> set[str]:
    """The words of a name, lower-case, that do not begin it: a search by prefix finds the rest."""
    return set(re.split(r"[\W_]+", text.lower())[1:]) - {""}
