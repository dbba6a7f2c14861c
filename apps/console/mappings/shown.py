"""What the object pages show of steps and mappings, in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.audience.fields import LocalField
from apps.console.filter_words import FilterField, fields_by_label, filter_words
from apps.domain.comparisons import operators_for
from apps.domain.filters import from_dict
from apps.domain.ports import FieldSchema
from apps.domain.values import FieldType
from apps.field_mappings.catalogue import PULL_ONLY, is_kept, label_of, local_fields, step_title
from apps.field_mappings.compatibility import kind_words, pause_reason, type_words
from apps.field_mappings.models import FieldMapping, StepKind, SyncStep
from apps.field_mappings.services.editing import missing_required
from apps.integrations.metadata import Schema
from apps.integrations.models import Connection, ReferenceItem, ReferenceKind

WAYS: tuple[tuple[str, str], ...] = (("off", "Don't sync"), ("fill", "Fill"), ("overwrite", "Overwrite"))
WINNERS: tuple[tuple[str, str], ...] = (
    ("remote", "Salesforce"),
    ("local", "Syncline"),
    ("latest", "Latest change"),
)
SHORTHANDS: tuple[tuple[str, str], ...] = (("pull", "Pull"), ("push", "Push"), ("two_way", "Two-way"))
DIRECTIONS: dict[str, tuple[str, str]] = {
    "pull": ("From Salesforce to Syncline", "arrow-down-to-line"),
    "push": ("From Syncline to Salesforce", "arrow-up-from-line"),
    "two_way": ("Both ways", "arrow-down-up"),
}
"""Directions in words, with their icons."""
NEXT_DIRECTION = {"pull": "push", "push": "two_way", "two_way": "pull"}


@dataclass
class MappingRow:
    """One mapping as the table shows it."""

    mapping: FieldMapping
    remote_label: str
    remote_type: str
    local_label: str
    local_kind: str
    is_kept: bool
    has_values: bool
    translated: int
    paused_reason: str
    hint: str = ""
    error: str = ""

    @property
    def search_text(self) -> str:
        return f"{self.remote_label} {self.mapping.remote_field} {self.local_label}".lower()

    @property
    def shorthand(self) -> str:
        """Push, Pull or Two-way, where the ways amount to one of them."""
        ways = (self.mapping.way_in, self.mapping.way_out)
        return {("overwrite", "off"): "pull", ("off", "overwrite"): "push", ("overwrite", "overwrite"): "two_way"}.get(
            ways, ""
        )


@dataclass
class StepCard:
    """A step as its object's page shows it."""

    step: SyncStep
    number: int
    title: str
    direction: str
    icon: str
    turns_to: str
    rows: list[MappingRow] = field(default_factory=list)
    inbound: str = ""
    outbound: str = ""
    missing: tuple[str, ...] = ()
    problem: str = ""

    @property
    def may_turn(self) -> bool:
        return self.step.kind == StepKind.RECORD and self.step.sobject not in PULL_ONLY

    @property
    def pulls(self) -> bool:
        return self.step.direction != "push"

    @property
    def pushes(self) -> bool:
        return self.step.direction != "pull"


def step_card(step: SyncStep, number: int) -> StepCard:
    """A step in one line."""
    words, icon = DIRECTIONS[step.direction]
    return StepCard(step, number, step_title(step), words, icon, DIRECTIONS[NEXT_DIRECTION[step.direction]][0])


def full_card(step: SyncStep, number: int, schema: Schema | None, connection: Connection) -> StepCard:
    """A step with its mappings and filters."""
    card = step_card(step, number)
    fields = local_fields(step.local_type)
    card.rows = [
        mapping_row(mapping, step, schema, fields)
        for mapping in FieldMapping.objects.filter(step=step).order_by("position", "id")
    ]
    theirs = {one.name: one for one in remote_filter_fields(schema)}
    ours = {one.name: one for one in local_filter_fields(connection, step.local_type)}
    card.inbound = filter_words(from_dict(step.inbound_filter), theirs)
    card.outbound = filter_words(from_dict(step.outbound_filter), ours)
    card.missing = missing_required(step, schema)
    return card


