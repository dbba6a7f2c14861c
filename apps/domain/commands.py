"""Commands of rules: what each one comes to in Salesforce, once it is known what is there already. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from apps.domain.failures import Category, RowFailure
from apps.domain.persons import account_values, reachable
from apps.domain.ports import ObjectSchema, WriteOperation
from apps.domain.rows import OPT_OUT
from apps.domain.values import FieldType, Unreadable, canonical, from_json
from apps.domain.writing import refusals, writable

NOT_THERE = (
    "This person is neither a lead nor a contact yet. Put the action “Create or update the lead or contact” before "
    "this one."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of Salesforce that a command is about, with the values that were read of it."""

    sobject: str
    remote_id: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_converted(self) -> bool:
        return self.values.get("IsConverted") is True


@dataclass(frozen=True, slots=True)
class Plan:
    """One write. ``through`` is the person account that a Contact's values go to ("": one that is to be made); None:
    the row itself is written."""

    sobject: str
    operation: WriteOperation
    values: Mapping[str, str]
    remote_id: str = ""
    key_field: str = ""
    assignment_rule: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    through: str | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is to be written, with the reason in words."""

    words: str
    sobject: str = ""
    remote_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The command cannot be carried out."""

    sobject: str
    failures: tuple[RowFailure, ...]
    remote_id: str = ""


Decision = Plan | Nothing | Refused


def remote_values(lines: str) -> dict[str, str]:
    """Further values from lines ``Field = value``."""
    pairs = (line.partition("=") for line in lines.splitlines())
    return {name.strip(): text.strip() for name, mark, text in pairs if mark and name.strip()}


def create(
    schema: ObjectSchema,
    values: Mapping[str, str],
    *,
    defaults: Mapping[str, str] | None = None,
    external: tuple[str, str] | None = None,
) -> Decision:
    """A new row: what is empty is left out, defaults stand in for what is missing (B10), and a required field that
    has neither is named. ``external`` is (field, value) of our own key, where the org has one."""
    sent = {name: text for name, text in writable(schema, values, creating=True).items() if text != ""}
    for name, text in (defaults or {}).items():
        if text and name in schema.fields and schema.fields[name].createable:
            sent.setdefault(name, text)
    missing = [one for one in schema.fields.values() if one.is_required_on_create and one.name not in sent]
    failures = refusals(schema, sent) + tuple(
        RowFailure(Category.REQUIRED_FIELD_MISSING, f"{one.label} is required.", (one.name,)) for one in missing
    )
    try:
        sent = {name: _canonical(schema, name, text) for name, text in sent.items()}
    except Unreadable as error:
        failures = (*failures, RowFailure(Category.INVALID_VALUE, f"A value does not fit: {error}."))
    if failures:
        return Refused(schema.name, failures)
    key = schema.fields.get(external[0]) if external else None
    if external is not None and key is not None and key.createable:
        return Plan(schema.name, WriteOperation.UPSERT, {**sent, external[0]: external[1]}, key_field=external[0])
    return Plan(schema.name, WriteOperation.CREATE, sent)


def update(schema: ObjectSchema, row: Row, values: Mapping[str, str]) -> Decision:
    """A change of a row: only what differs is sent. A converted lead is never written."""
    if row.is_converted:
        words = "This lead was converted in Salesforce; what it is now is the contact."
        return Refused(row.sobject, (RowFailure(Category.CONVERTED_LEAD, words),), row.remote_id)
    if values.get(OPT_OUT, "true").lower() != "true":
        words = "No rule opts anybody in again: only the person's own wish does."
        return Refused(row.sobject, (RowFailure(Category.INVALID_VALUE, words, (OPT_OUT,)),), row.remote_id)
    gone = [name for name in values if name not in schema.fields]
    if gone:
        words = f"{schema.label} has no field {gone[0]} that the sync user can see."
        return Refused(row.sobject, (RowFailure(Category.FIELD_GONE, words, tuple(gone)),), row.remote_id)
    sent = writable(schema, values)
    locked = [name for name in values if name not in sent]
    if locked:
        words = f"{schema.fields[locked[0]].label} cannot be written by the sync user."
        return Refused(row.sobject, (RowFailure(Category.INSUFFICIENT_ACCESS, words, tuple(locked)),), row.remote_id)
    failures = refusals(schema, sent)
    try:
        wanted = {name: _canonical(schema, name, text) for name, text in sent.items()}
    except Unreadable as error:
        failures = (*failures, RowFailure(Category.INVALID_VALUE, f"A value does not fit: {error}.", tuple(sent)))
        wanted = {}
    if failures:
        return Refused(row.sobject, failures, row.remote_id)
    before = {name: _read(schema, name, row.values.get(name)) for name in wanted}
    differing = {name: text for name, text in wanted.items() if before[name] != text}
    if not differing:
        return Nothing("Salesforce has these values already", row.sobject, row.remote_id)
    return Plan(
        row.sobject,
        WriteOperation.UPDATE,
        differing,
        row.remote_id,
        before={name: before[name] for name in differing},
    )


def through_account(plan: Plan, account: ObjectSchema, account_id: str) -> Decision:
    """A write of a Contact that is a person account, or becomes one: it goes to the Account (facts, section 7). A new
    one has what the Account can take; a change that it cannot take is refused."""
    creating = not account_id
    values = reachable(plan.values, account.fields)
    lost = [name for name in plan.values if name not in values]
    if not creating and not lost:
        lost = [n for n in values if not writable(account, account_values({n: values[n]}, account.fields))]
    if lost and not creating:
        words = f"This person is a person account, and the sync user cannot write {lost[0]} of one."
        return Refused(plan.sobject, (RowFailure(Category.INSUFFICIENT_ACCESS, words, tuple(lost)),), plan.remote_id)
    operation = WriteOperation.CREATE if creating else plan.operation
    return replace(plan, operation=operation, values=values, key_field="", through=account_id)


