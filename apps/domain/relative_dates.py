"""Dates that move with the calendar: TODAY, LAST_N_DAYS:30 and their like, as SOQL has them.

Each stands for a span of days in the sync user's time zone. Only those are known whose days depend on nothing else:
weeks begin on another day in each locale, and fiscal periods are the org's own.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from apps.domain.filters import Filter, Group, Operator, Rule, rules_of
from apps.domain.values import FieldType, datetime_text

_FIXED = re.compile(r"(LAST|THIS|NEXT)_(MONTH|QUARTER|YEAR)")
_DAYS = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
_COUNTED = re.compile(r"(LAST|NEXT)_N_(DAY|MONTH|QUARTER|YEAR)S:(\d{1,4})")
_AGO = re.compile(r"N_(DAY|MONTH|QUARTER|YEAR)S_AGO:(\d{1,4})")
_NINETY = {"LAST_90_DAYS": "LAST_N_DAYS:90", "NEXT_90_DAYS": "NEXT_N_DAYS:90"}
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_TYPES = frozenset({FieldType.DATE, FieldType.DATETIME})
_MOST = 999
_WORDS = {"LAST": "last", "THIS": "this", "NEXT": "next"}

Days = tuple[date, date]
"""The first day, and the first one after."""


def span(literal: str, today: date) -> Days | None:
    """The days that a literal means; None for what is none, or lies outside the calendar."""
    text = _NINETY.get(literal, literal)
    try:
        if text in _DAYS:
            return _one("DAY", today, _DAYS[text])
        if found := _FIXED.fullmatch(text):
            return _one(found[2], today, {"LAST": -1, "THIS": 0, "NEXT": 1}[found[1]])
        if (found := _AGO.fullmatch(text)) and _fits(found[1], found[2]):
            return _one(found[1], today, -int(found[2]))
        if (found := _COUNTED.fullmatch(text)) and _fits(found[2], found[3]):
            return _several(found[1], found[2], today, int(found[3]))
    except (ValueError, OverflowError):
        return None
    return None


def _fits(unit: str, count: str) -> bool:
    """Whether so many of a unit lie within the calendar, whatever today is."""
    return unit == "DAY" or int(count) <= _MOST


def _one(unit: str, today: date, shift: int) -> Days:
    return _begin(unit, today, shift), _begin(unit, today, shift + 1)


def _several(when: str, unit: str, today: date, count: int) -> Days:
    """The last days end with today; the last months before this one."""
    if when == "NEXT":
        return _begin(unit, today, 1), _begin(unit, today, count + 1)
    return _begin(unit, today, -count), _begin(unit, today, 1 if unit == "DAY" else 0)


def _begin(unit: str, today: date, shift: int) -> date:
    """The first day of the unit that lies ``shift`` units from today's."""
    if unit == "DAY":
        return today + timedelta(days=shift)
    length = _MONTHS[unit]
    index = (today.year * 12 + today.month - 1) // length * length + shift * length
    return date(index // 12, index % 12 + 1, 1)


def is_relative(literal: str) -> bool:
    """Whether a text is a date that moves with the calendar, and that is known here."""
    return span(literal, date(2026, 1, 1)) is not None


def relative_words(literal: str) -> str:
    """A relative date as people say it."""
    text = _NINETY.get(literal, literal)
    if found := _FIXED.fullmatch(text):
        return f"{_WORDS[found[1]]} {found[2].lower()}"
    if found := _COUNTED.fullmatch(text):
        return f"the {_WORDS[found[1]]} {_many(found[3], found[2])}"
    if found := _AGO.fullmatch(text):
        return f"{_many(found[2], found[1])} ago"
    return text.lower()


def _many(count: str, unit: str) -> str:
    return f"{int(count)} {unit.lower()}{'' if int(count) == 1 else 's'}"


def has_relative(trees: Iterable[Filter | None]) -> bool:
    """Whether one of the filters moves with the calendar."""
    return any(_literal_of(rule) for tree in trees for rule in rules_of(tree))


def _literal_of(rule: Rule) -> str:
    return next((value for value in rule.values if rule.type in _TYPES and is_relative(value)), "")


def resolved(tree: Filter | None, now: datetime, zone: tzinfo) -> Filter | None:
    """The filter with each relative date as the days that it means now: "before" is before its first day, "on or
    before" before its end, "is" within it."""
    if isinstance(tree, Group):
        parts = (resolved(part, now, zone) for part in tree.parts)
        return Group(tuple(part for part in parts if part is not None), tree.all_of)
    literal = _literal_of(tree) if tree is not None else ""
    days = span(literal, now.astimezone(zone).date()) if literal else None
    if tree is None or days is None:
        return tree
    start, end = (_text(tree.type, day, zone) for day in days)
    within = {
        Operator.LESS: (Rule(tree.field, tree.type, Operator.LESS, (start,)),),
        Operator.LESS_OR_EQUAL: (Rule(tree.field, tree.type, Operator.LESS, (end,)),),
        Operator.GREATER: (Rule(tree.field, tree.type, Operator.GREATER_OR_EQUAL, (end,)),),
        Operator.GREATER_OR_EQUAL: (Rule(tree.field, tree.type, Operator.GREATER_OR_EQUAL, (start,)),),
    }
    if tree.operator in within:
        return within[tree.operator][0]
    before, after = within[Operator.LESS][0], within[Operator.GREATER][0]
    if tree.operator is Operator.NOT_EQUALS:
        return Group((Rule(tree.field, tree.type, Operator.IS_BLANK), before, after), all_of=False)
    return Group((within[Operator.GREATER_OR_EQUAL][0], within[Operator.LESS_OR_EQUAL][0]))


def _text(kind: FieldType, day: date, zone: tzinfo) -> str:
    if kind is FieldType.DATE:
        return day.isoformat()
    return datetime_text(datetime.combine(day, time(), zone).astimezone(UTC).isoformat())
