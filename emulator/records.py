"""Writing rows under the data rules: create, update, upsert, delete, undelete."""

from typing import Any

from emulator.derived import MEMBER_STATUSES, derive
from emulator.errors import Problem, Refused, refused
from emulator.ids import full_id, is_id, normalized
from emulator.org import Org
from emulator.persons import create_person_contact, follow_person_account
from emulator.rules import Author, alive_ids, check_lock, check_open, check_whole, checked, dead_ids, existing
from emulator.schema import Field, SObject
from emulator.values import Stored, to_stored

_CASCADES = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
    "Contact": (("OpportunityContactRole", "ContactId"), ("CampaignMember", "ContactId")),
    "Lead": (("CampaignMember", "LeadId"),),
    "Campaign": (("CampaignMember", "CampaignId"), ("CampaignMemberStatus", "CampaignId")),
}


class Writer:
    """One author's writes to one org."""

    def __init__(self, org: Org, author: Author) -> None:
        self.org, self.author = org, author

    def sobject(self, name: str) -> SObject:
        """An object that the author sees and may write at this time."""
        check_open(self.org, self.author)
        found = self.author.sees(self.org).find(name)
        if found is None:
            raise refused("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return found

    def stamp(self) -> str:
        """The time of this write: the org's clock, or an older one for a late commit."""
        return self.author.stamp or self.org.stamp()

    def create(self, name: str, values: dict[str, Any]) -> str:
        """A new row; answers its id."""
        sobject = self.sobject(name)
        if "c" not in sobject.flags:
            raise refused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {sobject.label}")
        self._check_rights(sobject)
        with self.org.store.transaction():
            stored = checked(self.org, self.author, self._for_create(sobject, values), values, creating=True)
            full = self.org.schema.objects[sobject.name]
            row: dict[str, Any] = {f.name: f.default for f in full.fields.values() if f.is_stored}
            row |= stored | self._stamps(full, stored, creating=True)
            self._defaults(full, row)
            self._assign(full, row, creating=True)
            derive(self.org, full, row, stored, creating=True)
            check_whole(self.org, self.author, full, row, None)
            self.org.store.insert(full.name, row)
            if full.name == "Campaign":
                self._member_statuses(row["Id"])
            if row.get("IsPersonAccount") == "true":
                create_person_contact(self.org, row)
        if full.name == "PermissionSetAssignment" and self.org.options["ungranted"]:
            self.org.change({"ungranted": []})
        return str(row["Id"])

    def _for_create(self, sobject: SObject, values: dict[str, Any]) -> SObject:
        """A person account needs no Name: it is derived (facts.md, section 7)."""
        if sobject.name != "Account" or "IsPersonAccount" not in sobject.fields or not values.get("LastName"):
            return sobject
        name = sobject.fields["Name"]
        relaxed = Field(name.name, name.type, name.label, name.length, flags=name.flags + "n")
        fields = {**sobject.fields, "Name": relaxed}
        lower = {key.lower(): value for key, value in fields.items()}
        return SObject(sobject.name, sobject.label, sobject.plural, sobject.prefix, sobject.flags, fields, (), lower)

    def _check_rights(self, sobject: SObject) -> None:
        if sobject.name == "Campaign" and self.author.is_api:
            user = self.org.user_by_id(self.author.user_id) or {}
            if user.get("UserPermissionsMarketingUser") != "true":
                raise refused("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")

    def _stamps(self, sobject: SObject, stored: dict[str, Stored], *, creating: bool) -> dict[str, Any]:
        now, user = self.stamp(), self.author.user_id
        changed = {"LastModifiedDate": now, "LastModifiedById": user, "SystemModstamp": now}
        if creating:
            number = self.org.store.next_number(sobject.prefix)
            changed |= {"Id": full_id(sobject.prefix, self.org.pod, number), "CreatedDate": now, "CreatedById": user}
            if "CaseNumber" in sobject.fields:
                changed["CaseNumber"] = f"{1000 + number:08d}"
        return {k: v for k, v in changed.items() if k in sobject.fields and not (k in stored and k != "Id")}

    def _defaults(self, sobject: SObject, row: dict[str, Any]) -> None:
        if "OwnerId" in row and row["OwnerId"] is None:
            row["OwnerId"] = self.author.user_id
        if sobject.name == "Task" and row.get("TaskSubtype") is None and "TaskSubtype" in row:
            row["TaskSubtype"] = "Task"
        if sobject.is_custom and row.get("Name") is None:
            row["Name"] = row["Id"][:15]
        if row.get("LastName") and sobject.name == "Account":
            row["IsPersonAccount"] = "true"

    def _assign(self, sobject: SObject, row: dict[str, Any], *, creating: bool) -> None:
        """An active assignment rule replaces the owner of a lead or case: on creation unless it was told not to, later
        where it is told to (facts.md, section 8). Whom it chooses is the org's option ``assignment_owner``."""
        told, chosen = self.author.assigns, self.org.options["assignment_owner"]
        if sobject.name not in {"Lead", "Case"} or not self.author.is_api or not chosen:
            return
        if told.lower() == "false" or (not told and not creating):
            return
        if is_id(told):
            rule = self.org.store.row("AssignmentRule", normalized(told))
            if rule is None or rule["SobjectType"] != sobject.name:
                raise refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        row["OwnerId"] = chosen

    def _member_statuses(self, campaign_id: str) -> None:
        for position, (label, is_default, responded) in enumerate(MEMBER_STATUSES, 1):
            Writer(self.org, Author(self.author.user_id, is_api=False, stamp=self.author.stamp)).create(
                "CampaignMemberStatus",
                {"CampaignId": campaign_id, "Label": label, "SortOrder": position, "IsDefault": is_default,
                 "HasResponded": responded},
            )  # fmt: skip

    def update(self, name: str, record_id: str, values: dict[str, Any]) -> str:
        """Change a row; answers its id in 18 characters."""
        sobject = self.sobject(name)
        with self.org.store.transaction():
            row = existing(self.org, self.author, sobject, record_id)
            check_lock(self.org, row["Id"])
            stored = checked(self.org, self.author, sobject, values, creating=False)
            if row.get("IsConverted") == "true":
                raise refused("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
            full = self.org.schema.objects[sobject.name]
            changed = row | stored | self._stamps(full, stored, creating=False)
            self._assign(full, changed, creating=False)
            derive(self.org, full, changed, stored, creating=False)
            check_whole(self.org, self.author, full, changed, row["Id"])
            difference = {key: value for key, value in changed.items() if value != row[key]}
            if difference:
                self.org.store.update(full.name, row["Id"], difference)
            if row.get("IsPersonAccount") == "true" and full.name == "Account":
                follow_person_account(self.org, changed)
        return str(row["Id"])

    def upsert(
        self, name: str, key: str, value: Any, values: dict[str, Any], *, update_only: bool = False
    ) -> tuple[str, bool]:
        """Create or update by an external id; answers the id and whether it was created; 300 on several matches."""
        sobject = self.sobject(name)
        field = sobject.find(key)
        if field is None or not field.is_lookup_key:
            message = f"Provided external ID field does not exist or is not accessible: {key}"
            raise Refused(404, Problem("NOT_FOUND", message))
        with self.org.store.transaction():
            if field.type == "id":
                if value in (None, ""):
                    return self.create(name, values), True
                return self.update(name, str(value), values), False
            stored = to_stored(field, value)
            if stored is None:
                message = f"{field.name} not specified"
                raise refused("MISSING_ARGUMENT", message)
            ids = alive_ids(self.org, sobject, field, stored)
            if len(ids) > 1:
                raise Several(sobject.name, ids)
            if ids:
                return self.update(name, ids[0], values), False
            if self.org.options["upsert_meets_deleted"] and dead_ids(self.org, sobject, field, stored):
                raise refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
            if update_only:
                raise Refused(404, Problem("NOT_FOUND", "The requested resource does not exist", code_first=True))
            return self.create(name, {field.name: value, **values}), True

    def delete(self, name: str, record_id: str) -> str:
        """Into the recycle bin, with what belongs to the row."""
        sobject = self.sobject(name)
        if "d" not in sobject.flags:
            raise refused("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        with self.org.store.transaction():
            row = existing(self.org, self.author, sobject, record_id)
            check_lock(self.org, row["Id"])
            self._bury(sobject, row["Id"])
        return str(row["Id"])

    def _bury(self, sobject: SObject, record_id: str) -> None:
        if not sobject.is_soft_deleted:
            self.org.store.remove(sobject.name, record_id)
            return
        self.org.store.update(sobject.name, record_id, self._deleted(sobject, "true"))
        for other, row in self._belongings(sobject, record_id, "false"):
            self._bury(other, row["Id"])

    def _belongings(self, sobject: SObject, record_id: str, flag: str) -> list[tuple[SObject, dict[str, Any]]]:
        """What goes into the recycle bin with a row, and comes back with it."""
        found = []
        for child, key in _CASCADES.get(sobject.name, ()):
            other = self.org.schema.find(child)
            if other is not None:
                rows = self.org.store.rows(other.name, {key: record_id})
                found += [(other, row) for row in rows if row.get("IsDeleted", "false") == flag]
        return found

    def _deleted(self, sobject: SObject, flag: str) -> dict[str, Any]:
        return {"IsDeleted": flag} | self._stamps(sobject, {}, creating=False)

    def undelete(self, name: str, record_id: str) -> str:
        """Back from the recycle bin with what was deleted along: the same ids, new stamps."""
        sobject = self.sobject(name)
        row = self.org.store.row(sobject.name, normalized(record_id))
        if row is None or row.get("IsDeleted") != "true":
            raise refused("UNDELETE_FAILED", "Entity is not in the recycle bin")
        with self.org.store.transaction():
            self._dig_up(sobject, row)
        return str(row["Id"])

    def _dig_up(self, sobject: SObject, row: dict[str, Any]) -> None:
        values = self._deleted(sobject, "false")
        if "MasterRecordId" in row:
            values["MasterRecordId"] = None
        self.org.store.update(sobject.name, row["Id"], values)
        for other, child in self._belongings(sobject, row["Id"], "true"):
            if child.get("SystemModstamp") == row.get("SystemModstamp"):
                self._dig_up(other, child)

    def purge(self, name: str, record_id: str) -> None:
        """Gone without a trace (emptied recycle bin, Bulk hardDelete)."""
        sobject = self.sobject(name)
        if not is_id(record_id) or self.org.store.row(sobject.name, normalized(record_id)) is None:
            raise refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
        with self.org.store.transaction():
            self.org.store.remove(sobject.name, normalized(record_id))


class Several(Exception):
    """An upsert whose key several rows have: HTTP 300 with their addresses."""

    def __init__(self, sobject: str, ids: list[str]) -> None:
        super().__init__(sobject)
        self.sobject, self.ids = sobject, ids
