"""What can be bound with what: sObjects with kinds of records, and the sources of status and activity steps."""

from collections.abc import Mapping

from apps.audience.fields import CUSTOM_PREFIX, LocalField
from apps.audience.models import CustomRecordType
from apps.audience.selectors.types import custom_type
from apps.audience.services.values import fields_of
from apps.field_mappings.models import FieldMapping, StepKind, SyncStep

LOCAL_TYPES: dict[str, str] = {
    "Account": "company",
    "Contact": "person",
    "Lead": "person",
    "Opportunity": "opportunity",
}
"""The kind of record that rows of an sObject become."""
PULL_ONLY = frozenset({"Opportunity"})
"""sObjects that Syncline never writes: sales work is done in Salesforce (D10)."""
TYPE_LABELS: dict[str, str] = {"person": "Person", "company": "Company", "opportunity": "Opportunity"}
MANDATORY: dict[str, tuple[str, ...]] = {
    "person": ("email", "first_name", "last_name"),
    "company": ("name", "website"),
    "opportunity": ("name",),
}
"""Fields of ours that every step of a record type maps (C08)."""
STATUS_SOURCES: dict[str, str] = {"sequence_status": "Sequence status", "inbox_state": "Inbox state"}
ACTIVITY_SOURCES: dict[str, str] = {"email": "E-mails", "task": "Tasks", "call": "Calls"}
DEFAULTED: dict[str, tuple[str, ...]] = {
    "Lead": ("LastName", "Company"),
    "Contact": ("LastName",),
    "Account": ("Name",),
}
"""Required fields for which the sync settings have a default (B10)."""


def local_type_of(sobject: str) -> str:
    """The kind of record that rows of an sObject become; "" where nothing is known of it."""
    if sobject in LOCAL_TYPES or not sobject:
        return LOCAL_TYPES.get(sobject, "")
    own: CustomRecordType | None = CustomRecordType.objects.filter(sobject=sobject).first()
    return own.local_type if own is not None else ""


def type_label(local_type: str) -> str:
    """A kind of record in words."""
    own = None if local_type in TYPE_LABELS else custom_type(local_type)
    return own.label if own is not None else TYPE_LABELS.get(local_type, "Custom record")


def local_fields(local_type: str) -> dict[str, LocalField]:
    """Every field of a kind of record that can be mapped, the tenant's own included, by name."""
    return fields_of(local_type)


def step_title(step: SyncStep) -> str:
    """A step in one line: from where, to where."""
    if step.kind == StepKind.STATUS:
        return f"{STATUS_SOURCES.get(step.local_type, step.local_type)} → {step.sobject} Status"
    if step.kind == StepKind.ACTIVITY:
        return f"{ACTIVITY_SOURCES.get(step.local_type, step.local_type)} → {step.sobject} Tasks"
    ours = type_label(step.local_type)
    if step.direction == "two_way":
        return f"{step.sobject} ↔ {ours}"
    return f"{step.sobject} → {ours}" if step.direction == "pull" else f"{ours} → {step.sobject}"


def is_kept(mapping: FieldMapping, local_type: str) -> bool:
    """Whether a mapping cannot be removed: a key, or a field that every step of this kind maps."""
    return mapping.is_key or mapping.is_required or mapping.local_field in MANDATORY.get(local_type, ())


def label_of(fields: Mapping[str, LocalField], name: str) -> str:
    """A local field in words."""
    return fields[name].label if name in fields else name.removeprefix(CUSTOM_PREFIX)
