"""Transforming texts: case, blanks, replacing, value maps, templates of other fields, and date arithmetic."""

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from apps.domain.values import BLANKS

LONGEST = 32_000
"""Characters that a transformation may come to; what is longer is cut."""
_PLACE = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MOST_SHIFT = 50_000


class BadTransform(ValueError):
    """A transformation that cannot be done, with the reason in words."""


class Case(StrEnum):
    """How letters are written."""

    UPPER = "upper"
    LOWER = "lower"
    TITLE = "title"
    SENTENCE = "sentence"


def change_case(text: str, case: Case) -> str:
    """The text with its letters written so. Titles begin each word and each part of a hyphenated one with a capital,
    and leave O'Brien alone."""
    match case:
        case Case.UPPER:
            return text.upper()
        case Case.LOWER:
            return text.lower()
        case Case.SENTENCE:
            lowered = text.lower()
            first = next((i for i, char in enumerate(lowered) if char.isalpha()), None)
            return lowered if first is None else lowered[:first] + lowered[first].title() + lowered[first + 1 :]
        case _:
            return _WORD.sub(lambda found: _capital(found.group()), text)


def _capital(word: str) -> str:
    head, mark, tail = word.partition("'" if "'" in word else "’")
    if mark and len(head) == 1 and len(tail) > 1:  # O'Brien, d'Arcy: a name after one letter
        return f"{head.title()}{mark}{tail[:1].title()}{tail[1:].lower()}"
    return word[:1].title() + word[1:].lower()


def trim(text: str) -> str:
    """The text without outer blanks, and with one space where several stood; lines stay lines."""
    lines = (re.sub(rf"[{BLANKS}\u00a0]+", " ", line).strip(" ") for line in text.strip(BLANKS + "\u00a0").splitlines())
    return "\n".join(lines)


def replace(text: str, find: str, by: str, *, matches_case: bool = False) -> str:
    """The text with every ``find`` replaced; with nothing to find it stays."""
    if not find:
        return text
    pattern = re.compile(re.escape(find), 0 if matches_case else re.IGNORECASE)
    return pattern.sub(lambda _: by, text)[:LONGEST]


def read_value_map(typed: str) -> dict[str, str]:
    """A value map from lines ``old = new``; ``*`` on the left stands for every other value. Raises BadTransform."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(typed.splitlines(), 1):
        if not line.strip():
            continue
        old, mark, new = line.partition("=")
        if not mark:
            raise BadTransform(f"Line {number} has no “=”. One looks like: DE = Germany.")
        if old.strip().lower() in {known.lower() for known in pairs}:
            raise BadTransform(f"“{old.strip()}” stands there twice.")
        pairs[old.strip()] = new.strip()
    if not pairs:
        raise BadTransform("Enter at least one line, such as: DE = Germany.")
    return pairs


def map_value(text: str, pairs: Mapping[str, str]) -> str:
    """What the map has for a value, whatever its case; else what it has for ``*``, else the value itself."""
    known = {old.lower(): new for old, new in pairs.items()}
    wanted = text.strip().lower()
    return known.get(wanted, known.get("*", text) if wanted else text)


# -- templates ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a template: a field, and what stands there where the field is empty."""

    field: str
    otherwise: str = ""


def read_template(text: str, known: Sequence[str] | None = None) -> tuple[str | Place, ...]:
    """The parts of a template such as ``Dear {first_name|colleague}``. Raises BadTransform for a brace that is not
    closed, and for a field that is not ``known`` (None: any)."""
    parts: list[str | Place] = []
    end = 0
    for found in _PLACE.finditer(text):
        parts.append(text[end : found.start()])
        name, _, otherwise = found.group(1).partition("|")
        place = Place(name.strip(), otherwise)
        if known is not None and place.field not in known:
            raise BadTransform(
                f"There is no field “{place.field}” to put in." if place.field else "“{}” names no field."
            )
        parts.append(place)
        end = found.end()
    parts.append(text[end:])
    if any(isinstance(part, str) and ("{" in part or "}" in part) for part in parts):
        raise BadTransform("A brace is not closed. A field looks like {first_name}.")
    return tuple(part for part in parts if part != "")


def fields_in(text: str) -> Iterator[str]:
    """The fields that a template names."""
    return (part.field for part in read_template(text) if isinstance(part, Place))


def render(text: str, values: Mapping[str, str]) -> str:
    """The template with its fields put in; what is put in is never a template again."""
    parts = read_template(text)
    filled = (part if isinstance(part, str) else values.get(part.field, "") or part.otherwise for part in parts)
    return "".join(filled)[:LONGEST]


# -- dates ----------------------------------------------------------------------------------------------------


class Unit(StrEnum):
    """In what dates are shifted."""

    DAYS = "days"
    WORKING_DAYS = "working_days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


def shift_date(start: date, amount: int, unit: Unit) -> date:
    """The date so much later, or earlier where the amount is negative. The 31st of January and one month is the last
    of February; working days leave out Saturdays and Sundays. Raises BadTransform outside the calendar."""
    if abs(amount) > _MOST_SHIFT:
        raise BadTransform("This is too far away.")
    try:
        match unit:
            case Unit.DAYS:
                return start + timedelta(days=amount)
            case Unit.WEEKS:
                return start + timedelta(weeks=amount)
            case Unit.WORKING_DAYS:
                return _working_days(start, amount)
            case Unit.MONTHS:
                return _months(start, amount)
            case _:
                return _months(start, 12 * amount)
    except (OverflowError, ValueError) as error:
        raise BadTransform("This is outside the calendar.") from error


def _months(start: date, amount: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + amount, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def _working_days(start: date, amount: int) -> date:
    step = 1 if amount > 0 else -1
    weeks, rest = divmod(abs(amount), 5)
    day = start
    while day.weekday() > 4 and amount:  # from a weekend on, Friday or Monday is where counting begins
        day -= timedelta(days=step)
    day += timedelta(weeks=weeks * step)
    for _ in range(rest):
        day += timedelta(days=step)
        while day.weekday() > 4:
            day += timedelta(days=step)
    return day


def date_in(text: str) -> date | None:
    """The date that a text begins with; None for any other text."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
