"""Steps: add, clone, remove, reorder, switch on and off, turn round, permissions and filters."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from apps.domain.comparisons import check_filter
from apps.domain.filters import BadFilter, Filter, to_dict
from apps.field_mappings.catalogue import ACTIVITY_SOURCES, STATUS_SOURCES, local_fields, local_type_of, step_title
from apps.field_mappings.compatibility import outbound_refusal
from apps.field_mappings.models import FieldMapping, Profile, StepKind, SyncStep
from apps.field_mappings.needs import note_needed_fields
from apps.field_mappings.services.editing import (
    Refused,
    check_direction,
    connection_of,
    finish,
    locked_profile,
    locked_step,
    missing_required,
    schema_of,
)
from apps.field_mappings.setup import add_mappings
from apps.tenants.actors import Actor
from apps.tenants.audit import audit

MOST_STEPS = 100
_PERSON_OBJECTS = frozenset({"Lead", "Contact"})
_TURNS = {"pull": "push", "push": "two_way", "two_way": "pull"}


@dataclass(frozen=True, slots=True)
class Switches:
    """The four permissions of a step, and whether records that it updates start sync actions."""

    create_remote: bool
    update_remote: bool
    create_local: bool
    update_local: bool
    excludes_updates: bool = False

    def as_dict(self) -> dict[str, bool]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def add_step(
    *,
    profile: Profile,
    actor: Actor,
    seen_version: int,
    sobject: str,
    kind: StepKind = StepKind.RECORD,
    source: str = "",
) -> SyncStep:
    """Add a step at the end: a record step with the fields that its kind always maps, inbound only."""
    row = locked_profile(profile, seen_version)
    if SyncStep.objects.filter(profile=row).count() >= MOST_STEPS:
        raise Refused(f"A profile has at most {MOST_STEPS} steps.")
    local_type = _source_of(row, sobject, kind, source)
    is_record = kind is StepKind.RECORD
    step: SyncStep = SyncStep.objects.create(
        profile=row,
        position=_next_position(row),
        kind=kind,
        sobject=sobject,
        local_type=local_type,
        direction="pull" if is_record else "push",
        create_local=is_record,
        update_local=is_record,
        create_remote=kind is StepKind.ACTIVITY,
        update_remote=kind is StepKind.STATUS,
    )
    if is_record:
        add_mappings(step)
    _reordered(row, actor, "step_added", step, {}, {"sobject": sobject, "kind": kind.value})
    return step


def _source_of(profile: Profile, sobject: str, kind: StepKind, source: str) -> str:
    if kind is StepKind.RECORD:
        local_type = local_type_of(sobject)
        if not local_type:
            raise Refused("Choose one of the objects.")
        return local_type
    sources = STATUS_SOURCES if kind is StepKind.STATUS else ACTIVITY_SOURCES
    if source not in sources or sobject not in ({"Lead"} if kind is StepKind.STATUS else _PERSON_OBJECTS):
        raise Refused("Choose one of the steps in the list.")
    if SyncStep.objects.filter(profile=profile, kind=kind, sobject=sobject, local_type=source).exists():
        raise Refused("This step is there already.")
    return source


def clone_step(*, step: SyncStep, actor: Actor) -> SyncStep:
    """Copy a step with its filters and mappings to the end, switched off, so that it can be changed first."""
    original = locked_step(step)
    if original.kind != StepKind.RECORD:
        raise Refused("A step of this kind is there only once.")
    if SyncStep.objects.filter(profile=original.profile).count() >= MOST_STEPS:
        raise Refused(f"A profile has at most {MOST_STEPS} steps.")
    mappings = list(FieldMapping.objects.filter(step=original).order_by("position", "id"))
    copy: SyncStep = SyncStep.objects.get(id=original.pk)
    copy.pk, copy.version, copy.is_enabled = None, 1, False
    copy.position = _next_position(original.profile)
    copy._state.adding = True
    copy.save()
    for mapping in mappings:
        mapping.pk, mapping.step, mapping._state.adding = None, copy, True
        mapping.save()
    _reordered(original.profile, actor, "step_cloned", copy, {}, {"from": step_title(original)})
    return copy


def remove_step(*, step: SyncStep, actor: Actor) -> None:
    """Remove a step with its mappings; records and links stay as they are."""
    row = locked_step(step)
    before = {"step": step_title(row), "mappings": FieldMapping.objects.filter(step=row).count()}
    profile = row.profile
    FieldMapping.objects.filter(step=row).delete()
    SyncStep.objects.filter(id=row.pk).delete()
    _reordered(profile, actor, "step_removed", row, before, {})


def move_step(*, step: SyncStep, actor: Actor, up: bool) -> None:
    """Change places with the neighbour; at the end of the row nothing happens."""
    row = locked_step(step)
    steps = list(SyncStep.objects.filter(profile=row.profile).order_by("position", "id"))
    at = next(number for number, one in enumerate(steps) if one.pk == row.pk)
    other = at - 1 if up else at + 1
    if not 0 <= other < len(steps):
        return
    steps[at], steps[other] = steps[other], steps[at]
    for position, one in enumerate(steps):
        SyncStep.objects.filter(id=one.pk).update(position=position)
    _reordered(row.profile, actor, "step_moved", row, {"place": at + 1}, {"place": other + 1})


def enable_step(*, step: SyncStep, actor: Actor, enabled: bool) -> None:
    """Switch a step on or off."""
    row = locked_step(step)
    before = {"is_enabled": row.is_enabled}
    row.is_enabled = enabled
    finish(row, actor=actor, action="step_switched", before=before, after={"is_enabled": enabled})


def switch_object(*, profile: Profile, actor: Actor, sobject: str, enabled: bool) -> int:
    """Switch all steps of an sObject on or off (C05); answers how many there are."""
    row = locked_profile(profile)
    steps = list(SyncStep.objects.filter(profile=row, sobject=sobject, kind=StepKind.RECORD))
    for step in steps:
        enable_step(step=step, actor=actor, enabled=enabled)
    return len(steps)


def set_switches(*, step: SyncStep, actor: Actor, seen_version: int, switches: Switches) -> tuple[str, ...]:
    """Set the four permissions; the direction follows from them. Raises Refused where creating in Salesforce lacks
    required fields (C10)."""
    row = locked_step(step, seen_version)
    check_direction(row.sobject, writes=switches.create_remote or switches.update_remote)
    before = {"direction": row.direction} | {name: getattr(row, name) for name in switches.as_dict()}
    for name, value in switches.as_dict().items():
        setattr(row, name, value)
    row.direction = _direction_of(switches, row.direction)
    if switches.create_remote:
        missing = missing_required(row, schema_of(row))
        if missing:
            raise Refused(
                f"“Create in Salesforce” stays off: Salesforce demands {_listed(missing)} of every new record. "
                "Map them to Salesforce first, then switch it on."
            )
    after = {"direction": row.direction, **switches.as_dict()}
    return finish(row, actor=actor, action="step_changed", before=before, after=after)


def turn_step(*, step: SyncStep, actor: Actor, seen_version: int) -> SyncStep:
    """Turn a step round: from Salesforce, to Salesforce, both ways, and again. Where nothing flows in the direction
    that opens, the fields that can flow there follow. Creating in Salesforce is switched on apart."""
    row = locked_step(step, seen_version)
    if row.kind != StepKind.RECORD:
        raise Refused("This step writes to Salesforce and cannot be turned round.")
    before = _facts(row)
    row.direction = _TURNS[row.direction]
    check_direction(row.sobject, writes=row.direction != "pull")
    pulls, pushes = row.direction != "push", row.direction != "pull"
    row.create_local, row.update_local = pulls, pulls
    row.create_remote, row.update_remote = pushes and row.create_remote, pushes
    _mirror(row, "way_out" if row.direction == "push" else "way_in")
    finish(row, actor=actor, action="step_turned", before=before, after=_facts(row))
    return row


def _mirror(step: SyncStep, opened: str) -> None:
    """Let fields flow in a direction in which none does."""
    other = "way_in" if opened == "way_out" else "way_out"
    mappings = list(FieldMapping.objects.filter(step=step))
    if any(getattr(mapping, opened) != "off" for mapping in mappings):
        return
    schema, fields = schema_of(step), local_fields(step.local_type)
    for mapping in mappings:
        remote = schema.fields.get(mapping.remote_field) if schema else None
        local = fields.get(mapping.local_field)
        if opened == "way_out" and (remote is None or local is None or outbound_refusal(remote, local)):
            continue
        setattr(mapping, opened, getattr(mapping, other))
        mapping.save(update_fields=[opened])


def set_filter(
    *, step: SyncStep, actor: Actor, seen_version: int, side: str, tree: Filter | None, source: str = ""
) -> tuple[str, ...]:
    """Set or clear the filter for rows of Salesforce (``inbound``) or for our records (``outbound``)."""
    row = locked_step(step, seen_version)
    try:
        check_filter(tree, moves=side == "inbound")
    except BadFilter as mistake:
        raise Refused(str(mistake)) from mistake
    name = f"{side}_filter"
    before = {name: getattr(row, name)}
    setattr(row, name, to_dict(tree))
    after: dict[str, Any] = {name: to_dict(tree)} | ({"from": source} if source else {})
    return finish(row, actor=actor, action="filter_changed", before=before, after=after)


def set_status_map(*, step: SyncStep, actor: Actor, seen_version: int, pairs: dict[str, str]) -> None:
    """Set which status of Salesforce each of our states becomes (E08)."""
    row = locked_step(step, seen_version)
    if row.kind != StepKind.STATUS:
        raise Refused("This step has no statuses.")
    schema = schema_of(row)
    offered = {value for value, _ in schema.fields["Status"].picklist} if schema and "Status" in schema.fields else None
    unknown = [value for value in pairs.values() if value and offered is not None and value not in offered]
    if unknown:
        raise Refused(f"Salesforce has no status “{unknown[0][:80]}”.")
    before = {"value_map": row.value_map}
    row.value_map = {state: status for state, status in pairs.items() if status}
    finish(row, actor=actor, action="step_changed", before=before, after={"value_map": row.value_map})


def _direction_of(switches: Switches, present: str) -> str:
    inward = switches.create_local or switches.update_local
    outward = switches.create_remote or switches.update_remote
    if inward and outward:
        return "two_way"
    return "pull" if inward else "push" if outward else present


def _facts(step: SyncStep) -> dict[str, Any]:
    names = ("direction", "create_local", "update_local", "create_remote", "update_remote")
    return {name: getattr(step, name) for name in names}


def _next_position(profile: Profile) -> int:
    last = SyncStep.objects.filter(profile=profile).aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def _reordered(
    profile: Profile, actor: Actor, action: str, step: SyncStep, before: dict[str, Any], after: dict[str, Any]
) -> None:
    profile.version += 1
    profile.save(update_fields=["version"])
    audit(actor=actor, action=action, subject=f"Step {step_title(step)}", before=before, after=after)
    note_needed_fields(connection_of(profile))


def _listed(labels: tuple[str, ...]) -> str:
    quoted = [f"“{label}”" for label in labels]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
