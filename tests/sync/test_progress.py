"""Progress, rate and time left, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.sync.selectors.progress import Progress, duration_words, progress

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fetched", "applied", "expected", "seconds", "result"),
    [
        (0, 0, None, 10, Progress(0, None, None, None, None)),
        (0, 0, 100, 10, Progress(0, 100, 0, None, None)),
        (0, 0, 0, 10, Progress(0, 0, 100, None, None)),
        (500, 250, 1000, 10, Progress(250, 1000, 25, 25, 30)),
        (500, 250, None, 10, Progress(250, None, None, 25, None)),
        (1200, 1200, 1000, 10, Progress(1200, 1200, 100, 120, 0)),
        (500, 250, 1000, 1, Progress(250, 1000, 25, None, None)),
    ],
    ids=[
        "nothing known", "asked", "no rows at all", "in the middle", "size unknown", "more than expected", "too early",
    ],
)  # fmt: skip
def test_progress(fetched: int, applied: int, expected: int | None, seconds: int, result: Progress) -> None:
    now = START + timedelta(seconds=seconds)
    assert progress(fetched=fetched, applied=applied, expected=expected, started_at=START, now=now) == result


def test_a_run_that_has_not_begun_has_no_rate() -> None:
    assert progress(fetched=0, applied=0, expected=5, started_at=None, now=START).rows_per_second is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (95, "1 min 35 s"),
        (720, "12 min"),
        (3600, "1 h"),
        (9000, "2 h 30 min"),
    ],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
