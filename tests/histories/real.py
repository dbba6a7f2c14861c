"""Level 2: the product itself, with PostgreSQL, and the emulator in the same process."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django.utils.text import slugify

from apps.audience.models import Person
from apps.audience.services.people import create_person, set_opt_out, update_person
from apps.audience.services.values import BadValues
from apps.core import crash, queue
from apps.core.db import app_transaction
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.grants import connection_from_grant
from apps.integrations.metadata import refresh_metadata
from apps.outbox.models import OutboundChange
from apps.sync.drive import advance
from apps.sync.due import begin_due_push, begin_due_sweep
from apps.sync.models import OPEN_RUN_STATES, RecordLink, RunEntry, RunKind, RunLane, Schedule, SyncRun, Watermark
from apps.sync.services import start_differential_sync, start_full_sync, sync_now
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant
from emulator.control import ControlRefused
from emulator.local import LocalEmulator
from tests.histories.history import FIELDS, History, Setup
from tests.histories.world import Counters, Crashed, LocalView, RemoteView, Violation

LEAD = {"first": "FirstName", "title": "Title", "phone": "Phone", "city": "City", "fax": "Fax"}
CONTACT = {**LEAD, "city": "MailingCity"}
LOCAL = {"first": "first_name", "title": "title", "phone": "phone", "city": "city", "fax": "fax"}
REMOTE = {"Lead": LEAD, "Contact": CONTACT}
SYNC_USER = "sync@histories.example"
LONGEST = 60.0
"""Seconds in which any run of so few rows has ended."""
EPOCH = datetime(2001, 1, 1, tzinfo=UTC)
_TABLES = (
    "outbox_outboundchange",
    "outbox_outboxdue",
    "sync_writeintent",
    "sync_runentry",
    "sync_runpage",
    "sync_runobject",
    "sync_runlane",
    "sync_syncrun",
    "sync_recordlink",
    "sync_watermark",
    "sync_schedule",
    "sync_errors_syncerror",
    "audience_personword",
    "audience_consentchange",
    "audience_listmembership",
    "audience_person",
    "audience_company",
    "notifications_notice",
    "integrations_apiusage",
)
_POINTS = {"after_intend": "intended", "after_write": "written"}


class Grounds:
    """One tenant and one org, with the package or without, made empty for each history."""

    def __init__(self, local: LocalEmulator, *, has_package: bool) -> None:
        self.local = local
        name = "With package" if has_package else "Without package"
        self.org_id = local.control.create_org(name=name, package_fields=has_package)["id"]
        # Rows that the sync makes are told from those of people by who made them.
        self.sync_user = local.control.add_user(self.org_id, SYNC_USER, profile="System Administrator")["id"]
        with app_transaction():
            self.user = User.objects.create_user(f"{slugify(name)}@example.com", "histories", name=name)
        self.tenant_id = create_tenant(name=name, owner=self.user).pk
        with tenant_transaction(self.tenant_id):
            self.connection = connection_from_grant(
                answer=local.control.grant(self.org_id, user=SYNC_USER),
                login_url=settings.SALESFORCE_LOGIN_URL,
                username=SYNC_USER,
                user=self.user,
            )
            seed_custom_profile(self.connection)
        refresh_metadata(self.tenant_id, self.connection.pk)

    def world(self, history: History) -> "RealWorld":
        """Empty ground for a history."""
        self._empty_database()
        self._empty_org()
        return RealWorld(self, history.setup)

    def _empty_database(self) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(_TABLES)} CASCADE")

    def _empty_org(self) -> None:
        control = self.local.control
        for sobject in ("CampaignMember", "Lead", "Contact", "Account"):
            for row in control.query(self.org_id, f"SELECT Id FROM {sobject}"):
                control.purge(self.org_id, sobject, row["Id"])
        control.clear_rules(self.org_id)
        control.clear_faults()
        control.hide(self.org_id)


class RealWorld:
    """The verbs of a history, carried out by the product and the emulator."""

    def __init__(self, grounds: Grounds, setup: Setup) -> None:
        self.grounds, self.setup = grounds, setup
        self.control, self.org_id, self.tenant_id = grounds.local.control, grounds.org_id, grounds.tenant_id
        self.counters = Counters()
        self._hidden: set[str] = set()
        self._on_point: Callable[[str], None] = lambda name: None
        crash.point = lambda name: self._on_point(name)
        queue._send = lambda *_, **__: None  # every wake-up call is lost
        with tenant_transaction(self.tenant_id):
            self._set_up()

    def _set_up(self) -> None:
        connection = self.grounds.connection
        settings_of(connection)
        SyncSettings.objects.update(
            syncs_enabled=True,
            push_automatically=True,
            blank_in=self.setup.blank_in,
            blank_out=self.setup.blank_out,
            default_last_name="Person",
            default_account_name="Acme",
            api_share_percent=100,
        )
        for step in SyncStep.objects.filter(sobject__in=["Lead", "Contact"]):
            SyncStep.objects.filter(id=step.pk).update(
                direction="two_way",
                create_remote=self.setup.creates and step.sobject == "Lead",
                update_remote=True,
            )
            FieldMapping.objects.filter(step=step).delete()
            FieldMapping.objects.create(
                step=step,
                position=0,
                remote_field="Email",
                local_field="email",
                way_in="overwrite",
                way_out="overwrite",
                is_key=True,
            )
            for position, (name, way_in, way_out, winner) in enumerate(self.setup.rules, 1):
                FieldMapping.objects.create(
                    step=step,
                    position=position,
                    remote_field=REMOTE[step.sobject][name],
                    local_field=LOCAL[name],
                    way_in=way_in,
                    way_out=way_out,
                    winner=winner,
                )
        for sobject in ("Lead", "Contact"):
            Watermark.objects.create(connection_id=connection.pk, sobject=sobject, covered_to=EPOCH)
        Schedule.objects.create(connection_id=connection.pk)

    # -- what the oracle looks at -----------------------------------------------------------------------------

    def records(self) -> dict[str, LocalView]:
        with tenant_transaction(self.tenant_id):
            return {
                str(p.pk): LocalView(
                    str(p.pk), {name: getattr(p, LOCAL[name]) for name in FIELDS}, p.is_active, p.email_opt_out
                )
                for p in Person.objects.all()
            }

    def rows(self) -> dict[str, RemoteView]:
        found: dict[str, RemoteView] = {}
        for sobject, names in REMOTE.items():
            extra = ", IsConverted" if sobject == "Lead" else ""
            soql = f"SELECT Id, {', '.join(names.values())}, HasOptedOutOfEmail, IsDeleted{extra} FROM {sobject}"
            for row in self.control.query(self.org_id, soql):
                values = {name: row[field] or "" for name, field in names.items()}
                found[row["Id"]] = RemoteView(
                    row["Id"], values, row["HasOptedOutOfEmail"], row["IsDeleted"], bool(row.get("IsConverted"))
                )
        return found

    def links(self) -> list[tuple[str, str, bool, bool]]:
        with tenant_transaction(self.tenant_id):
            rows = RecordLink.objects.filter(person_id__isnull=False)
            return [(k.remote_id, str(k.person_id), k.is_leading, k.is_live) for k in rows]

    def errors(self) -> list[tuple[str, str]]:
        with tenant_transaction(self.tenant_id):
            found = SyncError.objects.filter(state__in=LIVE_STATES).values_list("local_id", "category", "field")
            names = {local: name for name, local in LOCAL.items()}
            return [
                (str(local_id), f"{category} {names.get(field.split('>')[-1], '')}".strip())
                for local_id, category, field in found
            ]

    def _count(self) -> None:
        """Calls that wrote and changes here, from the log that the product itself keeps."""
        with tenant_transaction(self.tenant_id):
            self.counters.remote_writes = RunEntry.objects.filter(way="out", action__in=["written", "created"]).count()
            self.counters.local_changes = RunEntry.objects.filter(way="in").exclude(action="failed").count()
        self._note_made()

    def _note_made(self) -> None:
        """Rows that the sync made, as the org tells it: the product's log knows none whose reply was lost."""
        made_by_us = f"CreatedById = '{self.grounds.sync_user}'"
        made: dict[str, str] = {}
        for sobject in REMOTE:
            rows = self.control.query(self.org_id, f"SELECT Id, Email FROM {sobject} WHERE {made_by_us}")
            made |= {row["Id"]: row["Email"] for row in rows if row["Id"] not in self.counters.created}
        if not made:
            return
        with tenant_transaction(self.tenant_id):
            owners = dict(Person.objects.filter(email_key__in=made.values()).values_list("email_key", "id"))
        self.counters.created |= {remote_id: str(owners[email]) for remote_id, email in made.items()}
        for remote_id, email in made.items():
            for sobject in REMOTE:
                asked = f"SELECT Id FROM {sobject} WHERE Email = '{email}' AND Id != '{remote_id}'"
                for row in self.control.query(self.org_id, asked, include_deleted=False):
                    self.counters.beside[remote_id] = row["Id"]

    # -- users and the org ------------------------------------------------------------------------------------

    def _person(self, key: str) -> Person:
        found: Person = Person.objects.get(id=int(key))
        return found

    def add_local(self, email: str, values: dict[str, str]) -> str:
        self.wait(1)
        with tenant_transaction(self.tenant_id):
            known = Person.objects.filter(email_key=email).first()
            if known is not None:
                return str(known.pk)
            named = {LOCAL[name]: text for name, text in values.items()}
            return str(
                create_person(values={"email": email, "last_name": "Person", **named}, user=self.grounds.user).pk
            )

    def edit_local(self, key: str, name: str, text: str) -> None:
        self.wait(1)
        with tenant_transaction(self.tenant_id):
            person = self._person(key)
            # A form refuses to take the last name from somebody who has no e-mail either: nothing happens then.
            with suppress(BadValues):
                update_person(
                    person=person, values={LOCAL[name]: text}, seen_version=person.version, user=self.grounds.user
                )

    def consent_local(self, key: str, opted_out: bool) -> None:
        self.wait(1)
        with tenant_transaction(self.tenant_id):
            set_opt_out(
                person=self._person(key), opted_out=opted_out, source="asked on the phone", user=self.grounds.user
            )

    def add_remote(self, email: str, values: dict[str, str]) -> str:
        self.wait(1)
        named = {LEAD[name]: text for name, text in values.items()}
        return self.control.create(self.org_id, "Lead", LastName="Person", Company="Acme", Email=email, **named)

    def _sobject(self, key: str) -> str:
        return "Contact" if key.startswith("003") else "Lead"

    def _act(self, verb: str, **facts: Any) -> bool:
        self.wait(1)
        try:
            self.control.act(self.org_id, verb, **facts)
        except ControlRefused:
            return False
        return True

    def edit_remote(self, key: str, name: str, text: str) -> None:
        sobject = self._sobject(key)
        self._act("update", sobject=sobject, id=key, values={REMOTE[sobject][name]: text or None})

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

    def consent_remote(self, key: str, opted_out: bool) -> None:
        self._act("update", sobject=self._sobject(key), id=key, values={"HasOptedOutOfEmail": opted_out})

    def delete_remote(self, key: str) -> None:
        self._act("delete", sobject=self._sobject(key), id=key)

    def undelete_remote(self, key: str) -> None:
        self._act("undelete", sobject=self._sobject(key), id=key)

    def merge_remote(self, winner: str, loser: str) -> None:
        if self._sobject(winner) == self._sobject(loser):
            self._act("merge", sobject=self._sobject(winner), master=winner, losers=[loser])

    def convert_remote(self, key: str) -> str:
        if self._sobject(key) == "Lead":
            self._act("convert", id=key)
        return ""

    def hide(self, name: str, *, silently: bool) -> bool:
        self._hidden |= {f"Lead.{LEAD[name]}", f"Contact.{CONTACT[name]}"}
        self.control.hide(self.org_id, *sorted(self._hidden))
        return False

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

    def trigger(self, name: str) -> None:
        for sobject, names in REMOTE.items():
            self.control.add_trigger(self.org_id, sobject, names[name], "upper")

    def clear_weather(self) -> None:
        self.control.clear_rules(self.org_id)
        self.control.clear_faults()
        self.show()
        self.wait(700)

    def lock(self, key: str) -> None:
        self.control.lock_rows(self.org_id, key)

    def lose_reply(self) -> None:
        self.control.drop(r"/composite/sobjects", after_commit=True, body_has='"records"')

    def wait(self, seconds: int) -> None:
        self.control.shift_clock(self.org_id, seconds)

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
        """Advance a run to its end; waiting times are skipped, for a push only so far as it has something to do."""
        began = time.monotonic()
        for _ in range(60):
            with tenant_transaction(self.tenant_id):
                run = SyncRun.objects.get(id=run_id)
                lanes = list(RunLane.objects.filter(run_id=run_id, is_done=False).values_list("name", flat=True))
                if not run.is_open or not lanes:
                    break
                if time.monotonic() - began > LONGEST:
                    raise Violation("INV-1", f"{run.kind} run {run_id} is still busy after {LONGEST:.0f} s: {run.step}")
                RunLane.objects.filter(run_id=run_id).update(due_at=timezone.now() - timedelta(seconds=1))
            for lane in lanes:
                self._advance(run_id, lane)
        else:
            raise Violation("INV-1", f"{run.kind} run {run_id} never ends: {run.step} {run.waiting_reason}")
        self._count()

    def _advance(self, run_id: int, lane: str) -> None:
        """Advance a lane; one that does not come back is a violation, not a test that hangs."""
        signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        try:
            advance(self.tenant_id, run_id, lane)
        except Stuck:
            raise Violation("INV-1", f"lane {lane} of run {run_id} does not come back within {LONGEST:.0f} s") from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


class Stuck(BaseException):
    """A lane has not come back for too long; nothing that catches exceptions may swallow it."""


def _give_up(*_: object) -> None:
    raise Stuck
