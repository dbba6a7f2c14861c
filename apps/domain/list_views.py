"""What a list view of Salesforce asks for, as a filter of ours; and what of it cannot be taken over, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.domain.comparisons import operators_for, read_operand
from apps.domain.filters import BadFilter, Filter, Group, Operator, Rule
from apps.domain.relative_dates import is_relative
from apps.domain.values import FieldType

_OPERATORS: dict[str, Operator] = {
    "equals": Operator.EQUALS,
    "notEquals": Operator.NOT_EQUALS,
    "in": Operator.IN,
    "notIn": Operator.NOT_IN,
    "lessThan": Operator.LESS,
    "lessThanOrEqualTo": Operator.LESS_OR_EQUAL,
    "greaterThan": Operator.GREATER,
    "greaterThanOrEqualTo": Operator.GREATER_OR_EQUAL,
    "greaterThenOrEqualTo": Operator.GREATER_OR_EQUAL,
}
"""Operators of SoqlWhereCondition; one is spelt in two ways (SOAP API guide, "SoqlWhereCondition")."""
_OPPOSITES: dict[Operator, Operator] = {
    Operator.EQUALS: Operator.NOT_EQUALS,
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.IN: Operator.NOT_IN,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_BLANK: Operator.IS_NOT_BLANK,
    Operator.IS_NOT_BLANK: Operator.IS_BLANK,
}
_DEEPEST = 5
_SCOPES = {
    "everything": "",
    "": "",
    "mine": "It shows only the records of whoever looks at it.",
    "queue": "It shows the records of one queue.",
    "team": "It shows the records of one's team.",
}
_SCOPE = "It is limited in a way that filters do not have ({scope})."


@dataclass
class Imported:
    """The filter, and a sentence for each part that was left out."""

    tree: Filter | None = None
    left_out: list[str] = field(default_factory=list)


def imported(where: Any, scope: str, types: Mapping[str, tuple[str, FieldType]]) -> Imported:
    """The conditions of a list view. ``types`` gives label and type of each field that may be compared.

    In a group of which any condition is enough, one that is not understood takes the group with it: without it the
    filter would admit less than the list view shows.
    """
    found = Imported()
    limited = _SCOPES.get(scope, _SCOPE.format(scope=scope[:40]))
    if limited:
        found.left_out.append(limited)
    tree = _read(where, types, found, 0) if where else None
    found.tree = Group((tree,)) if isinstance(tree, Rule) else tree
    return found


def _read(where: Any, types: Mapping[str, tuple[str, FieldType]], found: Imported, depth: int) -> Filter | None:
    if not isinstance(where, Mapping) or depth > _DEEPEST:
        found.left_out.append("A part of it is nested too deeply.")
        return None
    if "conditions" in where:
        return _group(where, types, found, depth)
    if "condition" in where:
        return _negated(where, types, found, depth)
    try:
        return _rule(where, types)
    except BadFilter as reason:
        found.left_out.append(str(reason))
        return None


def _group(
    where: Mapping[str, Any], types: Mapping[str, tuple[str, FieldType]], found: Imported, depth: int
) -> Filter | None:
    all_of = str(where.get("conjunction", "and")).lower() != "or"
    parts = [_read(part, types, found, depth + 1) for part in where["conditions"] or ()]
    kept = tuple(part for part in parts if part is not None)
    if not kept or (not all_of and len(kept) < len(parts)):
        if kept:
            found.left_out.append("Conditions joined by “or” with it were left out, too.")
        return None
    return Group(kept, all_of)


def _negated(
    where: Mapping[str, Any], types: Mapping[str, tuple[str, FieldType]], found: Imported, depth: int
) -> Filter | None:
    inner = _read(where["condition"], types, found, depth + 1)
    opposite = _OPPOSITES.get(inner.operator) if isinstance(inner, Rule) else None
    if isinstance(inner, Rule) and opposite is not None:
        return Rule(inner.field, inner.type, opposite, inner.values)
    if inner is not None:
        found.left_out.append("A condition with “not” has no counterpart here.")
    return None


def _rule(where: Mapping[str, Any], types: Mapping[str, tuple[str, FieldType]]) -> Filter:
    name, asked = str(where.get("field", ""))[:120], str(where.get("operator", ""))[:40]
    if name not in types:
        raise BadFilter(f"“{name}” is not a field of the object itself, or cannot be filtered by.")
    label, kind = types[name]
    values = [_bare(str(value)) for value in where.get("values") or ()]
    operator, values = _compared(asked, values, label)
    if kind in {FieldType.DATE, FieldType.DATETIME} and len(values) == 1 and is_relative(values[0].upper()):
        return _relative(name, label, kind, operator, values[0].upper())
    if operator not in operators_for(kind):
        raise BadFilter(f"“{label}” cannot be compared in this way here ({asked}).")
    if operator in {Operator.IS_BLANK, Operator.IS_NOT_BLANK}:
        return Rule(name, kind, operator)
    try:
        return Rule(name, kind, operator, tuple(dict.fromkeys(read_operand(kind, value) for value in values)))
    except BadFilter as reason:
        raise BadFilter(
            f"“{label}” is compared with “{', '.join(values)[:60]}”, which cannot be read here."
        ) from reason


def _relative(name: str, label: str, kind: FieldType, operator: Operator, literal: str) -> Filter:
    """A comparison with a span of days: a moment is within it, or before or after it."""
    if operator not in operators_for(kind, moves=True):
        raise BadFilter(f"“{label}” cannot be compared in this way with “{literal}”.")
    return Rule(name, kind, operator, (literal,))


def _compared(asked: str, values: list[str], label: str) -> tuple[Operator, list[str]]:
    if asked in {"equals", "notEquals"} and values in ([""], ["null"], []):
        return (Operator.IS_BLANK if asked == "equals" else Operator.IS_NOT_BLANK), []
    if asked == "like":
        return _like(values, label)
    operator = _OPERATORS.get(asked)
    if operator is None or not values:
        raise BadFilter(f"“{label}” is compared in a way that filters here do not have ({asked or 'unknown'}).")
    return operator, values


def _like(values: list[str], label: str) -> tuple[Operator, list[str]]:
    inner = [value.strip("%") for value in values]
    if any("%" in one or "_" in one or not one for one in inner):
        raise BadFilter(f"“{label}” is compared with a pattern that filters here do not have.")
    if values and all(value.startswith("%") and value.endswith("%") for value in values):
        return Operator.CONTAINS, inner
    if values and all(not value.startswith("%") and value.endswith("%") for value in values):
        return Operator.STARTS_WITH, inner
    raise BadFilter(f"“{label}” is compared with a pattern that filters here do not have.")


def _bare(text: str) -> str:
    """A value without the quotes of its literal."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("\\'", "'").replace('\\"', '"').replace("\\\\", "\\")
    return text
