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
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench.memory import PeakMemory
from bench.services import running_services, running_worker
from emulator.control import EmulatorControl

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
        services = stack.enter_context(running_services())
        _measure(stack, services.emulator, services.postgres, options)
    return 0


def _measure(stack: ExitStack, emulator: EmulatorControl, postgres: Any, options: argparse.Namespace) -> None:
    # Django reads its settings when these are imported: the services must be up by then.
    from bench.tenant import BenchTenant
    from bench.yardsticks import afternoon, floor

    org = emulator.create_org(name="Bench")
    began = time.monotonic()
    emulator.seed(org["id"], leads=options.rows)
    print(f"seeded {options.rows:,} leads in {time.monotonic() - began:.0f} s")
    tenant = BenchTenant(emulator, org["id"], FIELDS)
    worker = stack.enter_context(running_worker("bulk"))
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
