"""Filters of steps: and/or groups of rules, with only those operators that SOQL and our evaluator both have.

Text is compared without regard to case, as SOQL does; a blank value equals nothing but blank.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from apps.domain.values import NUMERIC, FieldType


class Operator(StrEnum):
    """How a field is compared with values."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    LESS = "less"
    LESS_OR_EQUAL = "less_or_equal"
    GREATER = "greater"
    GREATER_OR_EQUAL = "greater_or_equal"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IN = "in"
    NOT_IN = "not_in"
    IS_BLANK = "is_blank"
    IS_NOT_BLANK = "is_not_blank"


class BadFilter(ValueError):
    """A filter from outside that is none, with the reason in words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison; ``values`` are canonical texts."""

    field: str
    type: FieldType
    operator: Operator
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All (``all_of``) or any of its parts; an empty group admits everything."""

    parts: tuple["Rule | Group", ...]
    all_of: bool = True


Filter = Rule | Group

_DEEPEST = 5


def evaluate(tree: Filter, row: Mapping[str, str | None]) -> bool:
    """Whether the filter admits a row of canonical texts; an unknown value is treated as blank."""
    if isinstance(tree, Group):
        if not tree.parts:
            return True
        outcomes = (evaluate(part, row) for part in tree.parts)
        return all(outcomes) if tree.all_of else any(outcomes)
    return _holds(tree, row.get(tree.field) or "")


def rules_of(tree: Filter | None) -> Iterator[Rule]:
    """The comparisons of a filter."""
    if isinstance(tree, Group):
        for part in tree.parts:
            yield from rules_of(part)
    elif tree is not None:
        yield tree


def _comparable(field_type: FieldType, text: str) -> Any:
    return Decimal(text) if field_type in NUMERIC else text.lower()


def _holds(rule: Rule, text: str) -> bool:
    if rule.operator is Operator.IS_BLANK:
        return text == ""
    if rule.operator is Operator.IS_NOT_BLANK:
        return text != ""
    if rule.operator in {Operator.NOT_EQUALS, Operator.NOT_IN}:
        return text == "" or all(_comparable(rule.type, text) != _comparable(rule.type, v) for v in rule.values)
    if text == "":
        return False
    value = _comparable(rule.type, text)
    wanted = [_comparable(rule.type, v) for v in rule.values]
    match rule.operator:
        case Operator.EQUALS | Operator.IN:
            return value in wanted
        case Operator.LESS:
            return bool(value < wanted[0])
        case Operator.LESS_OR_EQUAL:
            return bool(value <= wanted[0])
        case Operator.GREATER:
            return bool(value > wanted[0])
        case Operator.GREATER_OR_EQUAL:
            return bool(value >= wanted[0])
        case Operator.CONTAINS:
            return any(str(w) in str(value) for w in wanted)
        case _:
            return any(str(value).startswith(str(w)) for w in wanted)


def to_dict(tree: Filter | None) -> dict[str, Any] | None:
    """Plain data for storage."""
    if tree is None:
        return None
    if isinstance(tree, Group):
        return {"all_of": tree.all_of, "parts": [to_dict(part) for part in tree.parts]}
    return {"field": tree.field, "type": tree.type, "operator": tree.operator, "values": list(tree.values)}


def from_dict(data: Any, depth: int = 0) -> Filter | None:
    """A filter from plain data; raises BadFilter for what is none."""
    if data is None:
        return None
    if not isinstance(data, dict) or depth > _DEEPEST:
        raise BadFilter("A filter is a tree of rules, at most five groups deep.")
    if "parts" in data:
        parts = [from_dict(part, depth + 1) for part in data["parts"]]
        return Group(tuple(part for part in parts if part is not None), bool(data.get("all_of", True)))
    try:
        return Rule(
            str(data["field"]),
            FieldType(data["type"]),
            Operator(data["operator"]),
            tuple(str(value) for value in data.get("values", ())),
        )
    except (KeyError, ValueError) as error:
        raise BadFilter(f"A rule of the filter is incomplete: {error}") from error