def _type(schema: ObjectSchema, name: str) -> FieldType:
    known = schema.fields.get(name)
    return FieldType(known.type) if known is not None and known.type in set(FieldType) else FieldType.STRING


def _canonical(schema: ObjectSchema, name: str, text: str) -> str:
    return canonical(_type(schema, name), text, scale=_scale(schema, name)) or ""


def _read(schema: ObjectSchema, name: str, value: object) -> str:
    try:
        return from_json(_type(schema, name), value, scale=_scale(schema, name)) or ""
    except Unreadable:
        return ""


def _scale(schema: ObjectSchema, name: str) -> int | None:
    known = schema.fields.get(name)
    return known.scale if known is not None and known.type in {"currency", "double", "percent"} else None


# -- each kind ------------------------------------------------------------------------------------------------


def member(
    schema: ObjectSchema, person: Row, campaign: str, status: str, present: Row | None, *, adds: bool
) -> Decision:
    """Add to a Campaign, or change the status there."""
    if present is not None:
        if adds or not status:
            return Nothing("A member already", "CampaignMember", present.remote_id)
        return update(schema, present, {"Status": status})
    if not adds:
        return Nothing("No member of the Campaign", "CampaignMember")
    values = {"CampaignId": campaign, f"{person.sobject}Id": person.remote_id, "Status": status}
    return create(schema, values)


def removal(present: Row | None) -> Decision:
    """Remove from a Campaign."""
    if present is None:
        return Nothing("No member of the Campaign", "CampaignMember")
    return Plan("CampaignMember", WriteOperation.DELETE, {}, present.remote_id)


def task(
    schema: ObjectSchema, person: Row, told: Mapping[str, str], *, today: date, external: tuple[str, str]
) -> Decision:
    """A task on the lead or contact; nobody named: it is its owner's."""
    owner = told.get("owner") or str(person.values.get("OwnerId") or "")
    values = {
        "WhoId": person.remote_id,
        "Subject": told.get("subject", ""),
        "Description": told.get("description", ""),
        "ActivityDate": (today + timedelta(days=_days(told, "days"))).isoformat(),
        "Priority": told.get("priority", ""),
        "Status": told.get("status", ""),
        "OwnerId": owner if owner.startswith(("005", "00G")) else "",
    }
    return create(schema, values, external=external)


def case(schema: ObjectSchema, person: Row, told: Mapping[str, str], *, email: str, name: str) -> Decision:
    """A case of the contact; of a lead, which no case can refer to, it names the person."""
    values = {
        "Subject": told.get("subject", ""),
        "Description": told.get("description", ""),
        "Priority": told.get("priority", ""),
        "OwnerId": told.get("queue", ""),
        "Origin": "Web",
        "SuppliedEmail": email[:80],
        "SuppliedName": name[:80],
    }
    if person.sobject == "Contact":
        values["ContactId"] = person.remote_id
    return create(schema, values)


def opportunity(
    schema: ObjectSchema, told: Mapping[str, str], *, account: str, present: Row | None, today: date
) -> Decision:
    """An opportunity at the account; one of this name that is open is updated."""
    values = {
        "StageName": told.get("stage", ""),
        "Amount": told.get("amount", "").replace(",", ""),
        "CloseDate": (today + timedelta(days=_days(told, "days"))).isoformat(),
    }
    if present is not None:
        changed = {name: values[name] for name in ("StageName", "Amount") if values[name]}
        return update(schema, present, changed)
    return create(schema, {**values, "Name": told.get("name", "")[:120], "AccountId": account})


def ownership(schema: ObjectSchema, person: Row, owner: str) -> Decision:
    """Give the row to a user or queue, or let an assignment rule choose."""
    if owner.startswith("01Q"):
        if person.sobject != "Lead":
            words = "Assignment rules are for leads; this person is a contact."
            return Refused(person.sobject, (RowFailure(Category.INVALID_VALUE, words, ("OwnerId",)),), person.remote_id)
        if person.is_converted:
            return update(schema, person, {})
        return Plan("Lead", WriteOperation.UPDATE, {}, person.remote_id, assignment_rule=owner)
    if owner.startswith("00G") and person.sobject == "Contact":
        words = "A contact belongs to a user, never to a queue."
        return Refused(person.sobject, (RowFailure(Category.INVALID_VALUE, words, ("OwnerId",)),), person.remote_id)
    return update(schema, person, {"OwnerId": owner})


def _days(told: Mapping[str, str], name: str) -> int:
    try:
        return max(-3650, min(int(told.get(name) or "0"), 3650))
    except ValueError:
        return 0


def made_by(rows: Iterable[Row], values: Mapping[str, str], taken: Sequence[str]) -> list[Row]:
    """Of rows that our user has made since the command was begun: those that no other command has made, and that
    hold the references that were sent."""
    links = {name: text for name, text in values.items() if name in {"WhoId", "ContactId", "AccountId"} and text}
    return [
        row
        for row in rows
        if row.remote_id not in taken and all(row.values.get(name) in {text, None} for name, text in links.items())
    ]
