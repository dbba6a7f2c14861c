"""Which remote fields the mappings use, told to the layer below so that the pre-flight can check each of them."""

from typing import Any

from apps.audience.services.task_switches import PROFILE, set_task_kinds
from apps.field_mappings.models import FieldMapping, Profile, StepKind, SyncStep
from apps.integrations.models import Connection

_OUTWARD = ("push", "two_way")
_TASK = "Task"
ACTIVITY_KINDS = {"email": "email_sent", "task": "task_logged", "call": "call_logged"}
"""The kind of event that each source of an activity step stands for."""


def note_needed_fields(connection: Connection) -> dict[str, list[str]]:
    """Write the fields of the active profile's enabled steps to the connection, by sObject in the steps' order."""
    profile = Profile.objects.filter(connection=connection, is_active=True).first()
    mappings = FieldMapping.objects.filter(
        step__profile=profile, step__is_enabled=True, step__kind=StepKind.RECORD
    ).order_by("step__position", "position", "id")
    needed: dict[str, list[str]] = {}
    for sobject, remote_field in mappings.values_list("step__sobject", "remote_field"):
        fields = needed.setdefault(sobject, [])
        if remote_field not in fields:
            fields.append(remote_field)
    writes = _needed_writes(profile)
    Connection.objects.filter(id=connection.pk).update(needed_fields=needed, needed_writes=writes)
    connection.needed_fields, connection.needed_writes = needed, writes
    set_task_kinds(kinds=_task_kinds(profile), by=PROFILE)
    return needed


def _task_kinds(profile: Profile | None) -> list[str]:
    """The kinds of events that activity steps carry into Tasks."""
    steps = SyncStep.objects.filter(profile=profile, is_enabled=True, kind=StepKind.ACTIVITY)
    return [ACTIVITY_KINDS[source] for source in steps.values_list("local_type", flat=True) if source in ACTIVITY_KINDS]


def _needed_writes(profile: Profile | None) -> dict[str, dict[str, Any]]:
    """What the enabled steps write there: whether rows are made, whether they are changed, and which fields."""
    found: dict[str, dict[str, Any]] = {}
    steps = SyncStep.objects.filter(profile=profile, is_enabled=True, direction__in=_OUTWARD).order_by("position")
    for step in steps:
        is_activity = step.kind == StepKind.ACTIVITY
        sobject = _TASK if is_activity else step.sobject
        need = found.setdefault(sobject, {"create": False, "update": False, "fields": []})
        need["create"] |= is_activity or (step.kind == StepKind.RECORD and step.create_remote)
        need["update"] |= step.kind == StepKind.STATUS or (step.kind == StepKind.RECORD and step.update_remote)
        names = FieldMapping.objects.filter(step=step).exclude(way_out="off").order_by("position", "id")
        need["fields"] += [name for name in names.values_list("remote_field", flat=True) if name not in need["fields"]]
    return {sobject: need for sobject, need in found.items() if need["create"] or need["update"]}
