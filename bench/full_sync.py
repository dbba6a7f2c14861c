"""``python -m bench.full_sync --rows 100000``: a full sync of leads with 25 mapped fields, through everything real.

Starts its own PostgreSQL, Valkey, emulator and two worker processes; prints rows per second, peak memory of each
process, and ratios to two yardsticks measured in the same run:

* floor: the same bytes downloaded, COPYed into staging, put by one bare INSERT … SELECT per table into tables of the
  same columns, constraints and indexes as those the sync fills;
* afternoon: simple-salesforce ``bulk2`` query, ``csv.DictReader``, psycopg2 ``execute_values`` upserts of 1,000 into
  one flat keyed table (its poll waits are left out).
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.memory import PeakMemory
from config.runner.postgres import embedded_postgres
from config.runner.valkey import embedded_valkey
from emulator.control import EmulatorControl, running_emulator

FIELDS = (
    ("Email", "email"), ("FirstName", "first_name"), ("LastName", "last_name"), ("Salutation", "salutation"),
    ("Title", "title"), ("Company", "company_name"), ("Phone", "phone"), ("MobilePhone", "mobile_phone"),
    ("Fax", "fax"), ("Website", "website"), ("Street", "street"), ("City", "city"), ("State", "state"),
    ("PostalCode", "postal_code"), ("Country", "country"), ("Industry", "industry"), ("LeadSource", "lead_source"),
    ("Status", "lead_status"), ("Rating", "rating"), ("Description", "description"),
    ("NumberOfEmployees", "employees"), ("AnnualRevenue", "annual_revenue"), ("OwnerId", "owner"),
    ("Syncline_Lead_Score__c", "custom:remote_score"), ("Name", "custom:full_name"),
)  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.full_sync", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--skip-yardsticks", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="syncline-bench-")))
        folder.chmod(0o755)
        emulator = stack.enter_context(running_emulator(folder / "emulator"))
        postgres = stack.enter_context(embedded_postgres(folder / "postgres", durable=True))
        valkey = stack.enter_context(embedded_valkey(folder / "valkey", durable=False))
        _environment(emulator, postgres.login_url, postgres.owner_url, valkey.url)
        _measure(stack, emulator, postgres, options)
    return 0


def _environment(emulator: EmulatorControl, login_url: str, owner_url: str, redis_url: str) -> None:
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


def _worker(name: str) -> "subprocess.Popen[bytes]":
    command = ["-m", "celery", "-A", "config.celery", "worker", "-Q", "bulk", "-P", "threads", "-c", "4"]
    return subprocess.Popen(
        [sys.executable, *command, "-n", f"{name}@bench", "--without-gossip", "--without-mingle", "-l", "WARNING"]
    )


def _measure(stack: ExitStack, emulator: EmulatorControl, postgres: Any, options: argparse.Namespace) -> None:
    # Django reads its settings when these are imported: the services must be up by then.
    from bench.tenant import BenchTenant
    from bench.yardsticks import afternoon, floor

    org = emulator.create_org(name="Bench")
    began = time.monotonic()
    emulator.seed(org["id"], leads=options.rows)
    print(f"seeded {options.rows:,} leads in {time.monotonic() - began:.0f} s")
    tenant = BenchTenant(emulator, org["id"], FIELDS)
    worker = _worker("sync")
    stack.callback(worker.wait)
    stack.callback(worker.terminate)
    with PeakMemory({"worker": worker.pid, "bench": os.getpid()}) as memory:
        first, waited = tenant.full_sync()
        second, waited_again = tenant.full_sync()
    first, second = first - waited, second - waited_again
    print(f"left out: {waited:.1f} s and {waited_again:.1f} s until the Bulk job was ready")
    print(f"first full sync    {options.rows / first:>10,.0f} rows/s   {first:6.1f} s")
    print(
        f"second, unchanged  {options.rows / second:>10,.0f} rows/s   {second:6.1f} s   {first / second:.1f} x faster"
    )
    for name, peak in memory.peaks.items():
        print(f"peak memory        {peak / 1e6:>10,.0f} MB       {name}")
    if options.skip_yardsticks:
        return
    seconds = floor(tenant, options.rows)
    print(
        f"floor              {options.rows / seconds:>10,.0f} rows/s   {seconds:6.1f} s   ratio {seconds / first:.2f}"
    )
    seconds = afternoon(tenant, postgres.owner_url)
    print(
        f"afternoon          {options.rows / seconds:>10,.0f} rows/s   {seconds:6.1f} s   ratio {seconds / first:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
