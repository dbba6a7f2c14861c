"""One row as the remote side gave it, in canonical text."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.domain.filters import rules_of
from apps.domain.mapping import Step
from apps.domain.values import FieldType, Unreadable, canonical, datetime_text, from_json

OPT_OUT = "HasOptedOutOfEmail"
EXTERNAL_ID = "Syncline_Id__c"
"""The package's field that holds the name of our record (design, section 7)."""
PERSON_ACCOUNT = "IsPersonAccount"
SYSTEM_FIELDS = (
    "Id",
    "SystemModstamp",
    "LastModifiedDate",
    "CreatedDate",
    OPT_OUT,
    "IsConverted",
    "ConvertedContactId",
    "ConvertedAccountId",
    "ConvertedOpportunityId",
    PERSON_ACCOUNT,
    EXTERNAL_ID,
)
"""Fields that the engine reads where the org shows them, whatever is mapped."""
DELETION_FIELDS = ("IsDeleted", "MasterRecordId")
"""What only queries that include deleted rows tell; a merge shows in MasterRecordId alone (facts, section 5)."""


@dataclass(frozen=True, slots=True)
class RemoteRow:
    """Values by remote field; what is absent or cannot be read is unknown (None) and, if unreadable, named.

    ``stamp`` orders the versions of a row (SystemModstamp); ``modified_at`` is when a user last changed it.
    """

    remote_id: str
    values: Mapping[str, str | None]
    unreadable: tuple[str, ...] = ()
    stamp: datetime | None = None
    modified_at: datetime | None = None
    created_at: datetime | None = None
    opted_out: bool | None = None
    is_deleted: bool = False
    merged_into: str = ""
    is_converted: bool = False
    converted_contact: str = ""
    converted_account: str = ""
    converted_opportunity: str = ""
    is_person_account: bool = False
    external_id: str = ""


Fields = Mapping[str, tuple[FieldType, int | None]]
"""Remote fields to read: type, and digits after the point where it is a number."""


def fields_of(steps: Iterable[Step]) -> dict[str, tuple[FieldType, int | None]]:
    """What the steps need to see of a row: what they map and what their filters look at."""
    fields: dict[str, tuple[FieldType, int | None]] = {}
    for step in steps:
        for rule in rules_of(step.inbound_filter):
            fields.setdefault(rule.field, (rule.type, None))
        for mapped in step.rules:
            fields[mapped.remote_field] = (mapped.remote_type, mapped.scale)
    return fields


def row_from_csv(raw: Mapping[str, str | None], fields: Fields) -> RemoteRow:
    """A row of a Bulk result, where every column that was asked for is there and an empty cell is blank."""
    return _read(raw, fields, lambda kind, value, scale: canonical(kind, value or "", scale=scale))


def row_from_json(raw: Mapping[str, Any], fields: Fields) -> RemoteRow:
    """A row of a REST answer, where a field that is absent is unknown and null is blank."""
    return _read(raw, fields, lambda kind, value, scale: from_json(kind, value, scale=scale))


def _read(
    raw: Mapping[str, Any],
    fields: Fields,
    read: Callable[[FieldType, Any, int | None], str | None],
) -> RemoteRow:
    values: dict[str, str | None] = {}
    unreadable = []
    for name, (kind, scale) in fields.items():
        try:
            values[name] = read(kind, raw[name], scale) if name in raw else None
        except Unreadable:
            values[name] = None
            unreadable.append(name)
    is_converted = _truth(raw.get("IsConverted")) is True
    return RemoteRow(
        remote_id=str(raw["Id"]),
        values=values,
        unreadable=tuple(unreadable),
        stamp=_moment(raw.get("SystemModstamp")),
        modified_at=_moment(raw.get("LastModifiedDate")),
        created_at=_moment(raw.get("CreatedDate")),
        opted_out=_truth(raw[OPT_OUT]) if OPT_OUT in raw else None,
        is_deleted=_truth(raw.get("IsDeleted")) is True,
        merged_into=str(raw.get("MasterRecordId") or ""),
        is_converted=is_converted,
        converted_contact=str(raw.get("ConvertedContactId") or "") if is_converted else "",
        converted_account=str(raw.get("ConvertedAccountId") or "") if is_converted else "",
        converted_opportunity=str(raw.get("ConvertedOpportunityId") or "") if is_converted else "",
        is_person_account=_truth(raw.get(PERSON_ACCOUNT)) is True,
        external_id=str(raw.get(EXTERNAL_ID) or ""),
    )


def _truth(raw: Any) -> bool | None:
    """A boolean of JSON or CSV; anything else, and the empty text of a hidden column, is unknown."""
    text = str(raw).lower()
    return text == "true" if text in {"true", "false"} else None


def _moment(raw: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(datetime_text(str(raw))) if raw else None
    except Unreadable:
        return None
