"""Fixtures of the runner's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.tools import passable_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder where PostgreSQL may put its data even when the tests run as root."""
    with passable_folder() as place:
        yield place
