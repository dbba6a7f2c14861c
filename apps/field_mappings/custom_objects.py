"""Custom objects (C14): which there are, what one would become here, and adding it: type, fields, step, mappings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from apps.audience.fields import CUSTOM_PREFIX, CUSTOM_RECORD, Kind
from apps.audience.models import CustomField, CustomRecordType
from apps.audience.services.custom_fields import MOST_FIELDS, key_of
from apps.domain.ports import FieldSchema
from apps.domain.values import FieldType
from apps.field_mappings.compatibility import pause_reason
from apps.field_mappings.models import FieldMapping, Profile, SyncStep
from apps.field_mappings.needs import note_needed_fields
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.metadata import Schema, cached_schema
from apps.integrations.models import Connection, ConnectionJob, JobKind, ReferenceItem, ReferenceKind
from apps.integrations.services.connections import queue_job
from apps.tenants.audit import audit
from apps.tenants.models import User

_PERSONS = ("Contact", "Lead")
_KINDS: dict[str, Kind] = {
    FieldType.INT: Kind.INTEGER,
    FieldType.LONG: Kind.INTEGER,
    FieldType.DOUBLE: Kind.DECIMAL,
    FieldType.CURRENCY: Kind.DECIMAL,
    FieldType.PERCENT: Kind.DECIMAL,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.DATETIME,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.TEXTAREA: Kind.LONG_TEXT,
    FieldType.EMAIL: Kind.EMAIL,
}
"""Kinds of ours for types of Salesforce; text takes the others."""
_LONGEST_NAME = 80
_RESERVED_KEYS = frozenset({"open", "new"})


class CannotAdd(Exception):
    """Why a custom object cannot be added, in words by field of the form."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Proposed:
    """What one field of the object becomes here: a field of ours, or why it stays out."""

    remote: FieldSchema
    local_field: str
    label: str
    kind: Kind = Kind.TEXT
    left_out: str = ""

    @property
    def goes_out(self) -> bool:
        """Whether Salesforce lets us write it."""
        return (self.remote.createable or self.remote.updateable) and not self.remote.calculated


def choosable_objects(connection: Connection) -> list[ReferenceItem]:
    """Custom objects of the org that are not synced yet, by their label."""
    taken = CustomRecordType.objects.exclude(sobject="").values("sobject")
    rows = ReferenceItem.objects.filter(
        connection=connection, kind=ReferenceKind.OBJECT, is_active=True, data__syncs=True
    ).exclude(key__in=taken)
    return list(rows.order_by("label", "key"))


def ask_for_object(*, connection: Connection, sobject: str, user: User) -> ConnectionJob:
    """Have the object's fields read, so that it can be shown; of objects that are not synced only this one is kept."""
    row = Connection.objects.select_for_update().get(id=connection.pk)
    synced = CustomRecordType.objects.exclude(sobject="").order_by("sobject").values_list("sobject", flat=True)
    row.extra_objects = [*(name for name in synced if name != sobject), sobject]
    row.save(update_fields=["extra_objects"])
    return queue_job(connection=row, kind=JobKind.DESCRIBE, user=user)


def propose(schema: Schema) -> list[Proposed]:
    """What the object's fields would become: its name, its owner, the first lookup to a person and to a company, and
    a field of the type's own for every other custom field. Salesforce's own bookkeeping is not shown."""
    person = _first_lookup(schema, _PERSONS)
    company = _first_lookup(schema, ("Account",))
    places = {"Name": "name", "OwnerId": "owner", person: "person", company: "company"}
    found = []
    for name, remote in schema.fields.items():
        if name in places and name:
            place = places[name]
            kind = CUSTOM_RECORD[place].kind
            found.append(Proposed(remote, place, CUSTOM_RECORD[place].label, kind))
        elif name.endswith("__c") and not name.startswith("Syncline_"):
            found.append(_own_field(schema, remote))
    order = list(CUSTOM_RECORD)
    return sorted(found, key=lambda one: order.index(one.local_field) if one.local_field in order else len(order))


def _first_lookup(schema: Schema, wanted: Sequence[str]) -> str:
    """The lookup to the first of these objects that has one; "" where none does."""
    for sobject in wanted:
        for name, remote in schema.fields.items():
            if sobject in remote.reference_to and name.endswith("__c"):
                return name
    return ""


def _own_field(schema: Schema, remote: FieldSchema) -> Proposed:
    key = key_of(remote.name.removesuffix("__c").replace("__", "_"))
    kind = _KINDS.get(remote.type, Kind.TEXT)
    if remote.restricted and remote.type == FieldType.PICKLIST and remote.picklist:
        kind = Kind.PICKLIST
    return Proposed(remote, f"{CUSTOM_PREFIX}{key}", remote.label, kind, pause_reason(schema, remote.name))


