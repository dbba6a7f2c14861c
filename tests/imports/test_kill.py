"""F51 for imports: SIGKILL at each crash point, over and over; it goes on, does nothing twice, and adds up."""

import os
import subprocess
import sys

import pytest
from django.db import connection as database

from apps.audience.models import Engagement, Person, RecordChange
from apps.imports.models import Import, ImportState
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.imports.world import Importing

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 240


def _drive(importing: Importing, row: Import, crash_at: str) -> int:
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database.settings_dict)
    environment = os.environ | {
        "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1", "SYNCLINE_CRASH_AT": crash_at,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.imports.driver", str(importing.tenant_id), str(row.pk)]
    return subprocess.run(command, env=environment, timeout=120, check=False).returncode


def test_import_that_is_killed_at_every_point_ends_as_an_undisturbed_one(tenant: Tenant) -> None:
    importing = Importing(tenant)
    lines = [f"p{n}@x.example,P {n},T" for n in range(ROWS)]
    lines[100] = "nonsense,x,y"
    row = importing.start(importing.upload("email,first name,title\n" + "\n".join(lines) + "\n"))
    for point in ("import_claimed", "import_applied", "import_chunk"):
        assert _drive(importing, row, point) == -9, point
    assert _drive(importing, row, "") == 0
    row = importing.finish(row)
    assert (row.state, importing.counts(row)) == (ImportState.COMPLETED, (ROWS - 1, 0, 0, 0, 1))
    assert [number for number, _ in importing.problems(row)] == [102]
    with tenant_transaction(tenant.pk):
        assert Person.objects.count() == RecordChange.objects.count() == Engagement.objects.count() == ROWS - 1
    assert len(importing.queued()) == ROWS - 1
