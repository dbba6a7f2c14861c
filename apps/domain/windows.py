"""Windows of differential syncs: which stretch of org time is asked for, and where to go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.domain.rows import RemoteRow

LOOK_BACK = timedelta(minutes=10)
"""Rows become visible after their stamp, when their transaction commits: so some minutes are read again (facts, "Which
timestamp"). What commits later still is found by the nightly sweep."""
SETTLE = timedelta(seconds=5)
"""The last seconds are left for the next window: their rows may still be on the way."""


@dataclass(frozen=True, slots=True)
class Window:
    """Stamps from ``since`` (with it) to ``until`` (without it), in org time."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How much of org time it covers."""
        return self.until - self.since

    @property
    def is_empty(self) -> bool:
        """Nothing to ask: org time has not moved on."""
        return self.until <= self.since

    def holds(self, stamp: datetime) -> bool:
        """Whether a row of this stamp belongs to the window."""
        return self.since <= stamp < self.until


def next_window(covered_to: datetime, org_now: datetime, *, look_back: timedelta = LOOK_BACK) -> Window:
    """The window after ``covered_to``; it begins earlier by the look-back, and knows no clock but the org's."""
    return Window(covered_to - look_back, org_now - SETTLE)


def covered_after(covered_to: datetime, window: Window, *, is_in: bool) -> datetime:
    """The watermark after a window: it moves only when every row is applied or in the retry ledger, never back."""
    return max(covered_to, window.until) if is_in else covered_to


def halved(window: Window) -> Window:
    """The earlier half, for a window that is too slow to ask."""
    return Window(window.since, window.since + window.length / 2)


Cursor = tuple[datetime, str]
"""Stamp and id of the last row that is in: the key by which pages follow each other."""


def cursor_of(row: RemoteRow) -> Cursor | None:
    """Where the page after this row begins; None where the row shows no stamp."""
    return (row.stamp, row.remote_id) if row.stamp is not None else None
