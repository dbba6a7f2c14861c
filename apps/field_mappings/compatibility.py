"""Which field of Salesforce fits which field of ours, with the reason where one does not (C09, C15)."""

from apps.audience.fields import Kind, LocalField
from apps.domain.ports import FieldSchema
from apps.domain.values import COMPOUND, NUMERIC, FieldType
from apps.integrations.metadata import Schema

_ACCEPTS: dict[Kind, frozenset[FieldType]] = {
    Kind.INTEGER: NUMERIC,
    Kind.DECIMAL: NUMERIC,
    Kind.DATE: frozenset({FieldType.DATE}),
    Kind.REFERENCE: frozenset({FieldType.REFERENCE}),
}
"""Kinds that are not listed hold text and take every type but compound ones."""

_WORDS = {
    Kind.INTEGER: "a number",
    Kind.DECIMAL: "a number",
    Kind.DATE: "a date",
    Kind.REFERENCE: "a reference to another record",
}


def pause_reason(schema: Schema | None, name: str, local: LocalField | None = None) -> str:
    """Why a mapping is out of use, in words: object or field gone, hidden, or of a type that does not fit; blank
    where it is in use."""
    if schema is None:
        return "The sync user cannot see this object."
    if name not in schema.fields:
        return "The field was deleted in Salesforce, or is hidden from the sync user."
    try:
        remote_type = FieldType(schema.fields[name].type)
    except ValueError:
        return f"Fields of the type “{schema.fields[name].type}” cannot be synced yet."
    if remote_type in COMPOUND:
        return "This field consists of others: map its parts."
    if local is not None and remote_type not in _ACCEPTS.get(local.kind, frozenset(FieldType)):
        return f"Its type is now “{remote_type}”, and {local.label} takes {_WORDS[local.kind]}."
    return ""


_TEXTS = frozenset(
    {
        FieldType.STRING,
        FieldType.TEXTAREA,
        FieldType.PHONE,
        FieldType.URL,
        FieldType.EMAIL,
        FieldType.PICKLIST,
        FieldType.COMBOBOX,
        FieldType.MULTIPICKLIST,
        FieldType.ENCRYPTEDSTRING,
        FieldType.ANYTYPE,
    }
)
_INTO: dict[str, frozenset[FieldType]] = {
    "integer": NUMERIC,
    "decimal": NUMERIC,
    "date": frozenset({FieldType.DATE}),
    "datetime": frozenset({FieldType.DATETIME}),
    "boolean": frozenset({FieldType.BOOLEAN}),
    "reference": frozenset({FieldType.REFERENCE}),
}
"""What each kind of ours takes; kinds that are not listed hold text and take all but compound ones."""
_OUT_OF: dict[str, frozenset[FieldType]] = {
    "integer": NUMERIC | _TEXTS,
    "decimal": NUMERIC | _TEXTS,
    "date": frozenset({FieldType.DATE}) | _TEXTS,
    "datetime": frozenset({FieldType.DATETIME}) | _TEXTS,
    "boolean": frozenset({FieldType.BOOLEAN}) | _TEXTS,
    "reference": frozenset({FieldType.REFERENCE}),
}
"""What each kind of ours can be written into; kinds that are not listed hold text."""
_KIND_WORDS = {
    "integer": "a whole number",
    "decimal": "a number",
    "date": "a date",
    "datetime": "a date and time",
    "boolean": "yes or no",
    "reference": "another record",
    "email": "an e-mail address",
    "url": "a web address",
}
TYPE_WORDS: dict[str, str] = {
    FieldType.STRING: "text",
    FieldType.TEXTAREA: "long text",
    FieldType.PICKLIST: "picklist",
    FieldType.MULTIPICKLIST: "multi-select picklist",
    FieldType.COMBOBOX: "text with suggestions",
    FieldType.REFERENCE: "lookup",
    FieldType.BOOLEAN: "checkbox",
    FieldType.CURRENCY: "currency",
    FieldType.INT: "whole number",
    FieldType.LONG: "whole number",
    FieldType.DOUBLE: "number",
    FieldType.PERCENT: "percent",
    FieldType.PHONE: "phone",
    FieldType.ID: "record id",
    FieldType.DATE: "date",
    FieldType.DATETIME: "date and time",
    FieldType.TIME: "time",
    FieldType.URL: "web address",
    FieldType.EMAIL: "e-mail",
    FieldType.ENCRYPTEDSTRING: "encrypted text",
    FieldType.ADDRESS: "address",
    FieldType.LOCATION: "location",
    FieldType.BASE64: "file",
}
"""Types of Salesforce as its own setup pages call them."""
_REFERS = {"owner": frozenset({"User"}), "company": frozenset({"Account"}), "person": frozenset({"Contact", "Lead"})}


