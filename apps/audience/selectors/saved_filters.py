"""Saved filters, and the records that one admits."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from apps.audience.fields import CUSTOM_PREFIX, Kind, LocalField, plain_text
from apps.audience.models import Record, SavedFilter
from apps.audience.services.values import fields_of, value_of
from apps.core.search import begins_with
from apps.domain.filters import BadFilter, Filter, Group, Operator, Rule, evaluate, from_dict, rules_of
from apps.domain.values import FieldType

MOST_LOOKED_AT = 5_000
"""Rows that one page of a filter without an index looks at."""
MOST_DRIVEN = 2_000
"""Rows that a filter with an index looks at."""
_STRIDE = 1_000
_KEYS = {
    "person": {"email": "email_key", "first_name": "first_key", "last_name": "last_key", "company_name": "company_key"},
    "company": {"name": "name_key"},
}
_TYPES = {
    Kind.EMAIL: FieldType.EMAIL,
    Kind.INTEGER: FieldType.DOUBLE,
    Kind.DECIMAL: FieldType.DOUBLE,
    Kind.DATE: FieldType.DATE,
    Kind.DATETIME: FieldType.DATETIME,
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.PICKLIST: FieldType.PICKLIST,
    Kind.MULTIPICKLIST: FieldType.MULTIPICKLIST,
    Kind.URL: FieldType.URL,
}
_ALIKE = {Operator.EQUALS, Operator.IN}


@dataclass(frozen=True, slots=True)
class Found:
    """Ids that a filter admits, the newest first. ``after`` is where to look on; None: everything was looked at."""

    ids: list[int]
    looked_at: int
    after: int | None = None
    is_cut: bool = False


def saved_filters(record_type: str) -> "QuerySet[SavedFilter]":
    """The saved filters of a record type by name."""
    rows: QuerySet[SavedFilter] = SavedFilter.objects.filter(record_type=record_type)
    return rows.order_by("name_key", "id")


def filterable_fields(record_type: str) -> dict[str, LocalField]:
    """The fields that a saved filter may compare: all but references to other records."""
    return {name: one for name, one in fields_of(record_type).items() if one.kind is not Kind.REFERENCE}


def filter_type(target: LocalField) -> FieldType:
    """How a local field is compared."""
    return _TYPES.get(target.kind, FieldType.STRING)


class Sieve:
    """A filter made ready for many rows of one record type."""

    def __init__(self, record_type: str, data: Any) -> None:
        self.record_type = record_type
        try:
            self._tree: Filter | None = from_dict(data)
        except BadFilter:
            self._tree = Group((), all_of=False)  # what can no longer be read admits nobody
        known = filterable_fields(record_type)
        self._fields = {rule.field: known[rule.field] for rule in rules_of(self._tree) if rule.field in known}

    def admits(self, record: Record) -> bool:
        """Whether the filter admits a record; a field that is gone is blank."""
        if isinstance(self._tree, Group) and not self._tree.parts:
            return self._tree.all_of
        texts = {name: plain_text(value_of(record, target)) for name, target in self._fields.items()}
        return self._tree is None or evaluate(self._tree, texts)

    def lean(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The rows with no more columns than the filter looks at."""
        custom = {"custom"} if any(name.startswith(CUSTOM_PREFIX) for name in self._fields) else set()
        columns = {target.column for name, target in self._fields.items() if not name.startswith(CUSTOM_PREFIX)}
        return rows.select_related(None).defer(None).only("id", *sorted(columns | custom))

    def drive(self) -> tuple[Q, str] | None:
        """A condition that an index answers and that all admitted rows fulfil, with the column of the index."""
        tree = self._tree
        parts: Iterable[Filter] = tree.parts if isinstance(tree, Group) and tree.all_of else [tree] if tree else []
        for part in parts:
            key = _KEYS.get(self.record_type, {}).get(part.field) if isinstance(part, Rule) else None
            if key is None or not isinstance(part, Rule) or "" in part.values:
                continue
            if part.operator in _ALIKE:
                return Q(**{f"{key}__in": [value.lower() for value in part.values]}), key
            if part.operator is Operator.STARTS_WITH and len(part.values) == 1:
                return Q(begins_with(key, part.values[0].lower())), key
        return None


def matching(sieve: Sieve, rows: "QuerySet[Any]", *, wanted: int, after: int | None = None) -> Found:
    """The newest of ``rows`` that a filter admits, ``wanted`` at most; without an index it looks at so many rows and
    no more, and the caller goes on at ``after``.

    Under row-level security only leakproof conditions reach an index, so one such condition drives the query where
    the filter has it, and everything else is looked at row by row.
    """
    drive = sieve.drive()
    if drive is not None:
        condition, key = drive
        known = rows.exclude(email_key="") if key == "email_key" else rows
        near = list(sieve.lean(known).filter(condition).order_by(key)[:MOST_DRIVEN])
        ids = sorted((row.pk for row in near if sieve.admits(row)), reverse=True)
        return Found(ids, len(near), is_cut=len(near) == MOST_DRIVEN)
    ids, looked_at, place = [], 0, after
    while looked_at < MOST_LOOKED_AT:
        ahead = sieve.lean(rows).order_by("-id")
        found = list((ahead if place is None else ahead.filter(id__lt=place))[:_STRIDE])
        for row in found:
            looked_at, place = looked_at + 1, row.pk
            if sieve.admits(row):
                ids.append(row.pk)
                if len(ids) == wanted:
                    return Found(ids, looked_at, place)
        if len(found) < _STRIDE:
            return Found(ids, looked_at)
    return Found(ids, looked_at, place)
