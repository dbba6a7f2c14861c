"""When a failed row is tried again, or that only a change or a person helps."""

from datetime import datetime, timedelta

from apps.domain.failures import Category

_SOON = frozenset({Category.ROW_LOCKED, Category.CURSOR_EXPIRED, Category.JOB_GONE, Category.JOB_FAILED})
_PASSING = frozenset(
    {
        Category.REQUEST_LIMIT,
        Category.CONCURRENT_LIMIT,
        Category.UNAVAILABLE,
        Category.MAINTENANCE,
        Category.SESSION_EXPIRED,
        Category.QUERY_TOO_SLOW,
        Category.STORAGE_LIMIT,
        Category.MISSING_PARENT,
        Category.INTERNAL,
    }
)
_FIRST = {True: timedelta(seconds=5), False: timedelta(seconds=60)}
LONGEST = timedelta(hours=1)


def next_attempt(
    category: Category, attempts: int, *, now: datetime, retry_after: float | None = None, jitter: float
) -> datetime | None:
    """The next attempt after ``attempts`` failed ones, or None: blocked until the record or mapping changes.

    The wait doubles up to an hour; ``jitter`` in [0, 1) spreads it between half and the whole. A wait that
    Salesforce asked for (``retry_after``, seconds) is kept.
    """
    if category not in _SOON | _PASSING:
        return None
    wait: timedelta = min(_FIRST[category in _SOON] * 2 ** min(max(attempts - 1, 0), 12), LONGEST)
    spread = wait * (0.5 + jitter / 2)
    return now + max(spread, timedelta(seconds=retry_after or 0))
