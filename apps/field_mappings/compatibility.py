"""Which field of Salesforce fits which field of ours, with the reason where one does not (C09, C15)."""

from apps.audience.fields import Kind, LocalField
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
