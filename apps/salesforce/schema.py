"""The describe of an sObject as plain, frozen data."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field as the asking user sees it; a hidden one is simply absent from its object."""

    name: str
    label: str
    type: str
    length: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    defaulted_on_create: bool = False
    calculated: bool = False
    external_id: bool = False
    restricted: bool = False
    reference_to: tuple[str, ...] = ()
    picklist: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """An sObject and its visible fields by name."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    createable: bool
    updateable: bool
    queryable: bool
    fields: dict[str, FieldSchema]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ObjectSchema":
        fields = {
            name: FieldSchema(
                **{
                    **field,
                    "reference_to": tuple(field["reference_to"]),
                    "picklist": tuple((value, label) for value, label in field["picklist"]),
                }
            )
            for name, field in data["fields"].items()
        }
        return cls(**{**data, "fields": fields})


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
    )


def _field(field: dict[str, Any]) -> FieldSchema:
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
        picklist=tuple(
            (value["value"], value.get("label") or value["value"])
            for value in field.get("picklistValues") or ()
            if value.get("active", True)
        ),
    )