def mapping_row(
    mapping: FieldMapping, step: SyncStep, schema: Schema | None, fields: Mapping[str, LocalField]
) -> MappingRow:
    """A mapping with the labels of both sides."""
    remote = schema.fields.get(mapping.remote_field) if schema else None
    local = fields.get(mapping.local_field)
    return MappingRow(
        mapping=mapping,
        remote_label=remote.label if remote else mapping.remote_field,
        remote_type=type_words(remote.type) if remote else "",
        local_label=label_of(fields, mapping.local_field),
        local_kind=kind_words(local) if local else "",
        is_kept=is_kept(mapping, step.local_type),
        has_values=bool(mapping.value_map or (remote and remote.picklist) or (local and local.options)),
        translated=len(mapping.value_map),
        paused_reason=_paused(mapping, schema, local),
        hint=_hint(mapping, step),
    )


def _paused(mapping: FieldMapping, schema: Schema | None, local: LocalField | None) -> str:
    if local is None:
        return "This field of Syncline was removed."
    return pause_reason(schema, mapping.remote_field, local) if schema else mapping.paused_reason


def _hint(mapping: FieldMapping, step: SyncStep) -> str:
    """Why a way that is chosen does not count: what counts is way, direction and permission together."""
    if mapping.way_out != "off" and step.direction == "pull":
        return "Nothing goes to Salesforce, because this step only reads."
    if mapping.way_in != "off" and step.direction == "push":
        return "Nothing comes here, because this step only writes."
    if mapping.way_in == "off" and mapping.way_out == "off":
        return "Not synced."
    return ""


# -- fields to choose from --------------------------------------------------------------------------------------


def remote_filter_fields(schema: Schema | None) -> list[FilterField]:
    """Fields of an sObject that its filter may compare; a record type is chosen by its name."""
    if schema is None:
        return []
    return fields_by_label(
        [
            FilterField(one.name, one.label, FieldType(one.type), _choices(schema, one), one.name, moves=True)
            for one in schema.fields.values()
            if one.type in set(FieldType) and _is_filterable(one)
        ]
    )


def _choices(schema: Schema, one: FieldSchema) -> tuple[tuple[str, str], ...]:
    return schema.record_types if one.name == "RecordTypeId" else one.picklist


def _is_filterable(one: FieldSchema) -> bool:
    """Salesforce cannot filter by long text areas (more than 255 characters)."""
    is_long = one.type == FieldType.TEXTAREA and one.length > 255
    return bool(operators_for(FieldType(one.type))) and not is_long


_LOCAL_TYPES = {
    "email": FieldType.EMAIL,
    "integer": FieldType.DOUBLE,
    "decimal": FieldType.DOUBLE,
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "boolean": FieldType.BOOLEAN,
    "picklist": FieldType.PICKLIST,
    "multipicklist": FieldType.MULTIPICKLIST,
    "url": FieldType.URL,
    "reference": FieldType.REFERENCE,
}


def local_filter_fields(connection: Connection, local_type: str) -> list[FilterField]:
    """Fields of a kind of record that a filter for our records may compare; an owner is one of Salesforce's users."""
    found = []
    for name, one in local_fields(local_type).items():
        choices = tuple((option, option) for option in one.options)
        if one.refers_to == "owner":
            users = ReferenceItem.objects.filter(connection=connection, kind=ReferenceKind.USER, is_active=True)
            choices = tuple(users.order_by("label", "key").values_list("key", "label")[:500])
        found.append(FilterField(name, one.label, _LOCAL_TYPES.get(one.kind.value, FieldType.STRING), choices))
    return fields_by_label(found)
