"""Random requests by the OpenAPI document: ``python3 -m bench.api_fuzz --cases 10000`` with a key, and as many without.

Starts its own PostgreSQL and Valkey. Prints how many requests there were, how they were answered, and every complaint:
a failure of ours, an answer that the document does not know, broken data that was taken, another account's data.
"""

import argparse
import logging
import sys
import time
import warnings
from typing import Any

from bench.services import running_services


def main() -> int:
    """0 where nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="requests with a key, and as many without")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--who", choices=["both", "key", "nobody"], default="both", help="who asks")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with running_services():
        return _run(arguments.cases, arguments.seed, arguments.who)


def _run(cases: int, seed: int, who: str) -> int:
    # Django is set up only now.
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    from apps.api.schema import document
    from tests.api.fuzz_world import NEVER, two_accounts
    from tests.api.fuzzing import Fuzzer, Tally

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
    from apps.core.db import app_transaction
    from apps.integrations.models import Connection
    from apps.sync_settings.models import SyncSettings
    from apps.tenants.models import Scope, User
    from apps.tenants.scope import tenant_transaction
    from apps.tenants.services.api_keys import create_api_key
    from apps.tenants.services.tenants import create_tenant

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


if __name__ == "__main__":
    sys.exit(main())
