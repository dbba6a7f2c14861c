"""The tenants that the differential bench syncs."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from django.utils import timezone  # Django is set up by the import above

from apps.integrations.gateways import open_gateway
from apps.integrations.metadata import refresh_metadata
from apps.sync.drive import advance_held
from apps.sync.due import begin_due_sync
from apps.sync.models import RunState, Schedule, SyncRun, Watermark
from apps.sync.pull.plan import ORDER
from apps.sync.tasks import tick
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction
from bench.tenant import BenchTenant
from emulator.control import EmulatorControl


def ready(tenant: BenchTenant) -> None:
    """As after a first full sync: metadata read, syncs on, watermarks at the org's present."""
    refresh_metadata(tenant.tenant_id, tenant.connection.pk)
    with tenant.gateway() as gateway:
        now = gateway.org_time()
    with tenant_transaction(tenant.tenant_id):
        settings_of(tenant.connection)
        SyncSettings.objects.update(syncs_enabled=True)
        for sobject in ORDER:
            Watermark.objects.create(connection_id=tenant.connection.pk, sobject=sobject, covered_to=now)
        Schedule.objects.create(connection_id=tenant.connection.pk)


class Idle:
    """One tenant, synced in this process."""

    def __init__(self, emulator: EmulatorControl, org_id: str) -> None:
        self.tenant = BenchTenant(emulator, org_id, name=f"idle-{org_id}")
        ready(self.tenant)

    def sync(self) -> None:
        """One differential sync, now."""
        with tenant_transaction(self.tenant.tenant_id):
            Schedule.objects.update(differential_due_at=timezone.now())
        hold = begin_due_sync(self.tenant.tenant_id, self.tenant.connection.pk)
        assert hold is not None
        advance_held(hold)

    def syncs(self, count: int) -> tuple[float, float]:
        """CPU and wall seconds of one sync, on average."""
        self.sync()
        cpu, wall = time.process_time(), time.monotonic()
        for _ in range(count):
            self.sync()
        return (time.process_time() - cpu) / count, (time.monotonic() - wall) / count

    def bare(self, count: int) -> float:
        """CPU seconds of two calls that ask seven trivial questions, on average."""
        questions = [f"SELECT Id FROM {sobject} LIMIT 1" for sobject in ORDER]
        with open_gateway(self.tenant.tenant_id, self.tenant.connection.pk) as gateway:
            began = time.process_time()
            for _ in range(count):
                gateway.query_many(questions)
        return (time.process_time() - began) / count

    def forget_watermarks(self) -> None:
        """As if the last sync had been years ago: seeded rows carry stamps of the past."""
        with tenant_transaction(self.tenant.tenant_id):
            Watermark.objects.update(covered_to=datetime(2001, 1, 1, tzinfo=UTC))


class Many:
    """Many tenants, each with an org of its own, synced by a worker process."""

    def __init__(self, emulator: EmulatorControl, count: int) -> None:
        self.tenants = []
        for number in range(count):
            org = emulator.create_org(name=f"Many {number}")
            emulator.seed(org["id"], accounts=5, contacts=5, leads=5)
            self.tenants.append(BenchTenant(emulator, org["id"], name=f"many-{number}"))
            ready(self.tenants[-1])

    def round(self, pid: int | None = None) -> tuple[float, float]:
        """Wall seconds until all that became due at once are synced, and the worker's CPU seconds."""
        now = timezone.now()
        for tenant in self.tenants:
            with tenant_transaction(tenant.tenant_id):
                Schedule.objects.update(differential_due_at=now)
        cpu, began = _cpu(pid), time.monotonic()
        waiting = list(self.tenants)
        tick()
        while waiting:
            time.sleep(0.05)
            with tenant_transaction(waiting[-1].tenant_id):
                if SyncRun.objects.filter(state=RunState.COMPLETED, queued_at__gte=now).exists():
                    waiting.pop()
        return time.monotonic() - began, _cpu(pid) - cpu


def _cpu(pid: int | None) -> float:
    """CPU seconds of a process so far (user and system, from /proc)."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
