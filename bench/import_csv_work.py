"""What ``bench.import_csv`` does; imported once the services are up and Django is set up."""

import io
import os
import time
from contextlib import ExitStack
from typing import Any

from django.db import connections

from apps.core.db import app_transaction
from apps.imports.columns import guess, targets_of
from apps.imports.models import Import, Mode
from apps.imports.services import start, upload
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant
from bench.memory import PeakMemory
from bench.services import running_worker

_HEADER = "Email,First name,Last name,Title,Company name,Phone,City,Country,Employees,Description\n"
_STEP = 1.0


def measure(stack: ExitStack, rows: int) -> None:
    """Import a file twice through a worker, then by the floor, and print."""
    data = _file(rows)
    with app_transaction():
        user = User.objects.create_user("bench@northwind.example", "correct horse battery")
    tenant = create_tenant(name="Bench", owner=user)
    worker = stack.enter_context(running_worker("bulk"))
    print(f"{rows:,} rows, {len(data) / 1e6:.0f} MB")
    with PeakMemory({"worker": worker.pid, "bench": os.getpid()}) as memory:
        first, uploaded, seconds = _import(tenant, user, data)
        again, _, unchanged = _import(tenant, user, data)
    print(f"upload             {len(data) / 1e6 / uploaded:>10,.1f} MB/s    {uploaded:6.1f} s")
    print(f"first, created     {rows / seconds:>10,.0f} rows/s   {seconds:6.1f} s   {first.created:,} created")
    print(f"again, unchanged   {rows / unchanged:>10,.0f} rows/s   {unchanged:6.1f} s   {again.unchanged:,} unchanged")
    for name, peak in memory.peaks.items():
        print(f"peak memory        {peak / 1e6:>10,.0f} MB       {name}")
    floor = _floor(tenant.pk, data)
    print(f"floor              {rows / floor:>10,.0f} rows/s   {floor:6.1f} s   ratio {floor / seconds:.2f}")


def _file(rows: int) -> bytes:
    """A file as a fair's organisers would send it."""
    lines = (
        f"person{n}@company{n % 5000}.example,First{n % 900},Last{n % 4000},Manager,Company {n % 5000},"
        f'+49 30 {n:07d},City {n % 300},Germany,{n % 1000},"Met at the fair, stand {n % 90}"\n'
        for n in range(rows)
    )
    return (_HEADER + "".join(lines)).encode()


def _import(tenant: Tenant, user: User, data: bytes) -> tuple[Import, float, float]:
    """Import the file and wait for its end; the import, and the seconds that its upload and its work took."""
    began = time.monotonic()
    with tenant_transaction(tenant.pk):
        row = upload(record_type="person", filename="fair.csv", source=io.BytesIO(data), size=len(data), user=user)
    uploaded = time.monotonic() - began
    with tenant_transaction(tenant.pk):
        mapping = guess("person", row.header, targets_of("person"))
        start(row=row, mapping=mapping, mode=Mode.UPDATE, reactivates=True, to=None, user=user)
    while True:
        time.sleep(_STEP)
        with tenant_transaction(tenant.pk):
            row = Import.objects.get(id=row.pk)
        if not row.is_open:
            break
    assert row.started_at is not None
    assert row.finished_at is not None
    return row, uploaded, (row.finished_at - row.started_at).total_seconds()


def _floor(tenant_id: int, data: bytes) -> float:
    """Seconds for COPY and one INSERT … SELECT into a table like the people's."""
    columns = "email, first_name, last_name, title, company_name, phone, city, country, employees, description"
    texts = ", ".join(f"{name.strip()} text" for name in columns.split(","))
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_person (LIKE audience_person INCLUDING ALL)")
        began = time.monotonic()
        cursor.execute(f"CREATE UNLOGGED TABLE bench_rows ({texts})")
        raw: Any = cursor.cursor
        raw.copy_expert("COPY bench_rows FROM STDIN (FORMAT csv, HEADER)", io.BytesIO(data))
        cursor.execute(
            f"INSERT INTO bench_person (tenant_id, id, source, {columns}) SELECT %s, row_number() OVER (), 'import', "
            f"{columns.replace('employees', 'employees::bigint')} FROM bench_rows",
            [tenant_id],
        )
        seconds = time.monotonic() - began
        cursor.execute("DROP TABLE bench_rows; DROP TABLE bench_person")
    return seconds
