"""Folders where PostgreSQL may put its data even when the tests run as root."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """pytest's own temporary folders can be entered by their owner only; PostgreSQL's account is another."""
    place = Path(tempfile.mkdtemp(prefix="syncline-runner-"))
    if os.geteuid() == 0:
        place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)
