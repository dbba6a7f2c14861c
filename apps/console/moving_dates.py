"""Choosing a date that moves with the calendar: what is offered, and the literal that a choice and a number make."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from apps.domain.filters import BadFilter
from apps.domain.relative_dates import is_relative

FIXED = "fixed"
"""The choice of one day or moment that stays."""
_UNITS = ("day", "month", "quarter", "year")
_COUNTED = re.compile(r"(\w+):(\d{1,4})")
_SHORT = {"LAST_90_DAYS": "LAST_N_DAYS:90", "NEXT_90_DAYS": "NEXT_N_DAYS:90"}


@dataclass(frozen=True, slots=True)
class MovingDate:
    """What may be chosen; a counted one needs a number."""

    value: str
    label: str
    unit: str
    is_counted: bool = False


def _offered(unit: str) -> Iterator[MovingDate]:
    name = unit.upper()
    if unit == "day":
        yield from (MovingDate(day.upper(), day, unit) for day in ("today", "yesterday", "tomorrow"))
    else:
        yield from (MovingDate(f"{word.upper()}_{name}", f"{word} {unit}", unit) for word in ("this", "last", "next"))
    yield MovingDate(f"LAST_N_{name}S", f"last … {unit}s", unit, is_counted=True)
    yield MovingDate(f"NEXT_N_{name}S", f"next … {unit}s", unit, is_counted=True)
    yield MovingDate(f"N_{name}S_AGO", f"… {unit}s ago", unit, is_counted=True)


MOVING_DATES: dict[str, MovingDate] = {one.value: one for unit in _UNITS for one in _offered(unit)}


def chosen_of(literal: str) -> tuple[str, str]:
    """A literal as the choice and the number that make it."""
    text = _SHORT.get(literal, literal)
    found = _COUNTED.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def literal_of(choice: str, count: str) -> str:
    """The literal that a choice and a number make; raises BadFilter with the reason in words."""
    known = MOVING_DATES.get(choice)
    if known is None:
        raise BadFilter("Choose a date.")
    if not known.is_counted:
        return known.value
    number = count.strip()
    literal = f"{known.value}:{number}"
    if not number:
        raise BadFilter(f"Enter how many {known.unit}s.")
    if not number.isascii() or not is_relative(literal):
        raise BadFilter(f"“{number[:20]}” is no number of {known.unit}s. Enter a whole number up to 999.")
    return literal
