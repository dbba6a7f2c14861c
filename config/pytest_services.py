"""An early pytest plugin: PostgreSQL and Valkey for the tests, before the settings are read.

Loaded by ``-p`` in the options, because pytest-django reads the settings before any ``conftest.py``. Workers of
pytest-xdist inherit the environment and start nothing.
"""

import atexit
import base64
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from config.runner.postgres import EmbeddedPostgres
from config.runner.valkey import EmbeddedValkey


def _start_services() -> None:
    wants_database, wants_redis = "DATABASE_URL" not in os.environ, "REDIS_URL" not in os.environ
    if not (wants_database or wants_redis):
        return
    folder = Path(tempfile.mkdtemp(prefix="syncline-tests-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # PostgreSQL runs as somebody else
    starter = os.getpid()
    postgres = EmbeddedPostgres(folder / "postgres", durable=False)
    valkey = EmbeddedValkey(folder / "valkey", durable=False)

    def stop() -> None:
        if os.getpid() == starter:
            postgres.stop()
            valkey.stop()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    if wants_database:
        postgres.start()
        os.environ["DATABASE_URL"] = postgres.login_url
        os.environ["DATABASE_OWNER_URL"] = postgres.owner_url
    if wants_redis:
        valkey.start()
        os.environ["REDIS_URL"] = valkey.url


def set_environment() -> None:
    """What the settings ask for; a developer's own ``.env`` has no say in tests."""
    os.environ["SYNCLINE_IGNORE_DOTENV"] = "1"
    os.environ.setdefault("DEBUG", "1")
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    os.environ.setdefault("SYNCLINE_ENCRYPTION_KEYS", f"test:{key}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Start what is missing; a wrapper, so that it runs before pytest-django's own hook."""
    asked = early_config.known_args_namespace
    if not (asked.help or asked.version):
        set_environment()
        _start_services()
    return (yield)