def key_choices(schema: Schema) -> list[tuple[str, str]]:
    """What may find a record that is not linked yet: (remote field, label); unique fields, then the name."""
    unique = [one for one in schema.fields.values() if (one.external_id or one.unique) and one.name.endswith("__c")]
    own = [one for one in unique if not one.name.startswith("Syncline_")]
    name = schema.fields.get("Name")
    return [(one.name, one.label) for one in (*own, *([name] if name is not None else []))]


def add_custom_object(
    *,
    connection: Connection,
    sobject: str,
    label: str,
    label_plural: str,
    key_field: str = "",
    is_two_way: bool = False,
    user: User,
) -> CustomRecordType:
    """Make a record type for a custom object, with its fields, its step at the end of the Custom profile and a mapping
    for every field that can be synced. Raises CannotAdd."""
    schema = cached_schema(connection, sobject)
    if schema is None:
        raise CannotAdd(sobject="Salesforce has not told the fields of this object yet. Try again in a moment.")
    _check_names(label=label, label_plural=label_plural)
    if key_field and key_field not in dict(key_choices(schema)):
        raise CannotAdd(key_field="This field cannot find records.")
    made = _make_type(sobject, label, label_plural)
    proposed = [one for one in propose(schema) if not one.left_out][: MOST_FIELDS + len(CUSTOM_RECORD)]
    _make_fields(made, proposed)
    profile = seed_custom_profile(connection)
    step = _make_step(profile, made, is_two_way=is_two_way)
    _make_mappings(step, proposed, key_field)
    keep_objects_known(connection)
    note_needed_fields(connection)
    facts = {"object": sobject, "fields": len(proposed), "direction": step.direction}
    audit(actor=user, action="custom_object_added", subject=f"{label_plural} ({sobject})", after=facts)
    return made


def keep_objects_known(connection: Connection) -> None:
    """Have the fields of every synced custom object read with the others (C17)."""
    synced = CustomRecordType.objects.exclude(sobject="").order_by("sobject").values_list("sobject", flat=True)
    Connection.objects.filter(id=connection.pk).update(extra_objects=list(synced))


def _check_names(**names: str) -> None:
    errors = {}
    for field, name in names.items():
        if not name.strip():
            errors[field] = "It needs a name."
        elif len(name) > _LONGEST_NAME:
            errors[field] = f"At most {_LONGEST_NAME} characters."
    if errors:
        raise CannotAdd(**errors)


def _make_type(sobject: str, label: str, label_plural: str) -> CustomRecordType:
    taken = set(CustomRecordType.objects.values_list("key", flat=True)) | _RESERVED_KEYS
    bare = re.sub(r"[^a-z0-9]+", "-", sobject.removesuffix("__c").lower()).strip("-")[:36] or "records"
    key = next(name for name in (bare, *(f"{bare}-{n}" for n in range(2, 1000))) if name not in taken)
    try:
        with transaction.atomic():
            made: CustomRecordType = CustomRecordType.objects.create(
                key=key, label=label.strip(), label_plural=label_plural.strip(), sobject=sobject
            )
    except IntegrityError as error:
        raise CannotAdd(sobject="This object is synced already.") from error
    return made


def _make_fields(made: CustomRecordType, proposed: Sequence[Proposed]) -> None:
    own = {one.local_field.removeprefix(CUSTOM_PREFIX): one for one in proposed if one.local_field not in CUSTOM_RECORD}
    CustomField.objects.bulk_create(
        CustomField(
            record_type=made.local_type,
            key=key,
            label=one.label[:120],
            kind=one.kind,
            options=[value for value, _ in one.remote.picklist] if one.kind is Kind.PICKLIST else [],
        )
        for key, one in own.items()
    )


def _make_step(profile: Profile, made: CustomRecordType, *, is_two_way: bool) -> SyncStep:
    last = SyncStep.objects.filter(profile=profile).aggregate(n=Max("position"))["n"]
    Profile.objects.filter(id=profile.pk).update(version=F("version") + 1)
    step: SyncStep = SyncStep.objects.create(
        profile=profile,
        position=0 if last is None else last + 1,
        sobject=made.sobject,
        local_type=made.local_type,
        direction="two_way" if is_two_way else "pull",
        create_remote=is_two_way,
        update_remote=is_two_way,
    )
    return step


def _make_mappings(step: SyncStep, proposed: Sequence[Proposed], key_field: str) -> None:
    unique: Mapping[str, Proposed] = {one.local_field: one for one in proposed}
    FieldMapping.objects.bulk_create(
        FieldMapping(
            step=step,
            position=number,
            remote_field=one.remote.name,
            local_field=one.local_field,
            way_in="overwrite",
            way_out="overwrite" if step.direction == "two_way" and one.goes_out else "off",
            winner="latest",
            is_key=one.remote.name == key_field,
        )
        for number, one in enumerate(unique.values())
    )
