"""What level 2 runs on: a PostgreSQL of its own, the emulator inside the process, no broker."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.conf import settings as django_settings
from django.core.management import call_command

from config.pytest_services import set_environment
from config.runner.postgres import embedded_postgres
from emulator.local import BASE_URL, local_emulator
from tests.emulator.adapter import leading_to
from tests.histories.history import History
from tests.histories.world import HistoryWorld


@contextmanager
def real_worlds() -> Iterator[Callable[[History], HistoryWorld]]:
    """Start what is needed; answers how a tenant and its org are made empty for a history."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="syncline-histories-")))
        folder.chmod(0o755)
        postgres = stack.enter_context(embedded_postgres(folder / "postgres", durable=False))
        set_environment()
        os.environ.update(
            DATABASE_URL=postgres.login_url,
            DATABASE_OWNER_URL=postgres.owner_url,
            REDIS_URL="redis://127.0.0.1:1/0",  # nothing listens: every wake-up call is lost
            SALESFORCE_LOGIN_URL=BASE_URL,
            SALESFORCE_TRUSTED_HOSTS=BASE_URL.removeprefix("http://"),
            SALESFORCE_CLIENT_ID="3MVG9.emulator.syncline",
            SALESFORCE_CLIENT_SECRET="emulator-consumer-secret",
            DJANGO_SETTINGS_MODULE="config.settings",
        )
        django.setup()
        django_settings.DEBUG = False  # no log of queries
        call_command("migrate", database="owner", verbosity=0)
        local = stack.enter_context(local_emulator())
        stack.enter_context(leading_to(local))
        # Models can be imported only now that Django is set up.
        from tests.histories.real.grounds import Grounds
        from tests.histories.real.world import RealWorld

        grounds = {has_package: Grounds(local, has_package=has_package) for has_package in (True, False)}
        yield lambda history: RealWorld(grounds[history.setup.has_package], history.setup)
