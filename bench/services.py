"""What every bench starts for itself: PostgreSQL, Valkey, the emulator, and worker processes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from config.runner.postgres import embedded_postgres
from config.runner.valkey import embedded_valkey
from emulator.control import EmulatorControl, running_emulator


@dataclass(frozen=True, slots=True)
class Services:
    """What is running; Django may be set up once it is."""

    emulator: EmulatorControl
    postgres: Any


@contextmanager
def running_services() -> Iterator[Services]:
    """Start the services, put them into the environment, migrate, and set Django up."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="syncline-bench-")))
        folder.chmod(0o755)
        emulator = stack.enter_context(running_emulator(folder / "emulator"))
        postgres = stack.enter_context(embedded_postgres(folder / "postgres", durable=True))
        valkey = stack.enter_context(embedded_valkey(folder / "valkey", durable=False))
        _set_environment(emulator, postgres.login_url, postgres.owner_url, valkey.url)
        django.setup()
        yield Services(emulator, postgres)


def _set_environment(emulator: EmulatorControl, login_url: str, owner_url: str, redis_url: str) -> None:
    os.environ.update(
        DATABASE_URL=login_url,
        DATABASE_OWNER_URL=owner_url,
        REDIS_URL=redis_url,
        DEBUG="1",
        SALESFORCE_LOGIN_URL=emulator.base_url,
        SALESFORCE_TRUSTED_HOSTS=emulator.base_url.removeprefix("http://"),
        SALESFORCE_CLIENT_ID="3MVG9.emulator.syncline",
        SALESFORCE_CLIENT_SECRET="emulator-consumer-secret",
        DJANGO_SETTINGS_MODULE="config.settings",
        SYNCLINE_IGNORE_DOTENV="1",
    )
    subprocess.run([sys.executable, "-m", "django", "migrate", "--database", "owner", "-v", "0"], check=True)


def start_worker(queues: str) -> "subprocess.Popen[bytes]":
    """A worker process of the given queues, with four threads, in a session of its own as ``manage.py up`` starts it:
    the kernel shares the processors fairly between sessions."""
    command = ["-m", "celery", "-q", "-A", "config.celery", "worker", "-Q", queues, "-P", "threads", "-c", "4"]
    name = f"{queues.replace(',', '-')}-{os.urandom(3).hex()}@bench"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *command, "-n", name, "--without-gossip", "--without-mingle", "-l", "ERROR"],
        start_new_session=True,
    )


@contextmanager
def running_worker(queues: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker process while the block runs."""
    process = start_worker(queues)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
