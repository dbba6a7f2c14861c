"""Fields that a filter compares, and a filter as a sentence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.domain.comparisons import OPERATOR_WORDS, operators_for
from apps.domain.filters import Filter, Group, Operator, Rule
from apps.domain.relative_dates import is_relative, relative_words
from apps.domain.values import FieldType

_TIME_WORDS: dict[Operator, str] = {
    Operator.EQUALS: "is on",
    Operator.NOT_EQUALS: "is not on",
    Operator.LESS: "is before",
    Operator.LESS_OR_EQUAL: "is on or before",
    Operator.GREATER: "is after",
    Operator.GREATER_OR_EQUAL: "is on or after",
}
TIMES = frozenset({FieldType.DATE, FieldType.DATETIME})
_SPAN_WORDS = {Operator.EQUALS: "is on or in", Operator.NOT_EQUALS: "is not on or in"}
WITHIN = frozenset(_SPAN_WORDS)
TIME_OPERATORS = tuple(_TIME_WORDS)
_SPAN = re.compile(r"(LAST|THIS|NEXT)_")
_YES_NO = (("true", "Yes"), ("false", "No"))


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field that may be compared. ``choices`` are pairs of value and label; ``note`` tells it from its namesakes;
    ``moves``: a date may be one that moves with the calendar."""

    name: str
    label: str
    type: FieldType
    choices: tuple[tuple[str, str], ...] = ()
    note: str = ""
    moves: bool = False

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        return _YES_NO if self.type is FieldType.BOOLEAN else self.choices

    @property
    def operators(self) -> tuple[Operator, ...]:
        return operators_for(self.type, moves=self.moves)


def operator_words(operator: Operator | str, field_type: FieldType, *, moves: bool = False) -> str:
    """A comparison in words, as one says it of a field of this type; ``moves``: of a day, or of a span of days."""
    known = Operator(operator)
    if moves and field_type in TIMES and known in _SPAN_WORDS:
        return _SPAN_WORDS[known]
    return _TIME_WORDS.get(known, OPERATOR_WORDS[known]) if field_type in TIMES else OPERATOR_WORDS[known]


def filter_words(tree: Filter | None, fields: Mapping[str, FilterField]) -> str:
    """A filter as a sentence; "" for none."""
    if tree is None:
        return ""
    if isinstance(tree, Group):
        parts = [
            f"({words})" if _is_mixed(part) else words for part in tree.parts if (words := filter_words(part, fields))
        ]
        return (" and " if tree.all_of else " or ").join(parts)
    assert isinstance(tree, Rule)
    known = fields.get(tree.field)
    labels = dict(known.options) if known else {}
    label = known.label if known else tree.field
    if tree.type in TIMES and tree.values:
        return f"{label} {_time_words(tree)}"
    values = " or ".join(f"“{labels.get(one, one)}”" for one in tree.values[:5])
    more = f" and {len(tree.values) - 5} more" if len(tree.values) > 5 else ""
    return f"{label} {operator_words(tree.operator, tree.type)} {values}{more}".strip()


def _time_words(rule: Rule) -> str:
    """A comparison with days or moments, as people say it."""
    said = " or ".join(relative_words(one) if is_relative(one) else _day_words(rule.type, one) for one in rule.values)
    if rule.operator not in WITHIN:
        return f"{operator_words(rule.operator, rule.type)} {said}"
    start = "is not" if rule.operator is Operator.NOT_EQUALS else "is"
    if not is_relative(rule.values[0]):
        return f"{start} on {said}"
    return f"{start} {'in ' if _SPAN.match(rule.values[0]) else ''}{said}"


def _day_words(kind: FieldType, text: str) -> str:
    """A day or a moment in words; what is none stays as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return f"“{text}”"
    day = f"{at.day} {at:%B %Y}"
    return day if kind is FieldType.DATE else f"{day}, {at:%H:%M} UTC"


def _is_mixed(tree: Filter) -> bool:
    return isinstance(tree, Group) and len(tree.parts) > 1


def fields_by_label(fields: Sequence[FilterField]) -> list[FilterField]:
    """Fields in the order in which people look for them."""
    return sorted(fields, key=lambda one: (one.label.lower(), one.name))
