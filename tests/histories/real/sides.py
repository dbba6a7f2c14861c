"""Both sides as they are in earnest: what the oracle looks at, and what users and the org do."""

from contextlib import suppress
from typing import Any

from apps.audience.models import Person
from apps.audience.services.people import create_person, set_opt_out, update_person
from apps.audience.services.values import BadValues
from apps.sync.models import RecordLink, RunEntry
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.tenants.scope import tenant_transaction
from emulator.control import ControlRefused
from tests.histories.history import FIELDS, Setup
from tests.histories.real.grounds import CONTACT, LEAD, LOCAL, REMOTE, Grounds
from tests.histories.world import Counters, Links, LocalView, Records, RemoteView, Rows


class Sides:
    """A tenant's people, and its org's leads and contacts."""

    def __init__(self, grounds: Grounds, setup: Setup) -> None:
        self.grounds, self.setup = grounds, setup
        self.control, self.org_id, self.tenant_id = grounds.local.control, grounds.org_id, grounds.tenant_id
        self.counters = Counters()
        self._hidden: set[str] = set()
        grounds.prepare(setup)

    # -- what the oracle looks at -----------------------------------------------------------------------------

    def records(self) -> Records:
        with tenant_transaction(self.tenant_id):
            return {
                str(p.pk): LocalView(
                    str(p.pk), {name: getattr(p, LOCAL[name]) for name in FIELDS}, p.is_active, p.email_opt_out
                )
                for p in Person.objects.all()
            }

    def rows(self) -> Rows:
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

    def links(self) -> Links:
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

    def trigger(self, name: str) -> None:
        for sobject, names in REMOTE.items():
            self.control.add_trigger(self.org_id, sobject, names[name], "upper")

    def lock(self, key: str) -> None:
        self.control.lock_rows(self.org_id, key)

    def lose_reply(self) -> None:
        """The reply to the next write of a batch, and to the next single one."""
        self.control.drop(r"/composite/sobjects", after_commit=True, body_has='"records"')
        self.control.drop(r"/composite$", after_commit=True, body_has='"PATCH"')

    def wait(self, seconds: int) -> None:
        self.control.shift_clock(self.org_id, seconds)
