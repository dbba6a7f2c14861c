"""What the tests of the runner share."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2


@contextmanager
def passable_folder() -> Iterator[Path]:
    """pytest's own temporary folders can be entered by their owner only; PostgreSQL's account may be another."""
    place = Path(tempfile.mkdtemp(prefix="syncline-runner-"))
    if os.geteuid() == 0:
        place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def eventually(holds: Callable[[], bool], *, seconds: float = 20.0) -> bool:
    """Whether it comes true within the time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run the statements in one transaction; the rows of the last one, if it has any."""
    with closing(psycopg2.connect(url)) as link, link, link.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
