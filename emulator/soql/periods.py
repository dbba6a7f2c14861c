"""Date literals: LAST_WEEK, NEXT_N_DAYS:15 and their like, as a first and a last day."""

from datetime import date, timedelta


def period(literal: str, today: date) -> tuple[date, date] | None:
    """The first day of a period and the first day after it; None for an unknown word. Weeks begin on Sunday."""
    word, _, count = literal.partition(":")
    if word in {"TODAY", "YESTERDAY", "TOMORROW"}:
        start = today + timedelta(days={"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[word])
        return start, start + timedelta(days=1)
    if word.endswith("_90_DAYS"):
        word, count = word.replace("_90_DAYS", "_N_DAYS"), "90"
    when, _, unit = word.partition("_")
    unit = unit.replace("FISCAL_", "")
    if unit.startswith("N_") or unit == "N_DAYS_AGO":
        return _counted(when, unit.removeprefix("N_"), int(count or 1), today)
    shift = {"LAST": -1, "THIS": 0, "NEXT": 1}.get(when)
    if shift is None:
        return None
    return _begin(unit, today, shift), _begin(unit, today, shift + 1)


def _counted(when: str, unit: str, count: int, today: date) -> tuple[date, date] | None:
    if unit.endswith("_AGO"):
        unit = unit.removesuffix("_AGO").removesuffix("S")
        return _begin(unit, today, -count), _begin(unit, today, 1 - count)
    unit = unit.removesuffix("S")
    if when == "LAST":
        end = today + timedelta(days=1) if unit == "DAY" else _begin(unit, today, 0)
        return _begin(unit, today, -count), end
    if when == "NEXT":
        return _begin(unit, today, 1), _begin(unit, today, count + 1)
    return None


def _begin(unit: str, today: date, shift: int) -> date:
    """The first day of the unit that lies ``shift`` units from that of today."""
    if unit == "DAY":
        return today + timedelta(days=shift)
    if unit == "WEEK":
        return today - timedelta(days=(today.weekday() + 1) % 7) + timedelta(weeks=shift)
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    index = (today.year * 12 + today.month - 1) // months * months + shift * months
    return date(index // 12, index % 12 + 1, 1)
