"""When a failed row is tried again, or that only a change or a person helps."""

from datetime import datetime, timedelta

from apps.domain.budget import PROBE_EVERY
from apps.domain.failures import Category

LONGEST = timedelta(hours=1)
_LEAST = timedelta(seconds=1)

_FIRST: dict[Category, timedelta] = {
    # It is over in a moment: a lock is held for one transaction, a lost job or cursor is asked for anew.
    **dict.fromkeys(
        (Category.ROW_LOCKED, Category.CURSOR_EXPIRED, Category.JOB_GONE, Category.JOB_FAILED), timedelta(seconds=5)
    ),
    **dict.fromkeys(
        (
            Category.CONCURRENT_LIMIT,
            Category.UNAVAILABLE,
            Category.SESSION_EXPIRED,
            Category.QUERY_TOO_SLOW,
            Category.MISSING_PARENT,
            Category.INTERNAL,
        ),
        timedelta(seconds=60),
    ),
    # Somebody has to free space, a release has to end, calls have to come back: asking often helps nobody.
    **dict.fromkeys((Category.REQUEST_LIMIT, Category.MAINTENANCE, Category.STORAGE_LIMIT), PROBE_EVERY),
}
"""The first wait of what passes by itself; what is not here is blocked."""
_NOT_BEFORE = frozenset({Category.REQUEST_LIMIT, Category.MAINTENANCE, Category.STORAGE_LIMIT})


def next_attempt(
    category: Category,
    attempts: int,
    *,
    now: datetime,
    retry_after: float | None = None,
    resumes_at: datetime | None = None,
    jitter: float,
) -> datetime | None:
    """The next attempt after ``attempts`` failed ones, or None: blocked until the record or the mapping changes, or
    somebody presses Retry.

    The longest wait doubles up to an hour, and ``jitter`` in [0, 1) chooses within it (full jitter), so that rows
    that failed together do not come back together. A wait that Salesforce asked for (``retry_after``, seconds) and
    the moment at which calls are allowed again (``resumes_at``) are kept.
    """
    first = _FIRST.get(category)
    if first is None:
        return None
    longest: timedelta = min(first * 2 ** min(max(attempts - 1, 0), 12), LONGEST)
    wait = max(longest * jitter, _LEAST)
    if category in _NOT_BEFORE:
        wait = first + (longest - first + _LEAST) * jitter
    asked_for = now + max(min(wait, LONGEST), timedelta(seconds=retry_after or 0))
    return max(asked_for, resumes_at) if resumes_at else asked_for
