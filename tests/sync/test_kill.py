"""F51: SIGKILL at any moment; the run resumes and ends as an undisturbed one whose pages one lane applied whole."""

import os
import random
import re
import subprocess
import sys
import time

import pytest
from django.db import connection as database

from apps.audience.models import Person
from apps.core.db import app_transaction
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.grants import connection_from_grant
from apps.sync.models import RecordLink, RunEntry, RunObject, SyncRun
from apps.sync.services import start_full_sync
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant
from emulator.control import EmulatorControl

ROWS = int(os.environ.get("KILL_ROWS", "12000"))
KILLS = int(os.environ.get("KILLS", "6"))


def _start(emulator: EmulatorControl, user: User, name: str) -> tuple[int, int]:
    org = emulator.create_org(name=name)
    emulator.seed(
        org["id"], seed=5, accounts=ROWS // 20, contacts=ROWS // 5, leads=ROWS, campaigns=3, members=ROWS // 10
    )
    tenant = create_tenant(name=name, owner=user)
    with tenant_transaction(tenant.pk):
        connection = connection_from_grant(
            answer=emulator.grant(org["id"]), login_url=emulator.base_url, username="x", user=user
        )
        seed_custom_profile(connection)
        return tenant.pk, start_full_sync(connection=connection, user=user, turn_on=True).pk


def _driver(tenant_id: int, run_id: int, emulator: EmulatorControl, *more: str) -> "subprocess.Popen[bytes]":
    settings = database.settings_dict
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "SALESFORCE_LOGIN_URL": emulator.base_url,
        "SALESFORCE_TRUSTED_HOSTS": emulator.base_url.removeprefix("http://"),
        "SALESFORCE_CLIENT_ID": "3MVG9.emulator.syncline",
        "SALESFORCE_CLIENT_SECRET": "emulator-consumer-secret",
    }
    command = [sys.executable, "-m", "tests.sync.driver", str(tenant_id), str(run_id), *more]
    return subprocess.Popen(command, env=environment)


_ID = re.compile(r"\b(\w{3})\w{2}(\w{10})[A-Z0-5]{3}\b")


def _without_org(rows: object) -> str:
    """Two orgs of one seed differ in the two characters of their ids that name the org."""
    return _ID.sub(r"\1\2", repr(rows))


def _fingerprint(tenant_id: int, run_id: int) -> object:
    with tenant_transaction(tenant_id):
        assert SyncRun.objects.get(id=run_id).state == "completed"
        people = list(
            Person.objects.order_by("leading_remote_id").values_list(
                "leading_remote_id", "leading_sobject", "email", "first_name", "last_name", "title", "company_name",
                "phone", "version", "email_opt_out",
            )
        )  # fmt: skip
        links = list(
            RecordLink.objects.order_by("remote_id").values_list(
                "remote_id", "is_leading", "base_remote", "local_version"
            )
        )
        entries = sorted(RunEntry.objects.filter(run_id=run_id).values_list("remote_id", "action"))
        parts = list(
            RunObject.objects.filter(run_id=run_id)
            .order_by("position")
            .values_list("sobject", "fetched", "created", "updated", "unchanged", "skipped", "failed")
        )
    return _without_org((people, links, entries, parts))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_sigkill_at_random_moments_ends_in_the_same_database(emulator: EmulatorControl) -> None:
    with app_transaction():
        user = User.objects.create_user("kill@example.com", "x")
    calm, calm_run = _start(emulator, user, "Calm")
    assert _driver(calm, calm_run, emulator, "calm").wait(180) == 0
    shaken, shaken_run = _start(emulator, user, "Shaken")
    rng = random.Random(KILLS)
    for _ in range(KILLS):
        worker = _driver(shaken, shaken_run, emulator)
        time.sleep(1.2 + rng.random() * 2.5)
        worker.kill()
        worker.wait(10)
    assert _driver(shaken, shaken_run, emulator).wait(180) == 0
    assert _fingerprint(shaken, shaken_run) == _fingerprint(calm, calm_run)
