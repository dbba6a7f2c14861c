"""The registry of fields that can be mapped: name, label, kind and column, and how typed text becomes a value."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email

from apps.domain.values import Unreadable, clean_text, datetime_text, number_text

CUSTOM_PREFIX = "custom:"
"""What the name of a tenant's own field begins with."""
CUSTOM_TYPE = "custom"
"""The kind of all custom record types; each one's local type is ``custom:<its id>``."""

Value = TypeVar("Value")


def kind_of(local_type: str) -> str:
    """The kind of a local type: person, company, opportunity, or custom for every custom record type."""
    return local_type.partition(":")[0]


class ByType(Mapping[str, Value]):
    """Something by local type. What is kept under ``custom`` holds for every custom record type."""

    def __init__(self, **by_kind: Value) -> None:
        self._by_kind = by_kind

    def __getitem__(self, local_type: str) -> Value:
        return self._by_kind[kind_of(local_type)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_kind)

    def __len__(self) -> int:
        return len(self._by_kind)


RECORD_COLUMNS = ByType(
    person="person_id", company="company_id", opportunity="opportunity_id", custom="custom_record_id"
)
"""Which column of a link, or of a change, names a record of each local type."""


class Kind(StrEnum):
    """What a local field holds."""

    TEXT = "text"
    EMAIL = "email"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    REFERENCE = "reference"
    LONG_TEXT = "long_text"
    DATETIME = "datetime"
    BOOLEAN = "boolean"
    PICKLIST = "picklist"
    MULTIPICKLIST = "multipicklist"
    URL = "url"

    @property
    def label(self) -> str:
        """The kind in words."""
        return _KIND_LABELS[self]


_KIND_LABELS = {
    Kind.TEXT: "Text",
    Kind.LONG_TEXT: "Long text",
    Kind.INTEGER: "Number",
    Kind.DECIMAL: "Decimal",
    Kind.DATE: "Date",
    Kind.DATETIME: "Date and time",
    Kind.BOOLEAN: "Yes or no",
    Kind.PICKLIST: "Picklist",
    Kind.MULTIPICKLIST: "Picklist (several)",
    Kind.EMAIL: "E-mail",
    Kind.URL: "URL",
    Kind.REFERENCE: "Reference",
}
TEXTUAL = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.EMAIL, Kind.URL, Kind.PICKLIST, Kind.MULTIPICKLIST})
"""Kinds whose blank is an empty text."""


@dataclass(frozen=True, slots=True)
class LocalField:
    """A field of a record type. A reference holds the id of a record of ``refers_to``; a picklist one of its
    ``options``."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    refers_to: str = ""
    options: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        return f"{self.name}_id" if self.kind is Kind.REFERENCE else self.name


def _texts(**labels: str) -> list[LocalField]:
    return [LocalField(name, label) for name, label in labels.items()]


_OWNER = LocalField("owner", "Owner", Kind.REFERENCE, "owner")

PERSON = {
    field.name: field
    for field in [
        LocalField("email", "E-mail", Kind.EMAIL),
        *_texts(
            first_name="First name",
            last_name="Last name",
            salutation="Salutation",
            title="Title",
            department="Department",
            company_name="Company name",
            phone="Phone",
            mobile_phone="Mobile phone",
            fax="Fax",
            website="Website",
            street="Street",
            city="City",
            state="State",
            postal_code="Postal code",
            country="Country",
            industry="Industry",
            lead_source="Lead source",
            lead_status="Lead status",
            rating="Rating",
            description="Description",
        ),
        LocalField("employees", "Employees", Kind.INTEGER),
        LocalField("annual_revenue", "Annual revenue", Kind.DECIMAL),
        LocalField("birthdate", "Birthdate", Kind.DATE),
        LocalField("company", "Company", Kind.REFERENCE, "company"),
        _OWNER,
    ]
}
COMPANY = {
    field.name: field
    for field in [
        *_texts(
            name="Name",
            website="Website",
            phone="Phone",
            industry="Industry",
            company_type="Type",
            billing_street="Billing street",
            billing_city="Billing city",
            billing_state="Billing state",
            billing_postal_code="Billing postal code",
            billing_country="Billing country",
            description="Description",
        ),
        LocalField("employees", "Employees", Kind.INTEGER),
        LocalField("annual_revenue", "Annual revenue", Kind.DECIMAL),
        _OWNER,
    ]
}
OPPORTUNITY = {
    field.name: field
    for field in [
        *_texts(
            name="Name",
            stage="Stage",
            opportunity_type="Type",
            lead_source="Lead source",
            next_step="Next step",
            description="Description",
        ),
        LocalField("amount", "Amount", Kind.DECIMAL),
        LocalField("probability", "Probability", Kind.DECIMAL),
        LocalField("close_date", "Close date", Kind.DATE),
        LocalField("is_closed", "Closed", Kind.BOOLEAN),
        LocalField("is_won", "Won", Kind.BOOLEAN),
        LocalField("company", "Company", Kind.REFERENCE, "company"),
        _OWNER,
    ]
}
CUSTOM_RECORD = {
    field.name: field
    for field in [
        LocalField("name", "Name"),
        LocalField("person", "Person", Kind.REFERENCE, "person"),
        LocalField("company", "Company", Kind.REFERENCE, "company"),
        _OWNER,
    ]
}
"""What every custom record type has; the rest are fields of the tenant's own."""
FIELDS: ByType[dict[str, LocalField]] = ByType(
    person=PERSON, company=COMPANY, opportunity=OPPORTUNITY, custom=CUSTOM_RECORD
)


