"""SOQL through a typed builder; the one place where values are quoted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.values import NUMERIC, FieldType

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,5}")
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", '"': '\\"'}
)


def identifier(name: str) -> str:
    """An API name, unchanged; anything else is refused."""
    if not _IDENTIFIER.fullmatch(name) or len(name) > 255:
        raise ValueError(f"not an API name: {name[:60]!r}")
    return name


def quoted(text: str) -> str:
    """A text literal."""
    return "'" + text.translate(_ESCAPES) + "'"


def moment(value: datetime) -> str:
    """A date-time literal in UTC; milliseconds are kept, since watermarks need them."""
    if value.tzinfo is None:
        raise ValueError("a moment needs its zone")
    utc = value.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _literal(field_type: FieldType, text: str) -> str:
    if field_type in NUMERIC:
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise ValueError(f"not a number: {text[:40]!r}")
        return text
    if field_type is FieldType.BOOLEAN:
        return "TRUE" if text == "true" else "FALSE"
    if field_type in {FieldType.DATE, FieldType.DATETIME}:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{3})?Z)?", text):
            raise ValueError(f"not a date: {text[:40]!r}")
        return text
    return quoted(text)


_COMPARISONS = {
    Operator.EQUALS: "=",
    Operator.NOT_EQUALS: "!=",
    Operator.LESS: "<",
    Operator.LESS_OR_EQUAL: "<=",
    Operator.GREATER: ">",
    Operator.GREATER_OR_EQUAL: ">=",
}


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _rule(rule: Rule) -> str:
    name = identifier(rule.field)
    match rule.operator:
        case Operator.IS_BLANK:
            return f"{name} = NULL"
        case Operator.IS_NOT_BLANK:
            return f"{name} != NULL"
        case Operator.IN | Operator.NOT_IN:
            if not rule.values:
                return "Id = NULL" if rule.operator is Operator.IN else "Id != NULL"
            listed = ", ".join(_literal(rule.type, value) for value in rule.values)
            return f"{name} {'IN' if rule.operator is Operator.IN else 'NOT IN'} ({listed})"
        case Operator.CONTAINS:
            return f"{name} LIKE {quoted('%' + _like(rule.values[0]) + '%')}"
        case Operator.STARTS_WITH:
            return f"{name} LIKE {quoted(_like(rule.values[0]) + '%')}"
        case _:
            return f"{name} {_COMPARISONS[rule.operator]} {_literal(rule.type, rule.values[0])}"


def condition(tree: Filter) -> str:
    """A filter as a SOQL condition; an empty group admits everything and gives ``""``."""
    if isinstance(tree, Rule):
        return _rule(tree)
    assert isinstance(tree, Group)
    parts = [part for part in map(condition, tree.parts) if part]
    return f"({(' AND ' if tree.all_of else ' OR ').join(parts)})" if parts else ""


@dataclass(frozen=True, slots=True)
class Select:
    """A query of one sObject."""

    sobject: str
    fields: Sequence[str]
    where: Filter | None = None
    order_by: Sequence[str] = ()
    limit: int | None = None

    def __str__(self) -> str:
        text = f"SELECT {', '.join(map(identifier, self.fields))} FROM {identifier(self.sobject)}"
        filtered = condition(self.where) if self.where is not None else ""
        if filtered:
            text += f" WHERE {filtered}"
        if self.order_by:
            text += f" ORDER BY {', '.join(map(identifier, self.order_by))}"
        if self.limit is not None:
            text += f" LIMIT {int(self.limit)}"
        return text