def type_words(field_type: str) -> str:
    """A type of Salesforce in words."""
    return TYPE_WORDS.get(field_type, field_type)


def kind_words(local: LocalField) -> str:
    """What a field of ours holds, in words."""
    return _KIND_WORDS.get(local.kind.value, "text")


def inbound_refusal(remote: FieldSchema, local: LocalField) -> str:
    """Why Salesforce's value cannot come into our field, in words; "" where it can."""
    kind = _known(remote)
    if kind is None or kind in COMPOUND:
        return _unsyncable(remote)
    if kind not in _INTO.get(local.kind.value, frozenset(FieldType)):
        return (
            f"“{local.label}” takes {kind_words(local)}, and “{remote.label}” is of the type {type_words(remote.type)}."
        )
    return _other_target(remote, local)


def outbound_refusal(remote: FieldSchema, local: LocalField) -> str:
    """Why our value cannot be written to Salesforce's field, in words; "" where it can."""
    kind = _known(remote)
    if kind is None or kind in COMPOUND:
        return _unsyncable(remote)
    if remote.calculated:
        return f"“{remote.label}” is calculated by Salesforce, so it can only be read."
    if not (remote.updateable or remote.createable):
        return f"“{remote.label}” is read-only in Salesforce, or for the sync user, so it can only be read."
    if kind not in _OUT_OF.get(local.kind.value, _TEXTS):
        return (
            f"“{remote.label}” takes the type {type_words(remote.type)}, and “{local.label}” holds {kind_words(local)}."
        )
    return _other_target(remote, local)


def pair_refusal(remote: FieldSchema, local: LocalField) -> str:
    """Why two fields cannot be mapped at all; "" where a value can flow one way at least."""
    into = inbound_refusal(remote, local)
    return into if into and outbound_refusal(remote, local) else ""


def _known(remote: FieldSchema) -> FieldType | None:
    try:
        return FieldType(remote.type)
    except ValueError:
        return None


def _unsyncable(remote: FieldSchema) -> str:
    if remote.is_compound:
        return f"“{remote.label}” consists of other fields: map its parts."
    return f"Fields of the type {type_words(remote.type)} cannot be synced."


def _other_target(remote: FieldSchema, local: LocalField) -> str:
    """A lookup fits only one that looks up the same thing."""
    wanted = _REFERS.get(local.refers_to)
    if local.kind is Kind.REFERENCE and wanted and not wanted & set(remote.reference_to):
        found = ", ".join(remote.reference_to) or "something else"
        return f"“{remote.label}” looks up {found}, and “{local.label}” a record of another kind."
    return ""


_KIND_FOR: dict[str, Kind] = {
    FieldType.INT: Kind.INTEGER,
    FieldType.LONG: Kind.INTEGER,
    FieldType.CURRENCY: Kind.DECIMAL,
    FieldType.DOUBLE: Kind.DECIMAL,
    FieldType.PERCENT: Kind.DECIMAL,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.EMAIL: Kind.EMAIL,
    FieldType.URL: Kind.URL,
    FieldType.TEXTAREA: Kind.LONG_TEXT,
}


def kind_for(remote: FieldSchema) -> Kind:
    """The kind of a new field of ours that holds what a field of Salesforce holds."""
    if remote.picklist:
        return {"picklist": Kind.PICKLIST, "multipicklist": Kind.MULTIPICKLIST}.get(remote.type, Kind.TEXT)
    return _KIND_FOR.get(remote.type, Kind.TEXT)
