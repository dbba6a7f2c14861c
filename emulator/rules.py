"""Data rules: what Salesforce refuses to store, and with which words (recorded/errors, facts.md section 8)."""

import re
from dataclasses import dataclass
from typing import Any

from emulator.errors import Problem, Refused, bare, refused
from emulator.ids import is_id, normalized
from emulator.org import Org
from emulator.schema import Field, Schema, SObject
from emulator.store import column
from emulator.triggers import rewrite
from emulator.values import Stored, Unparsable, to_stored, wrong_type_id

_NO_OWNER_CHECK = frozenset({"Organization", "Group"})
_FORMER = "INVALID_FIELD_FOR_INSERT_UPDATE"


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: a user by the API (under field-level security) or in Salesforce's pages."""

    user_id: str
    is_api: bool = True
    stamp: str | None = None
    allows_duplicates: bool = False
    may_set_audit: bool = False
    assigns: str = ""
    """Sforce-Auto-Assign: FALSE, TRUE, the id of an assignment rule, or absent."""

    def sees(self, org: Org) -> Schema:
        """The objects and fields that are there for this author."""
        return org.visible if self.is_api else org.schema


def checked(org: Org, author: Author, sobject: SObject, values: dict[str, Any], *, creating: bool) -> dict[str, Stored]:
    """The values of a write as they are to be stored; raises Refused or Unparsable."""
    found: dict[str, tuple[Field, Any]] = {}
    read_only: list[str] = []
    for name, raw in values.items():
        if name.lower() in {"attributes", "id"}:
            continue
        field = sobject.find(name)
        if field is None:
            field, raw = _by_relationship(org, author, sobject, name, raw)
        if not _may_write(author, field, creating=creating):
            read_only.append(field.name)
        found[field.name] = (field, raw)
    if read_only:
        raise refused(
            _FORMER,
            f"Unable to create/update fields: {', '.join(read_only)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set.",
            *read_only,
        )
    stored = {name: to_stored(field, raw) for name, (field, raw) in found.items()}
    rewrite(org, sobject, stored)
    _require(sobject, stored, creating=creating)
    for name, value in stored.items():
        field = sobject.fields[name]
        if field.type == "reference" and isinstance(value, str):
            check_reference(org, author, sobject, field, value)
    return stored


def _may_write(author: Author, field: Field, *, creating: bool) -> bool:
    if author.may_set_audit and field.name in {"CreatedDate", "LastModifiedDate", "CreatedById", "IsConverted"}:
        return True
    return field.is_createable if creating else field.is_updateable


