"""What every change of a profile has in common: locking, versions, refusals, what follows from it."""

from collections.abc import Mapping
from typing import Any

from apps.field_mappings.catalogue import DEFAULTED, PULL_ONLY, step_title
from apps.field_mappings.models import FieldMapping, Profile, ProfileKind, SyncStep
from apps.field_mappings.needs import note_needed_fields
from apps.integrations.metadata import Schema, cached_schema
from apps.integrations.models import Connection
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

LOCKED = "The Default profile is locked. Switch to the Custom profile to change steps."


class Refused(Exception):
    """Why a change is not made, in words. ``rows`` says it of single mappings, by id."""

    def __init__(self, words: str, rows: Mapping[int, str] | None = None) -> None:
        super().__init__(words)
        self.rows: Mapping[int, str] = rows or {}


class Moved(Refused):
    """Somebody else changed the same thing since the form was opened: nothing was saved."""

    def __init__(self) -> None:
        super().__init__("Nothing was saved: somebody changed this while your form was open.")


def locked_profile(profile: Profile, seen_version: int | None = None) -> Profile:
    """The Custom profile, locked until the transaction ends; others wait for their turn."""
    row: Profile = Profile.objects.select_for_update().get(id=profile.pk)
    if row.kind == ProfileKind.DEFAULT:
        raise Refused(LOCKED)
    if seen_version is not None and row.version != seen_version:
        raise Moved
    return row


def locked_step(step: SyncStep, seen_version: int | None = None) -> SyncStep:
    """A step of the Custom profile, locked with its profile; raises Moved where it has been changed since."""
    locked_profile(step.profile)
    row: SyncStep | None = SyncStep.objects.select_for_update().select_related("profile").filter(id=step.pk).first()
    if row is None or (seen_version is not None and row.version != seen_version):
        raise Moved
    return row


def connection_of(profile: Profile) -> Connection:
    """The connection of a profile."""
    found: Connection = Connection.objects.get(id=profile.connection_id)
    return found


def schema_of(step: SyncStep) -> Schema | None:
    """The cached describe of a step's sObject."""
    return cached_schema(connection_of(step.profile), step.sobject)


def finish(
    step: SyncStep, *, actor: Actor | None, action: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[str, ...]:
    """Save a changed step as a new version and write it down. Creating in Salesforce goes off where a required field
    is not mapped any more; answers the labels of those that are missing."""
    missing = missing_required(step, schema_of(step)) if step.create_remote else ()
    if missing:
        step.create_remote = False
        after = {**after, "create_remote": False}
        before = {**before, "create_remote": True}
    step.version += 1
    step.save()
    audit(actor=actor, action=action, subject=f"Step {step_title(step)}", before=before, after=after)
    note_needed_fields(connection_of(step.profile))
    return missing


def missing_required(step: SyncStep, schema: Schema | None) -> tuple[str, ...]:
    """Labels of fields without which Salesforce refuses a new row, and that the step neither maps nor defaults."""
    if schema is None:
        return ()
    sent = set(
        FieldMapping.objects.filter(step=step).exclude(way_out="off").values_list("remote_field", flat=True)
    ) | set(DEFAULTED.get(step.sobject, ()))
    return tuple(
        field.label for field in schema.fields.values() if field.is_required_on_create and field.name not in sent
    )


def check_direction(sobject: str, *, writes: bool) -> None:
    """Refuse to write to an sObject that is only read."""
    if writes and sobject in PULL_ONLY:
        raise Refused("Opportunities are only read: sales work is done in Salesforce, so nothing is written there.")
