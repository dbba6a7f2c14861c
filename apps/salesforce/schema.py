"""The describe of an sObject as plain, frozen data."""

from typing import Any

from apps.domain.ports import FieldSchema, ObjectSchema

__all__ = ["FieldSchema", "ObjectSchema", "object_schema"]


def object_schema(describe: dict[str, Any]) -> ObjectSchema:
    """From the answer of ``sobjects/X/describe`` (recorded: ``describe/*.json``)."""
    return ObjectSchema(
        name=describe["name"],
        label=describe["label"],
        label_plural=describe.get("labelPlural") or describe["label"],
        key_prefix=describe.get("keyPrefix") or "",
        createable=bool(describe.get("createable")),
        updateable=bool(describe.get("updateable")),
        queryable=bool(describe.get("queryable", True)),
        fields={field["name"]: _field(field) for field in describe["fields"]},
        record_types=tuple(
            (one["recordTypeId"], one["name"]) for one in describe.get("recordTypeInfos") or () if not one.get("master")
        ),
    )


def _field(field: dict[str, Any]) -> FieldSchema:
    active = [value for value in field.get("picklistValues") or () if value.get("active", True)]
    return FieldSchema(
        name=field["name"],
        label=field["label"],
        type=field["type"],
        length=field.get("length") or 0,
        scale=field.get("scale") or 0,
        nillable=bool(field.get("nillable", True)),
        createable=bool(field.get("createable")),
        updateable=bool(field.get("updateable")),
        defaulted_on_create=bool(field.get("defaultedOnCreate")),
        calculated=bool(field.get("calculated")),
        external_id=bool(field.get("externalId")),
        restricted=bool(field.get("restrictedPicklist")),
        reference_to=tuple(field.get("referenceTo") or ()),
        picklist=tuple((value["value"], value.get("label") or value["value"]) for value in active),
        # "precision" counts all digits of a number; "digits" those of an int (recorded: describe/Lead).
        precision=field.get("precision") or field.get("digits") or 0,
        unique=bool(field.get("unique")),
        id_lookup=bool(field.get("idLookup")),
        auto_number=bool(field.get("autoNumber")),
        part_of=field.get("compoundFieldName") or "",
        default_choice=next((value["value"] for value in active if value.get("defaultValue")), ""),
    )
