"""The machinery in earnest: runs are begun and advanced here, as the tasks do it, to their end or to a crash."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from apps.core import crash, queue
from apps.integrations.metadata import refresh_metadata
from apps.outbox.models import OutboundChange
from apps.sync.drive import advance
from apps.sync.due import begin_due_push, begin_due_sweep
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunLane, SyncRun
from apps.sync.services import start_differential_sync, start_full_sync, sync_now
from apps.tenants.scope import tenant_transaction
from emulator.control import ControlRefused
from tests.histories.history import Setup
from tests.histories.real.grounds import REMOTE, Grounds
from tests.histories.real.patience import Stuck, patience
from tests.histories.real.sides import Sides
from tests.histories.world import Crashed, Violation

LONGEST = 60
"""Seconds in which any run of so few rows has ended."""
MOST_ROUNDS = 60
"""So often any of them has been advanced by then."""
_POINTS = {"after_intend": "intended", "after_write": "written"}


class RealWorld(Sides):
    """The verbs of a history, carried out by the product and the emulator."""

    def __init__(self, grounds: Grounds, setup: Setup) -> None:
        super().__init__(grounds, setup)
        self._on_point: Callable[[str], None] = lambda name: None
        crash.point = lambda name: self._on_point(name)
        queue._send = lambda *_, **__: None  # every wake-up call is lost

    # -- where the machinery takes part -----------------------------------------------------------------------

    def late_edit_remote(self, key: str, name: str, text: str, seconds: int) -> bool:
        sobject = self._sobject(key)
        # A row is locked from its change to the commit: so its stamps never go back, and nobody else writes it
        # meanwhile; but somebody asks.
        self.wait(seconds)
        self.poll()
        values = {REMOTE[sobject][name]: text}
        try:
            self.control.commit_late(self.org_id, seconds, "update", sobject=sobject, id=key, values=values)
        except ControlRefused:
            return False
        return True

    def show(self) -> None:
        """The fields are seen again, metadata is read, and an admin runs a full sync, as the page offers then."""
        if not self._hidden:
            return
        self._hidden.clear()
        self.control.hide(self.org_id)
        refresh_metadata(self.tenant_id, self.grounds.connection.pk)
        self._finish_pulls()
        with tenant_transaction(self.tenant_id):
            run = start_full_sync(connection=self.grounds.connection, user=self.grounds.user)
        self._drive(run.pk)
        sweep = begin_due_sweep(self.tenant_id, self.grounds.connection.pk)
        assert sweep is not None, "a full sync has its comparison made at once"
        self._drive(sweep)

    def clear_weather(self) -> None:
        self.control.clear_rules(self.org_id)
        self.control.clear_faults()
        self.show()
        self.wait(700)

    # -- the machinery ----------------------------------------------------------------------------------------

    def poll(self, crash_at: int | None = None, between: Callable[[], None] | None = None) -> None:
        self.wait(1)
        self._finish_pulls()
        with tenant_transaction(self.tenant_id):
            run = start_differential_sync(connection=self.grounds.connection)
        assert run is not None
        if between is not None:
            self._between(between, lambda: self._drive(run.pk), "asked")
            return
        if crash_at is None:
            self._drive(run.pk)
            return
        names = ("asked", "applied", "covered")
        self._crashing(names[crash_at % 3], lambda: self._drive(run.pk))

    def push(self, crash_at: str | None = None, between: Callable[[], None] | None = None) -> None:
        self.wait(1)
        with tenant_transaction(self.tenant_id):
            now = timezone.now()
            OutboundChange.objects.filter(state__in=["waiting", "in_flight"]).update(due_at=now, lease_until=None)
            OutboundChange.objects.filter(state="in_flight").update(state="waiting")
        run_id = begin_due_push(self.tenant_id)
        if run_id is None:
            return
        if crash_at is not None:
            self._crashing(_POINTS[crash_at], lambda: self._drive(run_id))
        elif between is not None:
            self._between(between, lambda: self._drive(run_id))
        else:
            self._drive(run_id)

    def sync_now(self, key: str, between: Callable[[], None] | None = None) -> None:
        self.wait(1)
        with tenant_transaction(self.tenant_id):
            run = sync_now(
                connection=self.grounds.connection, local_type="person", record_id=int(key), user=self.grounds.user
            )
        if between is None:
            self._drive(run.pk)
        else:
            self._between(between, lambda: self._drive(run.pk))

    def _crashing(self, name: str, work: Callable[[], None]) -> None:
        def die(point: str) -> None:
            if point == name:
                raise Crashed

        self._on_point = die
        try:
            work()
        except Crashed:
            self._leases_run_out()
            raise
        finally:
            self._on_point = lambda point: None
            self._count()

    def _between(self, act: Callable[[], None], work: Callable[[], None], here: str = "intended") -> None:
        def once(point: str) -> None:
            if point == here:
                self._on_point = lambda name: None
                act()

        self._on_point = once
        try:
            work()
        finally:
            self._on_point = lambda point: None

    def _leases_run_out(self) -> None:
        """What time does after a death: nobody holds anything any more."""
        with tenant_transaction(self.tenant_id):
            RunLane.objects.update(lease_until=None)
            OutboundChange.objects.update(lease_until=None)

    def _finish_pulls(self) -> None:
        with tenant_transaction(self.tenant_id):
            open_ones = SyncRun.objects.filter(state__in=OPEN_RUN_STATES).exclude(kind=RunKind.OUTBOUND)
            ids = list(open_ones.values_list("id", flat=True))
        for run_id in ids:
            self._drive(run_id)

    def _drive(self, run_id: int) -> None:
        """Advance a run to its end; waiting times are skipped, for a push only so far as it has something to do. One
        that does not come back is a violation, not a test that hangs."""
        try:
            with patience(LONGEST):
                self._advance(run_id)
        except Stuck:
            with tenant_transaction(self.tenant_id):
                run = SyncRun.objects.get(id=run_id)
            words = f"{run.kind} run {run_id} does not come back within {LONGEST} s: {run.step}"
            raise Violation("INV-1", words) from None
        self._count()

    def _advance(self, run_id: int) -> None:
        for _ in range(MOST_ROUNDS):
            with tenant_transaction(self.tenant_id):
                run = SyncRun.objects.get(id=run_id)
                lanes = list(RunLane.objects.filter(run_id=run_id, is_done=False).values_list("name", flat=True))
                if not run.is_open or not lanes:
                    return
                RunLane.objects.filter(run_id=run_id).update(due_at=timezone.now() - timedelta(seconds=1))
            for lane in lanes:
                advance(self.tenant_id, run_id, lane)
        raise Violation("INV-1", f"{run.kind} run {run_id} never ends: {run.step} {run.waiting_reason}")
