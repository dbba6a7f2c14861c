"""Verbs of the engine's tests: what a Salesforce user does, and running syncs to their end."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone

from apps.audience.models import Person
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.outbox.queue import queue_change
from apps.sync.drive import advance
from apps.sync.due import begin_due_push
from apps.sync.models import RecordLink, RunEntry, RunLane, RunObject, RunState, SyncRun
from apps.sync.services import start_differential_sync, start_full_sync, start_sweep, sync_now
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser

MOST_STEPS = 400


@dataclass
class World:
    """One tenant and its org."""

    tenant_id: int
    connection: Connection
    user: User
    org: OrgUser
    emulator: EmulatorControl

    def settings(self, **changes: Any) -> SyncSettings:
        with tenant_transaction(self.tenant_id):
            row = settings_of(self.connection)
            for name, value in changes.items():
                setattr(row, name, value)
            row.save()
            return row

    def lead(self, **values: Any) -> str:
        return self.emulator.create(self.org.org_id, "Lead", **{"LastName": "Lead", "Company": "Acme"} | values)

    def contact(self, **values: Any) -> str:
        return self.emulator.create(self.org.org_id, "Contact", **{"LastName": "Contact"} | values)

    def change(self, sobject: str, record_id: str, **values: Any) -> None:
        self.emulator.update(self.org.org_id, sobject, record_id, **values)

    def start(self) -> SyncRun:
        with tenant_transaction(self.tenant_id):
            return start_full_sync(connection=self.connection, user=self.user)

    def later(self, seconds: float) -> None:
        """Let so much time pass in the org."""
        self.emulator.shift_clock(self.org.org_id, seconds)

    def finish_lane(self, run: SyncRun, lane: str) -> None:
        """Advance one lane once, now."""
        with tenant_transaction(self.tenant_id):
            RunLane.objects.filter(run=run, name=lane, lease_until__isnull=True).update(due_at=timezone.now())
        advance(self.tenant_id, run.pk, lane)

    def finish(self, run: SyncRun) -> SyncRun:
        """Drive both lanes until the run is over; waiting times are skipped."""
        for _ in range(MOST_STEPS):
            with tenant_transaction(self.tenant_id):
                lanes = list(RunLane.objects.filter(run=run, is_done=False).values_list("name", flat=True))
            for lane in lanes:
                self.finish_lane(run, lane)
            with tenant_transaction(self.tenant_id):
                run = SyncRun.objects.get(id=run.pk)
            if not run.is_open:
                return run
        raise AssertionError(f"The run did not end: {run.step}, {run.waiting_reason}")

    def sync(self) -> SyncRun:
        return self.finish(self.start())

    def poll(self) -> SyncRun:
        """A differential sync to its end, its window open up to the org's present moment."""
        self.emulator.shift_clock(self.org.org_id, 6)
        with tenant_transaction(self.tenant_id):
            run = start_differential_sync(connection=self.connection)
        assert run is not None
        run = self.finish(run)
        assert run.state == RunState.COMPLETED, run.failure
        return run

    def sweep(self) -> SyncRun:
        """The nightly comparison to its end."""
        with tenant_transaction(self.tenant_id):
            run = start_sweep(connection=self.connection)
        assert run is not None
        run = self.finish(run)
        assert run.state == RunState.COMPLETED, run.failure
        return run

    def both_ways(self, *sobjects: str, winner: str = "latest", create: bool = True) -> None:
        """Every mapping of these objects goes both ways, and rows may be made and changed on both sides."""
        with tenant_transaction(self.tenant_id):
            steps = SyncStep.objects.filter(sobject__in=sobjects)
            steps.update(direction="two_way", create_remote=create, update_remote=True)
            FieldMapping.objects.filter(step__in=steps).update(way_in="overwrite", way_out="overwrite", winner=winner)

    def edit(self, person: Person, **values: Any) -> None:
        """Somebody changes a person here."""
        with tenant_transaction(self.tenant_id):
            Person.objects.filter(id=person.pk).update(**values, version=F("version") + 1)
            queue_change(local_type="person", local_id=person.pk, fields=list(values), origin="user", at=timezone.now())

    def add_person(self, **values: Any) -> Person:
        """Somebody adds a person here."""
        with tenant_transaction(self.tenant_id):
            made: Person = Person.objects.create(**values)
            queue_change(local_type="person", local_id=made.pk, fields=list(values), origin="user", at=timezone.now())
            return made

    def push(self) -> SyncRun | None:
        """Push what waits, due or not; None where nothing did."""
        with tenant_transaction(self.tenant_id):
            OutboundChange.objects.filter(state="waiting").update(due_at=timezone.now())
        run_id = begin_due_push(self.tenant_id)
        if run_id is None:
            return None
        with tenant_transaction(self.tenant_id):
            run = SyncRun.objects.get(id=run_id)
        return self.finish(run)

    def sync_now(self, person: Person) -> SyncRun:
        """The button on a person's page."""
        with tenant_transaction(self.tenant_id):
            run = sync_now(connection=self.connection, local_type="person", record_id=person.pk, user=self.user)
        return self.finish(run)

    def waiting(self) -> list[OutboundChange]:
        with tenant_transaction(self.tenant_id):
            return list(OutboundChange.objects.order_by("id"))

    def row(self, sobject: str, record_id: str, *fields: str) -> dict[str, Any]:
        """A row as Salesforce holds it."""
        soql = f"SELECT Id, {', '.join(fields)} FROM {sobject} WHERE Id = '{record_id}'"
        return self.emulator.query(self.org.org_id, soql)[0]

    def writes(self) -> int:
        """Calls that wrote records so far."""
        made = self.emulator.calls("/services/data/", self.org.org_id)
        return sum(c["method"] in {"POST", "PATCH"} and "/composite" in c["path"] for c in made)

    def counts(self, run: SyncRun) -> dict[str, tuple[int, int, int, int, int]]:
        """(created, updated, unchanged, skipped, failed) by sObject."""
        with tenant_transaction(self.tenant_id):
            return {
                o.sobject: (o.created, o.updated, o.unchanged, o.skipped, o.failed)
                for o in RunObject.objects.filter(run=run)
            }

    def people(self) -> list[Person]:
        with tenant_transaction(self.tenant_id):
            return list(Person.objects.order_by("id"))

    def person(self, remote_id: str) -> Person:
        with tenant_transaction(self.tenant_id):
            found: Person = Person.objects.get(leading_remote_id=remote_id)
            return found

    def link(self, remote_id: str) -> RecordLink:
        with tenant_transaction(self.tenant_id):
            found: RecordLink = RecordLink.objects.get(remote_id=remote_id)
            return found

    def entries(self, run: SyncRun, action: str) -> list[RunEntry]:
        with tenant_transaction(self.tenant_id):
            return list(RunEntry.objects.filter(run_id=run.pk, action=action).order_by("number"))

    def live_errors(self) -> list[SyncError]:
        with tenant_transaction(self.tenant_id):
            return list(SyncError.objects.filter(state__in=LIVE_STATES).order_by("id"))
