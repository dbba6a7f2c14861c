"""Records of ours in canonical text, as the decider reads them, and back into their columns."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from apps.audience.fields import CUSTOM_PREFIX, CUSTOM_TYPE, RECORD_COLUMNS, ByType, Kind, kind_of, local_field
from apps.audience.models import Company, CustomRecord, Opportunity, Owner, Person, Record
from apps.domain.automatic import AUTOMATIC_FIELDS
from apps.domain.values import datetime_text, domain_of
from apps.sync.models import RecordLink

MODELS: ByType[type[Record]] = ByType(person=Person, company=Company, opportunity=Opportunity, custom=CustomRecord)
_REFERRED: dict[str, type[Record]] = {"person": Person, "company": Company}


def records_of(local_type: str) -> "QuerySet[Any]":
    """The records of a local type; those of one custom record type only."""
    rows = MODELS[local_type]._default_manager.all()
    return rows.filter(**_type_columns(local_type))


def blank_record(local_type: str, **columns: Any) -> Record:
    """A new record of a local type, unsaved."""
    return MODELS[local_type](**_type_columns(local_type), **columns)


def _type_columns(local_type: str) -> dict[str, int]:
    return {"record_type_id": int(local_type.partition(":")[2])} if kind_of(local_type) == CUSTOM_TYPE else {}


class References:
    """Records that others refer to, by the id they have there: (what it refers to, remote id) → (id, its own name).

    A company may be linked with several accounts, a person with contacts and leads; the name is the id of the
    leading row, so that one that does not lead is no difference.
    """

    def __init__(self, connection_id: int) -> None:
        self._connection_id = connection_id
        self._ids: dict[tuple[str, str], tuple[int, str]] = {}
        self._names: dict[tuple[str, int], str] = {}

    def load(self, wanted: Mapping[str, Iterable[str]], held: Mapping[str, Iterable[int]]) -> None:
        """Look up remote ids that rows name (``wanted``) and records that ours hold (``held``), by what they are."""
        for refers_to in _REFERRED.keys() & {*wanted, *held}:
            self._load_linked(refers_to, set(wanted.get(refers_to, ())), set(held.get(refers_to, ())))
        owners = Owner.objects.filter(remote_id__in=set(wanted.get("owner", ())))
        for remote_id, owner_id in owners.values_list("remote_id", "id"):
            self._ids["owner", remote_id] = (owner_id, remote_id)
        for owner_id, remote_id in Owner.objects.filter(id__in=set(held.get("owner", ()))).values_list(
            "id", "remote_id"
        ):
            self._names["owner", owner_id] = remote_id
            self._ids["owner", remote_id] = (owner_id, remote_id)

    def _load_linked(self, refers_to: str, wanted: set[str], held: set[int]) -> None:
        column = RECORD_COLUMNS[refers_to]
        links = RecordLink.objects.filter(
            connection_id=self._connection_id, remote_id__in=wanted, **{f"{column}__isnull": False}
        )
        pairs = dict(links.values_list("remote_id", column))
        rows = _REFERRED[refers_to]._default_manager.filter(id__in={*pairs.values(), *held})
        names = dict(rows.values_list("id", "leading_remote_id"))
        for record_id, name in names.items():
            self._names[refers_to, record_id] = name
        for remote_id, record_id in pairs.items():
            self._ids[refers_to, remote_id] = (record_id, names.get(record_id) or remote_id)

    def name_of(self, refers_to: str, remote_id: str) -> str | None:
        """The canonical remote id of what a row names; None where it is not here."""
        found = self._ids.get((refers_to, remote_id))
        return found[1] if found else None

    def id_of(self, refers_to: str, remote_id: str) -> int | None:
        """The record with that remote id."""
        found = self._ids.get((refers_to, remote_id))
        return found[0] if found else None

    def held(self, refers_to: str, record_id: int | None) -> str:
        """The remote id of a record that ours holds; blank where it has none."""
        return "" if record_id is None else self._names.get((refers_to, record_id), "")


def text_of(record: Record, local_type: str, name: str, references: References) -> str:
    """A record's value in canonical text."""
    if name.startswith(CUSTOM_PREFIX):
        return str(record.custom.get(name.removeprefix(CUSTOM_PREFIX), ""))
    target = local_field(local_type, name)
    value = getattr(record, target.column)
    if target.kind is Kind.REFERENCE:
        return references.held(target.refers_to, value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return text.lower() if target.kind is Kind.EMAIL else text


def automatic_texts(record: Record) -> dict[str, str]:
    """What Syncline tells Salesforce of a person by itself, in canonical text; Salesforce keeps whole seconds."""
    if not isinstance(record, Person):
        return {}
    visit = record.most_recent_visit
    texts = {name: str(getattr(record, name)) for name in AUTOMATIC_FIELDS if name != "most_recent_visit"}
    return texts | {"most_recent_visit": datetime_text(visit.replace(microsecond=0).isoformat()) if visit else ""}


def has_automatic(record: Record) -> bool:
    """Whether there is anything to tell."""
    return any(text not in {"", "0"} for text in automatic_texts(record).values())


def columns_of(
    local_type: str, values: Mapping[str, str], references: References, custom: Mapping[str, str]
) -> dict[str, Any]:
    """Columns with their own types for canonical values by local field; custom fields join ``custom``."""
    columns: dict[str, Any] = {}
    mine = dict(custom)
    for name, text in values.items():
        if name.startswith(CUSTOM_PREFIX):
            mine[name.removeprefix(CUSTOM_PREFIX)] = text
            continue
        target = local_field(local_type, name)
        columns[target.column] = _typed(target.kind, target.refers_to, text, references)
        if local_type == "company" and name == "website":
            columns["domain"] = domain_of(text)
    if mine != custom:
        columns["custom"] = mine
    return columns


def _typed(kind: Kind, refers_to: str, text: str, references: References) -> Any:
    match kind:
        case Kind.REFERENCE:
            return references.id_of(refers_to, text)
        case Kind.INTEGER:
            return int(Decimal(text)) if text else None
        case Kind.DECIMAL:
            return Decimal(text) if text else None
        case Kind.BOOLEAN:
            return text == "true"
        case Kind.DATE:
            return date.fromisoformat(text) if text else None
        case _:
            return text
