"""Checks before writing: what Salesforce would refuse, told in words without asking it."""

from collections.abc import Mapping

from apps.domain.failures import Category, RowFailure
from apps.domain.ports import FieldSchema, ObjectSchema
from apps.domain.values import NUMERIC, FieldType, Unreadable, number_text, to_json

_TEXTS = frozenset({"string", "textarea", "phone", "url", "email", "encryptedstring", "picklist", "combobox"})


_OBJECTS = {"001": "Account", "003": "Contact", "00Q": "Lead", "005": "User", "00G": "Group"}
"""What an id is of, by its first three characters, as far as Syncline writes lookups (Object Reference, "Id")."""
_CALLED = {"Group": "queue", "User": "user"}


def refusals(schema: ObjectSchema, values: Mapping[str, str]) -> tuple[RowFailure, ...]:
    """Why these values would be refused: too long, not a number, not among the choices of a restricted picklist, or a
    lookup of another object."""
    return tuple(
        failure
        for name, text in values.items()
        if text != "" and (field := schema.fields.get(name)) is not None
        for failure in _refusals_of(field, text)
    )


def _refusals_of(field: FieldSchema, text: str) -> list[RowFailure]:
    if field.type in _TEXTS and field.length and len(text) > field.length:
        words = f"{field.label} holds at most {field.length} characters; this has {len(text)}."
        return [RowFailure(Category.TOO_LONG, words, (field.name,))]
    if field.restricted and field.type in {"picklist", "multipicklist"}:
        allowed = {value for value, _ in field.picklist}
        wrong = [part for part in (text.split(";") if field.type == "multipicklist" else [text]) if part not in allowed]
        if wrong:
            words = f"“{wrong[0]}” is not a choice of {field.label} in Salesforce."
            return [RowFailure(Category.RESTRICTED_PICKLIST, words, (field.name,))]
    looked_up = _OBJECTS.get(text[:3], "") if field.type == "reference" and field.reference_to else ""
    if looked_up and looked_up not in field.reference_to:
        takes = " or ".join(_CALLED.get(name, name) for name in field.reference_to)
        words = f"{field.label} takes a {takes} in Salesforce, and this is a {_CALLED.get(looked_up, looked_up)}."
        return [RowFailure(Category.BAD_REFERENCE, words, (field.name,))]
    if field.type in NUMERIC:
        try:
            number_text(text)
        except Unreadable:
            words = f"“{text}” is not a number, and {field.label} is one in Salesforce."
            return [RowFailure(Category.INVALID_VALUE, words, (field.name,))]
    return []


def body_of(schema: ObjectSchema, values: Mapping[str, str]) -> dict[str, str | int | float | bool | None]:
    """The JSON members of canonical values; blank becomes null, which clears the field."""
    return {
        name: to_json(FieldType(schema.fields[name].type) if name in schema.fields else FieldType.STRING, text)
        for name, text in values.items()
    }


def writable(schema: ObjectSchema, values: Mapping[str, str], *, creating: bool = False) -> dict[str, str]:
    """The values that the sync user may write; what is hidden or read-only is left out."""
    return {
        name: text
        for name, text in values.items()
        if (field := schema.fields.get(name)) is not None
        and not field.calculated
        and (field.createable if creating else field.updateable)
    }
