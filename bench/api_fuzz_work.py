"""What ``bench.api_fuzz`` asks; imported once Django is set up."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from apps.api.schema import document
from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.sync_settings.models import SyncSettings
from apps.tenants.models import Scope, User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.api_keys import create_api_key
from apps.tenants.services.tenants import create_tenant
from tests.api.fuzz_world import NEVER, two_accounts
from tests.api.fuzzing import Fuzzer, Tally


def run(cases: int, seed: int, who: str) -> int:
    """Play the cases and print; 0 where nothing was wrong."""
    settings.DEBUG = False
    settings.API_CALLS_PER_MINUTE = 10**9
    logging.disable(logging.CRITICAL)
    own, other, connection, secret = _accounts()
    ids = two_accounts(own, other, connection)
    application: Any = get_wsgi_application()
    wrong = 0
    askers = {"key": ("with a key", secret), "nobody": ("without a key", "")}
    for name, key in askers.values() if who == "both" else [askers[who]]:
        began, tally = time.monotonic(), Tally()
        fuzzer = Fuzzer(application, document(), key, ids, NEVER)
        operations = fuzzer.operations()
        turn = 0
        while tally.cases < cases:
            share = max(2, (cases - tally.cases) // len(operations) + 1)
            for operation in operations.values():
                tally += fuzzer.play(operation, share, seed + turn)
            turn += 1
        counts = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
        print(f"{tally.cases:,} requests {name} in {time.monotonic() - began:.0f} s: {counts}", flush=True)
        print(f"{len(tally.complaints)} complaints", flush=True)
        for complaint in tally.complaints[:20]:
            print(complaint, flush=True)
        wrong += len(tally.complaints)
    return 1 if wrong else 0


def _accounts() -> Any:
    """Two accounts, a connection of the first that nobody talks through, and a key that may do everything."""
    with app_transaction():
        user = User.objects.create_user("fuzz@example.com", "fuzz", name="Fuzz")
    own, other = create_tenant(name="Harbour", owner=user), create_tenant(name="Elsewhere", owner=user)
    with tenant_transaction(own.pk):
        connection = Connection.objects.create(
            instance_url="https://harbour.my.salesforce.com", org_id="00D000000000001EAA", api_version="62.0"
        )
        SyncSettings.objects.create(connection=connection, syncs_enabled=True)
        secret = create_api_key(name="Fuzz", scopes=list(Scope), user=user)[1]
    return own, other, connection, secret
