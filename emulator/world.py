"""Everything that one emulator holds: orgs, registered apps, grants, calls received and scripted faults."""

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.bulk_ingest import IngestJob
from emulator.bulk_query import QueryJob
from emulator.errors import not_found
from emulator.faults import Fault
from emulator.grants import Grants
from emulator.org import Org, open_org
from emulator.records import Writer
from emulator.rules import Author
from emulator.soql.run import Cursor

_LEAD_STATUSES = (("Open - Not Contacted", True, False), ("Working - Contacted", False, False),
                  ("Closed - Converted", False, True), ("Closed - Not Converted", False, False))  # fmt: skip
_TASK_STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
_CASE_STATUSES = ("New", "Working", "Escalated", "Closed")
_MAX_CALLS = 200_000
_FORMAT = 2


@dataclass
class World:
    """The emulator's state; orgs, apps and grants survive a restart in ``folder``, unless all is ``in_memory``."""

    folder: Path
    grants: Grants
    in_memory: bool = False
    orgs: dict[str, Org] = field(default_factory=dict)
    query_jobs: dict[str, QueryJob] = field(default_factory=dict)
    ingest_jobs: dict[str, IngestJob] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, tuple[str, Cursor]] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    last_number: int = 0
    last_job: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    # -- orgs -----------------------------------------------------------------------------------------------------

    def create_org(self, options: dict[str, Any]) -> Org:
        """A new org with an administrator who may do everything: the integration user."""
        with self.lock:
            self.last_number += 1
            number = self.last_number
            for path in self.folder.glob(f"org-{number}.sqlite*"):
                path.unlink()
            org = open_org(number, self._path(number), options)
            self._furnish(org, str(options.get("username") or f"integration@org{number}.example"))
            self.orgs[org.id] = org
            self.save()
        return org

    def _path(self, number: int) -> Path | None:
        return None if self.in_memory else self.folder / f"org-{number}.sqlite"

    def spawn(self, work: Callable[[], None]) -> None:
        """Do the work of a job: in the background, or at once where there are no threads."""
        if self.in_memory:
            work()
        else:
            threading.Thread(target=work, daemon=True).start()

    def _furnish(self, org: Org, username: str) -> None:
        store, system = org.store, Writer(org, Author("", is_api=False))
        with store.transaction():
            rights = ("ApiEnabled", "ModifyAllData", "ViewAllData", "ViewSetup", "EditReadonlyFields", "ConvertLeads")
            profile = system.create(
                "Profile", {"Name": "System Administrator", **{f"Permissions{right}": True for right in rights}}
            )
            admin = self.add_user(org, {"username": username, "first_name": "Integration", "last_name": "User",
                                        "profile_id": profile, "marketing_user": True})  # fmt: skip
            system.create("Profile", {"Name": "Standard User", "PermissionsApiEnabled": True})
            system = Writer(org, Author(admin, is_api=False))
            for name in ("Inbound Leads", "Partner Queue"):
                system.create("Group", {"Name": name, "DeveloperName": name.replace(" ", "_"), "Type": "Queue"})
            self._reference_rows(org, admin)

    def _reference_rows(self, org: Org, admin: str) -> None:
        from_picklist = org.schema.objects["Opportunity"].fields["StageName"].values
        self._insert(org, admin, "Organization", {"Id": org.id, "Name": org.name, "OrganizationType": org.edition,
                     "InstanceName": "EMU1", "LanguageLocaleKey": "en_US", "TimeZoneSidKey": "Europe/Berlin",
                     "DefaultLocaleSidKey": "en_US", "FiscalYearStartMonth": 1,
                     "IsSandbox": str(bool(org.options.get("is_sandbox"))).lower()})  # fmt: skip
        for order, value in enumerate(from_picklist, 1):
            label = value.value
            won, closed = label == "Closed Won", label.startswith("Closed")
            self._insert(org, admin, "OpportunityStage", {"MasterLabel": label, "ApiName": label, "SortOrder": order,
                         "IsActive": "true", "IsClosed": str(closed).lower(), "IsWon": str(won).lower()})  # fmt: skip
        for order, (label, is_default, is_converted) in enumerate(_LEAD_STATUSES, 1):
            self._insert(org, admin, "LeadStatus", {"MasterLabel": label, "ApiName": label, "SortOrder": order,
                         "IsDefault": str(is_default).lower(), "IsConverted": str(is_converted).lower()})  # fmt: skip
        for name, labels, closed_label in (("TaskStatus", _TASK_STATUSES, "Completed"),
                                           ("CaseStatus", _CASE_STATUSES, "Closed")):  # fmt: skip
            for order, label in enumerate(labels, 1):
                self._insert(org, admin, name, {"MasterLabel": label, "ApiName": label, "SortOrder": order,
                             "IsDefault": str(order == 1).lower(),
                             "IsClosed": str(label == closed_label).lower()})  # fmt: skip
        self._insert(org, admin, "AssignmentRule", {"Name": "Standard", "SobjectType": "Lead", "Active": "true"})
        if org.options["person_accounts"]:
            for label, person in (("Business Account", "false"), ("Person Account", "true")):
                self._insert(org, admin, "RecordType", {"Name": label, "DeveloperName": label.replace(" ", "_"),
                             "SobjectType": "Account", "IsActive": "true", "IsPersonType": person})  # fmt: skip

    def _insert(self, org: Org, admin: str, name: str, values: dict[str, Any]) -> None:
        """A row of an object that no user writes."""
        sobject, now = org.schema.objects[name], org.stamp()
        row = {f.name: f.default for f in sobject.fields.values() if f.is_stored}
        row |= {"Id": org.next_id(sobject), "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
        row |= {"CreatedById": admin, "LastModifiedById": admin} | values
        org.store.insert(name, {key: row[key] for key in row if key in sobject.fields})

    def add_user(self, org: Org, facts: dict[str, Any]) -> str:
        """A user who can log in; answers the record id."""
        username = str(facts["username"])
        profile = (
            facts.get("profile_id")
            or org.store.rows("Profile", {"Name": facts.get("profile", "Standard User")})[0]["Id"]
        )
        first, last = facts.get("first_name"), str(facts.get("last_name") or username.partition("@")[0])
        user_id = Writer(org, Author("", is_api=False)).create("User", {
            "Username": username, "FirstName": first, "LastName": last, "Email": facts.get("email") or username,
            "Alias": last[:8], "CommunityNickname": username[:40], "IsActive": True, "ProfileId": profile,
            "UserPermissionsMarketingUser": bool(facts.get("marketing_user")), "TimeZoneSidKey": "Europe/Berlin",
            "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US", "EmailEncodingKey": "UTF-8",
        })  # fmt: skip
        with org.store.transaction():
            org.store.update("User", user_id, {"UserType": "Standard", "LastPasswordChangeDate": org.stamp()})
        org.users[username] = {
            "id": user_id,
            "password": str(facts.get("password") or org.options["password"]),
            "name": " ".join(part for part in (first, last) if part),
        }
        return user_id

    def set_password(self, org: Org, username: str, password: str) -> None:
        """The user logs in with another password from now on; the org notes when it was changed."""
        org.users[username]["password"] = password
        with org.store.transaction():
            org.store.update("User", org.users[username]["id"], {"LastPasswordChangeDate": org.stamp()})
        self.save()

    def org(self, org_id: str) -> Org:
        """An org by its id in 15 or 18 characters."""
        for known in self.orgs.values():
            if known.id[:15] == org_id[:15]:
                return known
        raise not_found("no such org")

    def delete_org(self, org_id: str) -> None:
        """Forget an org and its rows."""
        with self.lock:
            org = self.orgs.pop(self.org(org_id).id)
            self.grants.forget_org(org.id)
            org.store.close()
            for path in self.folder.glob(f"org-{org.number}.sqlite*"):
                path.unlink(missing_ok=True)
            self.save()

    def find_user(self, username: str) -> tuple[Org, dict[str, Any]] | None:
        """The org and the user of a username; usernames are unique over all orgs."""
        for org in self.orgs.values():
            user = org.users.get(username)
            if user is not None:
                return org, user
        return None

    def next_job(self, org: Org, prefix: str = "750") -> str:
        """The id of a new Bulk job."""
        with self.lock:
            self.last_job += 1
            return org.make_id(prefix, self.last_job)

    # -- calls and faults -----------------------------------------------------------------------------------------

    def record_call(self, call: dict[str, Any]) -> None:
        with self.lock:
            self.calls.append(call)
            if len(self.calls) > _MAX_CALLS:
                del self.calls[: _MAX_CALLS // 2]

    def fault_for(self, method: str, path: str, org_id: str | None, body: bytes) -> dict[str, Any] | None:
        """The fault that this call meets, if any; each matching fault counts the call."""
        with self.lock:
            met = [fault for fault in self.faults if fault.meets(method, path, org_id, body)]
        return met[0].facts if met else None

    # -- surviving a restart --------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write what is not in the orgs' databases."""
        if self.in_memory:
            return
        with self.lock:
            data = {
                "format": _FORMAT,
                "last_number": self.last_number,
                "last_job": self.last_job,
                "orgs": [{"number": o.number, "options": o.options, "users": o.users} for o in self.orgs.values()],
                "grants": self.grants.dump(),
            }
            target = self.folder / "world.json"
            target.with_suffix(".new").write_text(json.dumps(data), encoding="utf-8")
            target.with_suffix(".new").replace(target)

    def load(self) -> None:
        """Read what an earlier run wrote."""
        path = self.folder / "world.json"
        if not path.is_file():
            return
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("format") != _FORMAT:
            return
        self.last_number, self.last_job = data["last_number"], data["last_job"]
        for facts in data["orgs"]:
            org = open_org(facts["number"], self._path(facts["number"]), facts["options"])
            org.users = facts["users"]
            self.orgs[org.id] = org
        self.grants.restore(data["grants"])


def open_world(folder: Path, grants: Grants) -> World:
    """The world of a folder, new or as it was left; results of old Bulk jobs are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "jobs", ignore_errors=True)
    (folder / "jobs").mkdir()
    world = World(folder, grants)
    world.load()
    return world
