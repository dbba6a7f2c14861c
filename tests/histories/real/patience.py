"""An end to work that does not come back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stuck(BaseException):
    """Work has not come back for too long; nothing that catches exceptions may swallow it."""


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Raise Stuck in the block once this process has been alive in it for so many seconds. They are counted one by one:
    those in which the whole machine stood still are none. Blocks may be nested; the outer one waits meanwhile."""
    left = seconds

    def tick(*_: object) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            raise Stuck

    handler = signal.signal(signal.SIGALRM, tick)
    timer = signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
