"""How far an object of a run is, how fast, and how long it will take: a function of its counters."""

from dataclasses import dataclass
from datetime import datetime

_ENOUGH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """``percent`` and ``seconds_left`` are None where nobody can know them yet."""

    done: int
    total: int | None
    percent: int | None
    rows_per_second: int | None
    seconds_left: int | None


def progress(
    *, fetched: int, applied: int, expected: int | None, started_at: datetime | None, now: datetime
) -> Progress:
    """Progress by rows applied; what Salesforce expects is a floor, since rows may appear while it counts."""
    total = None if expected is None else max(expected, fetched, applied)
    percent = None if total is None else 100 if total == 0 else applied * 100 // total
    seconds = (now - started_at).total_seconds() if started_at else 0.0
    if seconds < _ENOUGH_SECONDS or not applied:
        return Progress(applied, total, percent, None, None)
    rate = applied / seconds
    left = None if total is None else round((total - applied) / rate)
    return Progress(applied, total, percent, round(rate), left)


def duration_words(seconds: float) -> str:
    """A length of time as people say it."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
