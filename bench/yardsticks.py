"""What the sync is measured against, in the same run and on the same server."""

import csv
import io
import re
import tempfile
import time
from typing import Any

import psycopg2
from django.db import connection
from psycopg2.extras import execute_values
from simple_salesforce.api import Salesforce

from apps.field_mappings.models import MappingVersion
from apps.field_mappings.versions import load_steps
from apps.sync.pull.sql import statements
from apps.tenants.scope import tenant_transaction
from bench.tenant import BenchTenant

_PAGE = 10_000
_COPIES = ("audience_person", "sync_recordlink", "sync_runentry", "audience_personword")

_KEYS = (
    ("sync_recordlink", "person_id", "staging.audience_person"),
    ("audience_personword", "person_id", "staging.audience_person"),
)
"""Foreign keys that LIKE does not copy; those to tables that the sync only reads are left out."""


def _wait(bulk: Any, job_id: str) -> None:
    while not bulk.look(job_id).is_complete:
        time.sleep(0.05)


def floor(tenant: BenchTenant, rows: int) -> float:
    """Seconds to download, COPY, and INSERT … SELECT into bare copies of the tables that the sync fills."""
    lead = tenant.last_lead_object()
    with tenant_transaction(tenant.tenant_id):
        _make_copies()
    with tenant.gateway() as gateway:
        job = gateway.bulk.create(lead.soql)
        _wait(gateway.bulk, job.id)
        began = time.monotonic()
        locator, number = "", 0
        while True:
            with tempfile.SpooledTemporaryFile(max_size=1 << 26) as body:
                with gateway.bulk.page(job.id, locator=locator, max_records=_PAGE) as page:
                    while chunk := page.stream.read(1 << 20):
                        body.write(chunk)
                body.seek(0)
                with tenant_transaction(tenant.tenant_id):
                    _copy(f"floor_{number}", lead.columns, body)
            locator, number = page.next_locator, number + 1
            if not locator:
                break
        with tenant_transaction(tenant.tenant_id):
            union = " UNION ALL ".join(f'SELECT * FROM staging."floor_{n}"' for n in range(number))
            _insert(tenant, lead, union, rows)
        return time.monotonic() - began


def _make_copies() -> None:
    with connection.cursor() as cursor:
        for table in _COPIES:
            cursor.execute(f"CREATE TABLE staging.{table} (LIKE public.{table} INCLUDING ALL)")
        for table, column, target in _KEYS:
            cursor.execute(
                f"ALTER TABLE staging.{table} ADD FOREIGN KEY (tenant_id, {column}) REFERENCES {target} (tenant_id, id)"
            )


def _copy(table: str, columns: list[str], body: Any) -> None:
    listed = ", ".join(f'"{name}" text' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE UNLOGGED TABLE staging."{table}" ({listed})')
        cursor.cursor.copy_expert(f'COPY staging."{table}" FROM STDIN (FORMAT csv, HEADER match)', body)


def _insert(tenant: BenchTenant, lead: Any, union: str, rows: int) -> None:
    """The sync's own columns and conversions, without matching, classes and checks."""
    document = MappingVersion.objects.latest("id").document
    step = next(step for step in load_steps(document) if step.sobject == "Lead")
    create = statements(step, lead.columns, "x").create.replace('staging."x"', f"({union})")
    # Instead of looking for links and candidates only what the unique index demands: an address once.
    once = "  WHERE turn = 1 OR v0 = ''\n  ORDER BY b.rid"
    bare, found = re.subn(r"  WHERE NOT odd.*?\n  ORDER BY b\.rid", lambda _: once, create, flags=re.DOTALL)
    assert found == 1, "the statement of the sync has changed; look at what the floor leaves out"
    for table in _COPIES:
        bare = bare.replace(f"INSERT INTO {table} ", f"INSERT INTO staging.{table} ")
    parameters: dict[str, Any] = {
        "tenant": tenant.tenant_id, "connection": -1, "run": -1, "layout": 1, "sobject": "Lead",
        "now": "2026-01-01T00:00:00Z", "opt_out": True,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(bare, parameters)
        inserted = int(cursor.fetchone()[0])
    assert inserted > rows * 0.98, f"the floor inserted {inserted:,} of {rows:,} rows"  # an address only once


def afternoon(tenant: BenchTenant, url: str) -> float:
    """Seconds that the script of an afternoon needs; its poll waits are left out."""
    lead = tenant.last_lead_object()
    with tenant.gateway() as gateway:
        job = gateway.bulk.create(lead.soql)
        _wait(gateway.bulk, job.id)
        api: Any = Salesforce(
            instance_url=gateway._base, session_id="held-by-the-session", version="66.0", session=gateway._session
        )
        began = time.monotonic()
        with psycopg2.connect(url) as link, link.cursor() as cursor:
            columns = ", ".join(f'"{name}" text' for name in lead.columns)
            cursor.execute(f'CREATE TABLE afternoon ({columns}, PRIMARY KEY ("Id"))')
            names = ", ".join(f'"{name}"' for name in lead.columns)
            changes = ", ".join(f'"{n}" = excluded."{n}"' for n in lead.columns if n != "Id")
            insert = f'INSERT INTO afternoon ({names}) VALUES %s ON CONFLICT ("Id") DO UPDATE SET {changes}'
            locator: str | None = ""
            while locator is not None:
                result = api.bulk2.Lead._client.get_query_results(job.id, locator or "", 100_000)
                reader = csv.DictReader(io.StringIO(result["records"]))
                batch: list[tuple[str, ...]] = []
                for row in reader:
                    batch.append(tuple(row[name] for name in lead.columns))
                    if len(batch) == 1000:
                        execute_values(cursor, insert, batch, page_size=1000)
                        batch = []
                if batch:
                    execute_values(cursor, insert, batch, page_size=1000)
                locator = result["locator"] or None
        return time.monotonic() - began
