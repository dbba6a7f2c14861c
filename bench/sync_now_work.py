"""The tenants of the bench of single records."""

import time
from datetime import timedelta

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

PRESS, START, END = "Sync now", "start delay of a differential sync", "end of a differential sync"
"""What is measured of other tenants."""

_PAUSE = 0.25
_LOOK = 0.05
_AHEAD = timedelta(seconds=_PAUSE)


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

    def samples(self, count: int) -> dict[str, list[float]]:
        """Seconds from the press to the end of the run; and from due to begun, and to the end, of a differential
        sync. Between two there is a pause, in which the worker finishes what it did for the last."""
        presses = [self._sync_now() for _ in range(count)]
        begun, ended = zip(*(self._differential() for _ in range(count)), strict=True)
        return {PRESS: presses, START: list(begun), END: list(ended)}

    def _sync_now(self) -> float:
        time.sleep(_PAUSE)
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

    def _differential(self) -> tuple[float, float]:
        due = timezone.now()
        while due <= timezone.now():  # written too late
            due = timezone.now() + _AHEAD
            with tenant_transaction(self.tenant.tenant_id):
                Schedule.objects.update(differential_due_at=due)
        time.sleep((due - timezone.now()).total_seconds())
        with tenant_transaction(self.tenant.tenant_id):  # as the tick does
            wake("apps.sync.tasks.differential", self.tenant.tenant_id, self.tenant.connection.pk, queue="routine")
        while True:
            time.sleep(_LOOK)  # first: to look takes the processor from what is looked at
            with tenant_transaction(self.tenant.tenant_id):
                run = SyncRun.objects.filter(kind="differential", queued_at__gte=due).first()
            if run is not None and run.started_at is not None and run.finished_at is not None:
                return (run.started_at - due).total_seconds(), (run.finished_at - due).total_seconds()

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
