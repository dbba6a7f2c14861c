"""Text that somebody typed, as values for a record's columns; and what of it differs from the record."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.audience.fields import CUSTOM_PREFIX, FIELDS, BadValue, Kind, LocalField, plain_text, read_value
from apps.audience.models import Company, CustomField, Owner, Person, Record
from apps.tenants.models import TenantModel

_REFERRED: dict[str, type[TenantModel]] = {"person": Person, "company": Company, "owner": Owner}
_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.REFERENCE}


class BadValues(Exception):
    """What was typed cannot be stored: words by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {words}" for name, words in errors.items()))
        self.errors = dict(errors)


def fields_of(record_type: str) -> dict[str, LocalField]:
    """Every field of a record type that a member may edit: those of the registry, then the tenant's own."""
    custom = CustomField.objects.filter(record_type=record_type).order_by("label", "id")
    return FIELDS[record_type] | {
        f"{CUSTOM_PREFIX}{one.key}": LocalField(
            f"{CUSTOM_PREFIX}{one.key}", one.label, _KINDS.get(one.kind, Kind.TEXT), options=tuple(one.options)
        )
        for one in custom
    }


def read_values(
    record_type: str, typed: Mapping[str, str], known: Mapping[str, LocalField] | None = None
) -> dict[str, Any]:
    """Values by field for what was typed. Raises BadValues with all that is wrong, not only the first. Who reads many
    records at once hands in what ``fields_of`` said."""
    known = fields_of(record_type) if known is None else known
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, text in typed.items():
        if name not in known:
            errors[name] = "There is no such field."
            continue
        try:
            values[name] = _read(known[name], text)
        except BadValue as error:
            errors[name] = str(error)
    if errors:
        raise BadValues(errors)
    return values


def _read(target: LocalField, text: str) -> Any:
    value = read_value(target, text)
    if target.kind is Kind.REFERENCE and value is not None:
        if not _REFERRED[target.refers_to].objects.filter(id=value).exists():
            raise BadValue(f"There is no such {target.refers_to}.")
        return value
    return plain_text(value) if target.name.startswith(CUSTOM_PREFIX) else value


def value_of(record: Record, target: LocalField) -> Any:
    """What a record holds in a field."""
    if target.name.startswith(CUSTOM_PREFIX):
        return str(record.custom.get(target.name.removeprefix(CUSTOM_PREFIX), ""))
    return getattr(record, target.column)


def texts_of(record_type: str, record: Record) -> dict[str, str]:
    """What a record holds, by field, as a form shows it."""
    return {name: plain_text(value_of(record, target)) for name, target in fields_of(record_type).items()}


def differing(record_type: str, record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that the record does not hold yet."""
    known = fields_of(record_type)
    return {name: value for name, value in values.items() if value_of(record, known[name]) != value}


def put(
    record_type: str, record: Record, values: Mapping[str, Any], known: Mapping[str, LocalField] | None = None
) -> dict[str, dict[str, str]]:
    """Set the values on the record, unsaved; answers before and after, as the timeline shows them."""
    known = fields_of(record_type) if known is None else known
    lines = {}
    for name, value in values.items():
        target = known[name]
        lines[name] = {"before": _shown(target, value_of(record, target)), "after": _shown(target, value)}
        if name.startswith(CUSTOM_PREFIX):
            record.custom = {**record.custom, name.removeprefix(CUSTOM_PREFIX): value}
        else:
            setattr(record, target.column, value)
    return lines


def _shown(target: LocalField, value: Any) -> str:
    """A value in the timeline; what is referred to is told by its name."""
    if target.kind is Kind.REFERENCE and value is not None:
        found = _REFERRED[target.refers_to].objects.filter(id=value).first()
        return str(found) if found is not None else ""
    return plain_text(value)


def columns_of(record_type: str, names: Iterable[str]) -> list[str]:
    """The columns behind fields."""
    known = fields_of(record_type)
    return list(dict.fromkeys("custom" if name.startswith(CUSTOM_PREFIX) else known[name].column for name in names))


def filled_fields(record_type: str, record: Record) -> list[str]:
    """The fields that hold something."""
    known = fields_of(record_type)
    return [name for name, target in known.items() if value_of(record, target) not in ("", None)]
