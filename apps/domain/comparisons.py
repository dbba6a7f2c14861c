"""Which comparisons a field of a type allows, and how typed text becomes the value to compare with.

Only what SOQL and our evaluator both do alike is offered: SOQL compares no long texts, and multi-select picklists and
times only with blank.
"""

from datetime import datetime

from apps.domain.filters import BadFilter, Filter, Group, Operator, Rule
from apps.domain.relative_dates import is_relative
from apps.domain.values import NUMERIC, FieldType, Unreadable, canonical, clean_text

MOST_RULES = 100
MOST_VALUES = 200
LONGEST_VALUE = 255

_BLANKS = (Operator.IS_BLANK, Operator.IS_NOT_BLANK)
_LISTED = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
_ORDERED = (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL)
_TEXT = (
    Operator.EQUALS,
    Operator.NOT_EQUALS,
    Operator.CONTAINS,
    Operator.STARTS_WITH,
    Operator.IN,
    Operator.NOT_IN,
    *_BLANKS,
)
_OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    **dict.fromkeys(NUMERIC, (*_LISTED[:2], *_ORDERED, *_LISTED[2:], *_BLANKS)),
    FieldType.STRING: _TEXT,
    FieldType.TEXTAREA: _TEXT,
    FieldType.PHONE: _TEXT,
    FieldType.URL: _TEXT,
    FieldType.EMAIL: _TEXT,
    FieldType.COMBOBOX: _TEXT,
    FieldType.PICKLIST: _TEXT,
    FieldType.BOOLEAN: (Operator.EQUALS,),
    FieldType.DATE: (*_LISTED[:2], *_ORDERED, *_BLANKS),
    FieldType.DATETIME: (*_ORDERED, *_BLANKS),
    FieldType.TIME: _BLANKS,
    FieldType.MULTIPICKLIST: _BLANKS,
    FieldType.ID: _LISTED,
    FieldType.REFERENCE: (*_LISTED, *_BLANKS),
}
_MOVING = frozenset({FieldType.DATE, FieldType.DATETIME})
_EXAMPLES = {
    FieldType.DATE: "This is no date. One looks like 2026-01-31.",
    FieldType.DATETIME: "This is no date and time. One looks like 2026-01-31 09:30, and is meant in UTC.",
    FieldType.BOOLEAN: "Choose yes or no.",
    FieldType.ID: "This is no Salesforce id. One has 15 or 18 letters and digits.",
    FieldType.REFERENCE: "This is no Salesforce id. One has 15 or 18 letters and digits.",
}

WITHOUT_VALUE = frozenset(_BLANKS)
"""Comparisons that need no value."""
WITH_MANY = frozenset({Operator.IN, Operator.NOT_IN})
"""Comparisons with any number of values."""


OPERATOR_WORDS: dict[Operator, str] = {
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.LESS: "is less than",
    Operator.LESS_OR_EQUAL: "is at most",
    Operator.GREATER: "is more than",
    Operator.GREATER_OR_EQUAL: "is at least",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.IS_BLANK: "is empty",
    Operator.IS_NOT_BLANK: "is not empty",
}
"""A comparison as one says it of anything but a date."""


def operators_for(field_type: FieldType, *, moves: bool = False) -> tuple[Operator, ...]:
    """The comparisons that a field of this type allows; none where Salesforce cannot filter by it. A moment equals no
    other in practice, but lies within days that move with the calendar (``moves``)."""
    known = _OPERATORS.get(field_type, ())
    return (*_LISTED[:2], *known) if moves and field_type is FieldType.DATETIME else known


def read_operand(field_type: FieldType, typed: str, *, moves: bool = False) -> str:
    """Typed text as the value to compare with; raises BadFilter with the reason in words. ``moves``: a date may be one
    that moves with the calendar."""
    text = clean_text(typed)
    if not text:
        raise BadFilter("Enter a value to compare with.")
    if len(text) > LONGEST_VALUE:
        raise BadFilter(f"This is too long: at most {LONGEST_VALUE} characters.")
    if moves and field_type in _MOVING and is_relative(text.upper()):
        return text.upper()
    try:
        if field_type is FieldType.DATETIME:
            text = _with_zone(text)
        return canonical(field_type, text.replace(",", "") if field_type in NUMERIC else text) or ""
    except Unreadable as error:
        raise BadFilter(_EXAMPLES.get(field_type, "This is no number. One looks like 250.")) from error


def _with_zone(text: str) -> str:
    """A moment of a form field as one in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable("not a moment") from error
    return text if moment.tzinfo is not None else f"{moment.isoformat()}Z"


def check_filter(tree: Filter | None, *, moves: bool = False) -> None:
    """Raise BadFilter where a filter holds what cannot be asked: from wherever it comes, it is checked before it is
    stored."""
    rules = list(_checked(tree, moves)) if tree is not None else []
    if len(rules) > MOST_RULES:
        raise BadFilter(f"A filter has at most {MOST_RULES} rules.")


def _checked(tree: Filter, moves: bool) -> list[Rule]:
    if isinstance(tree, Group):
        return [rule for part in tree.parts for rule in _checked(part, moves)]
    is_moving = moves and tree.type in _MOVING and bool(tree.values) and is_relative(tree.values[0])
    if tree.operator not in operators_for(tree.type, moves=is_moving):
        raise BadFilter(f"“{tree.field}” cannot be compared in this way.")
    if tree.operator in WITHOUT_VALUE:
        return [tree]
    if not tree.values or len(tree.values) > MOST_VALUES:
        raise BadFilter(f"“{tree.field}” is compared with one to {MOST_VALUES} values.")
    for value in tree.values:
        read_operand(tree.type, value, moves=moves)
    if len(tree.values) > 1 and any(is_relative(value) for value in tree.values if tree.type in _MOVING):
        raise BadFilter(f"“{tree.field}” is compared with one date that moves with the calendar, or with none.")
    return [tree]
