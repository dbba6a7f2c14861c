"""The tenants of the bench of single records."""

import time

from django.utils import timezone

from apps.audience.models import Person
from apps.core.queue import wake
from apps.outbox.queue import queue_change
from apps.sync.models import OPEN_RUN_STATES, Schedule, SyncRun
from apps.sync.services import start_full_sync, sync_now
from apps.tenants.scope import tenant_transaction
from bench.full_sync import FIELDS
from bench.tenant import BenchTenant
from emulator.control import EmulatorControl


class Small:
    """A tenant with a few leads, both ways, whose users press "Sync now"."""

    def __init__(self, emulator: EmulatorControl) -> None:
        org = emulator.create_org(name="Small")
        emulator.seed(org["id"], leads=200)
        self.tenant = BenchTenant(emulator, org["id"], name="small")
        self.tenant.both_ways()
        self.tenant.full_sync()
        with tenant_transaction(self.tenant.tenant_id):
            self.people = list(Person.objects.filter(leading_sobject="Lead")[:100])
            self._count = 0

    def samples(self, count: int) -> tuple[list[float], list[float]]:
        """Seconds from the press to the end of the run, and from due to begun of a differential sync."""
        return [self._sync_now() for _ in range(count)], [self._start() for _ in range(count)]

    def _sync_now(self) -> float:
        self._count += 1
        person = self.people[self._count % len(self.people)]
        with tenant_transaction(self.tenant.tenant_id):
            Person.objects.filter(id=person.pk).update(title=f"Title {self._count}")
            queue_change(local_type="person", local_id=person.pk, fields=["title"], origin="user", at=timezone.now())
        began = time.monotonic()
        with tenant_transaction(self.tenant.tenant_id):
            run = sync_now(
                connection=self.tenant.connection, local_type="person", record_id=person.pk, user=self.tenant.user
            )
        while self._run(run.pk).state in OPEN_RUN_STATES:
            time.sleep(0.01)
        return time.monotonic() - began

    def _start(self) -> float:
        now = timezone.now()
        with tenant_transaction(self.tenant.tenant_id):
            Schedule.objects.update(differential_due_at=now)
            wake("apps.sync.tasks.differential", self.tenant.tenant_id, self.tenant.connection.pk, queue="routine")
        while True:
            with tenant_transaction(self.tenant.tenant_id):
                run = SyncRun.objects.filter(kind="differential", queued_at__gte=now).first()
                is_over = run is not None and run.state not in OPEN_RUN_STATES
            if run is not None and run.started_at is not None and is_over:
                return float((run.started_at - now).total_seconds())
            time.sleep(0.01)

    def _run(self, run_id: int) -> SyncRun:
        with tenant_transaction(self.tenant.tenant_id):
            found: SyncRun = SyncRun.objects.get(id=run_id)
            return found


class Big:
    """Another tenant, with many leads."""

    def __init__(self, emulator: EmulatorControl, rows: int) -> None:
        org = emulator.create_org(name="Big")
        emulator.seed(org["id"], leads=rows)
        self.tenant = BenchTenant(emulator, org["id"], FIELDS, name="big")

    def begin(self) -> None:
        """Start its full sync, and wait until rows are applied."""
        with tenant_transaction(self.tenant.tenant_id):
            start_full_sync(connection=self.tenant.connection, user=self.tenant.user, turn_on=True)
        while True:
            with tenant_transaction(self.tenant.tenant_id):
                if Person.objects.exists():
                    return
            time.sleep(0.2)

    def is_running(self) -> bool:
        """Whether the full sync is still under way."""
        with tenant_transaction(self.tenant.tenant_id):
            return bool(SyncRun.objects.filter(state__in=OPEN_RUN_STATES).exists())