def _by_relationship(org: Org, author: Author, sobject: SObject, name: str, raw: Any) -> tuple[Field, Any]:
    """A parent named by its external id: ``{"Account": {"Key__c": "x"}}``."""
    field = next((f for f in sobject.fields.values() if (f.relationship or "").lower() == name.lower()), None)
    if field is None or not isinstance(raw, dict):
        raise bare("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
    wanted = {key: value for key, value in raw.items() if key != "attributes"}
    kind = (raw.get("attributes") or {}).get("type")
    if len(field.refers_to) > 1 and not kind:
        message = "Nested object for polymorphic foreign key must have an attributes field before any other fields."
        raise refused("JSON_PARSER_ERROR", message)
    target = author.sees(org).find(kind or field.refers_to[0])
    key = target.find(next(iter(wanted), "")) if target else None
    if target is None or key is None:
        raise bare("INVALID_FIELD", f"No such column '{next(iter(wanted), '')}' on sobject of type {kind or name}")
    value = to_stored(key, wanted[next(iter(wanted))])
    rows = [row for row in org.store.rows(target.name, {key.name: value}, 2) if row.get("IsDeleted") != "true"]
    if len(rows) != 1:
        message = f"Foreign key external ID: {value} not found for field {key.name} in entity {target.name}"
        raise refused("INVALID_FIELD", message)
    return field, rows[0]["Id"]


def _require(sobject: SObject, stored: dict[str, Stored], *, creating: bool) -> None:
    missing = [
        f.name for f in sobject.fields.values()
        if f.is_required and (creating or f.name in stored) and stored.get(f.name) is None
    ]  # fmt: skip
    if missing:
        text = f"Required fields are missing: [{', '.join(missing)}]"
        raise refused("REQUIRED_FIELD_MISSING", text, *missing)


def check_reference(org: Org, author: Author, sobject: SObject, field: Field, value: str) -> None:
    """The id must be of the right kind, of this org, visible and alive."""
    known = [name for name in field.refers_to if name in org.schema.objects]
    if not known:
        return
    target = org.schema.of_id(value)
    if target is None or target.name not in known:
        raise wrong_type_id(field, value)
    row = org.store.row(target.name, value)
    if row is None or (author.is_api and org.store.is_invisible(value)):
        message = f"insufficient access rights on cross-reference id: {value[:15]}"
        raise refused("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message)
    if row.get("IsDeleted") == "true":
        raise refused("ENTITY_IS_DELETED", "entity is deleted")
    if field.name == "OwnerId" and sobject.name not in _NO_OWNER_CHECK and row.get("IsActive") == "false":
        message = f"operation performed with inactive user [{value}] as owner of {sobject.label.lower()}"
        raise refused("INACTIVE_OWNER_OR_USER", message)


def check_whole(org: Org, author: Author, sobject: SObject, row: dict[str, Stored], own_id: str | None) -> None:
    """Rules over the row as it would be: unique values, validation rules, duplicate rules."""
    _check_unique(org, sobject, row, own_id)
    broken = [
        Problem("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule["message"], tuple(rule.get("fields") or ()))
        for rule in org.options["validation_rules"]
        if rule["sobject"] == sobject.name and re.search(rule["pattern"], str(row.get(rule["field"]) or ""))
    ]
    if broken:
        raise Refused(400, *broken)
    for rule in org.options["duplicate_rules"]:
        if rule["sobject"] == sobject.name:
            _check_duplicates(org, author, sobject, row, own_id, rule)


def _check_unique(org: Org, sobject: SObject, row: dict[str, Stored], own_id: str | None) -> None:
    for field in sobject.fields.values():
        value = row.get(field.name)
        if not field.is_unique or value is None:
            continue
        for other in org.store.rows(sobject.name, {field.name: value}, 5):
            if other["Id"] != own_id and other.get("IsDeleted") != "true":
                message = f"duplicate value found: {field.name} duplicates value on record with id: {other['Id'][:15]}"
                raise refused("DUPLICATE_VALUE", message)


def _check_duplicates(
    org: Org, author: Author, sobject: SObject, row: dict[str, Stored], own_id: str | None, rule: dict[str, Any]
) -> None:
    wanted = {name: row.get(name) for name in rule["fields"]}
    allows = bool(rule.get("allow_save", True))
    if None in wanted.values() or (author.allows_duplicates and allows) or not author.is_api or own_id is not None:
        return
    matches = [o for o in org.store.rows(sobject.name, wanted, 5) if o.get("IsDeleted") != "true"]
    if not matches:
        return
    message = str(rule.get("message") or "Use one of these records?")
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {
                "attributes": {
                    "type": sobject.name,
                    "url": f"/services/data/v66.0/sobjects/{sobject.name}/{match['Id']}",
                },
                "Id": match["Id"],
            },
        }
        for match in matches
    ]
    name = str(rule.get("name") or f"Standard_{sobject.name}_Duplicate_Rule")
    result = {
        "allowSave": allows,
        "duplicateRule": name,
        "duplicateRuleEntityType": sobject.name,
        "errorMessage": message,
        "matchResults": [
            {
                "entityType": sobject.name,
                "errors": [],
                "matchEngine": "ExactMatchEngine",
                "matchRecords": records,
                "rule": f"Standard_{sobject.name}_Match_Rule_v1_1",
                "size": len(records),
                "success": True,
            }
        ],
    }
    raise Refused(400, Problem("DUPLICATES_DETECTED", message, (), duplicates=result))


def check_open(org: Org, author: Author) -> None:
    """During read-only maintenance no client writes."""
    if author.is_api and org.options["maintenance"]:
        message = "Insert, update and delete are not allowed during maintenance"
        raise refused("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", message)


def check_lock(org: Org, record_id: str) -> None:
    """A row that somebody else holds."""
    lock = org.take_lock(record_id)
    if lock is not None:
        raise refused(lock.code, lock.message.format(id=record_id))


def existing(org: Org, author: Author, sobject: SObject, record_id: str) -> dict[str, Any]:
    """The live row of an id; raises Refused as an update or delete of a missing one does."""
    if not is_id(record_id):
        raise refused("MALFORMED_ID", f"malformed id {record_id}")
    row = org.store.row(sobject.name, normalized(record_id))
    if row is None or (author.is_api and org.store.is_invisible(row["Id"])):
        raise refused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
    if row.get("IsDeleted") == "true":
        raise refused("ENTITY_IS_DELETED", "entity is deleted", status=404)
    return row


def alive_ids(org: Org, sobject: SObject, field: Field, value: Stored, limit: int = 3) -> list[str]:
    """Ids of rows that are not deleted and have this value."""
    alive = """ AND "IsDeleted" = 'false'""" if sobject.is_soft_deleted else ""
    statement = f'SELECT "Id" FROM {column(sobject.name)} WHERE {column(field.name)} = ?{alive} LIMIT ?'
    return [row[0] for row in org.store.connection.execute(statement, [value, limit])]


def dead_ids(org: Org, sobject: SObject, field: Field, value: Stored) -> list[str]:
    """Ids of rows in the recycle bin that have this value."""
    if not sobject.is_soft_deleted:
        return []
    return [row["Id"] for row in org.store.rows(sobject.name, {field.name: value, "IsDeleted": "true"}, 3)]


def problem_of(error: Unparsable, *, whole_request: bool) -> Problem:
    """A value of the wrong type (collections/json-parser-error-200.json, errors/JSON_PARSER_ERROR-400.json)."""
    shown = "true" if error.value is True else "false" if error.value is False else error.value
    token = "START_OBJECT" if isinstance(error.value, dict) else "VALUE_STRING"
    tail = " at [line:-1, column:-1]" if whole_request else "[line:-1, column:-1]"
    message = (
        f"Cannot deserialize instance of {error.kind} from {token} value {shown} or request may be missing a required "
        f"field at [Source: N/A; line: -1, column: -1]{tail}"
    )
    return Problem("JSON_PARSER_ERROR", message, None if whole_request else ())