def local_field(record_type: str, name: str) -> LocalField:
    """The field that a mapping names; a custom field holds canonical text."""
    if name.startswith(CUSTOM_PREFIX):
        return LocalField(name, name.removeprefix(CUSTOM_PREFIX))
    return FIELDS[record_type][name]


OTHER_LABELS = {
    "email_opt_out": "E-mail opt-out",
    "email_bounced": "E-mail bounced",
    "is_active": "Active",
    "score": "Score",
    "most_recent_visit": "Most recent visit",
    "first_touch_channel": "First touch channel",
    "first_touch_source": "First touch source",
    "last_touch_channel": "Last touch channel",
    "last_touch_source": "Last touch source",
    "sequence_status": "Sequence status",
    "inbox_state": "Inbox state",
}
"""Columns that are told to Salesforce or shown in the timeline, and that no mapping names."""


def local_label(record_type: str, name: str) -> str:
    """The field's name in words."""
    if name in FIELDS.get(record_type, {}):
        return FIELDS[record_type][name].label
    return OTHER_LABELS.get(name) or name.removeprefix(CUSTOM_PREFIX)


_validate_url = URLValidator(schemes=["http", "https"])

LONGEST_TEXT = 131_072
"""Characters: the most that a long text area of Salesforce holds (Salesforce field reference, "Long Text Area")."""
_LONGEST_EMAIL = 254
_LONGEST_URL = 2_000
_YES = frozenset({"true", "yes", "1", "on"})
_NO = frozenset({"false", "no", "0", "off"})
_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
_MOST_WHOLE = 10**18
_SPACES = "\u00a0\u202f "


class BadValue(ValueError):
    """Text that its field cannot hold, with the reason in words."""


def read_value(target: LocalField, typed: str) -> Any:
    """The value for a field's column from text that somebody typed; blank is None where the column is not text.

    A reference is the id of the record that it refers to. Raises BadValue.
    """
    text = clean_text(typed)
    if not text:
        return "" if target.kind in TEXTUAL else None
    if target.kind in {Kind.PICKLIST, Kind.MULTIPICKLIST}:
        return _read_choices(target, text)
    return _READERS[target.kind](text)


def plain_text(value: Any) -> str:
    """A column's value as a form shows it; ``read_value`` gives the same value back."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return number_text(str(value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return datetime_text(value.isoformat())
    return value.isoformat() if isinstance(value, date) else str(value)


def _read_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise BadValue(f"This is too long: at most {LONGEST_TEXT:,} characters.")
    return text


def _read_email(text: str) -> str:
    if len(text) > _LONGEST_EMAIL:
        raise BadValue(f"This is too long: at most {_LONGEST_EMAIL} characters.")
    try:
        validate_email(text)
    except ValidationError as error:
        raise BadValue("This is no e-mail address. One looks like ada@example.com.") from error
    return text.lower()


def _read_number(text: str, scale: int, example: str) -> Decimal:
    bare = text.translate(dict.fromkeys(map(ord, _SPACES)))
    if not _NUMBER.fullmatch(bare):
        raise BadValue(f"This is no number. One looks like {example}.")
    try:
        return Decimal(number_text(bare.replace(",", ""), scale))
    except Unreadable as error:
        raise BadValue("This number is too large.") from error


def _read_integer(text: str) -> int:
    number = _read_number(text, 6, "250")
    if number != number.to_integral_value():
        raise BadValue("This has to be a whole number, such as 250.")
    return int(number)


def _read_decimal(text: str) -> Decimal:
    return _read_number(text, 2, "1,250.50")


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadValue("This is no date. One looks like 2026-01-31.") from error


def _read_moment(text: str) -> datetime:
    """A moment without a zone is taken as UTC, which is what a form's own field for it sends."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        datetime_text(moment.isoformat())
    except (ValueError, OverflowError) as error:
        raise BadValue("This is no date and time. One looks like 2026-01-31T14:30Z.") from error
    return moment


def _read_boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _YES | _NO:
        raise BadValue("This is neither yes nor no.")
    return lowered in _YES


def _read_url(text: str) -> str:
    if len(text) > _LONGEST_URL:
        raise BadValue(f"This is too long: at most {_LONGEST_URL:,} characters.")
    url = text if "://" in text else f"https://{text}"
    try:
        _validate_url(url)
    except ValidationError as error:
        raise BadValue("This is no web address. One looks like https://example.com.") from error
    return url


def _read_choices(target: LocalField, text: str) -> str:
    """One option, or several parted by semicolons, in the canonical order of a multi-select picklist."""
    several = target.kind is Kind.MULTIPICKLIST
    chosen = sorted({part.strip() for part in text.split(";")} - {""}) if several else [text]
    unknown = next((one for one in chosen if one not in target.options), None)
    if unknown is not None:
        raise BadValue(f"“{unknown[:80]}” is not one of the options.")
    return ";".join(chosen)


def _read_reference(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:20]) < _MOST_WHOLE:
        raise BadValue("This is no record.")
    return int(text)


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: _read_text,
    Kind.EMAIL: _read_email,
    Kind.INTEGER: _read_integer,
    Kind.DECIMAL: _read_decimal,
    Kind.DATE: _read_date,
    Kind.REFERENCE: _read_reference,
    Kind.LONG_TEXT: _read_text,
    Kind.DATETIME: _read_moment,
    Kind.BOOLEAN: _read_boolean,
    Kind.URL: _read_url,
}
