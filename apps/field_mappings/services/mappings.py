"""Field mappings: add, change several at once, remove, translate values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.audience.fields import LocalField
from apps.domain.mapping import Way, Winner
from apps.field_mappings.catalogue import is_kept, label_of, local_fields
from apps.field_mappings.compatibility import inbound_refusal, outbound_refusal, pair_refusal
from apps.field_mappings.models import FieldMapping, StepKind, SyncStep
from apps.field_mappings.services.editing import Refused, check_direction, finish, locked_step, schema_of
from apps.integrations.metadata import Schema
from apps.tenants.actors import Actor

MOST_MAPPINGS = 500
MOST_PAIRS = 500
_LONGEST_VALUE = 255


@dataclass(frozen=True, slots=True)
class Ways:
    """What a mapping does each way, and who wins."""

    way_in: Way
    way_out: Way
    winner: Winner

    def as_dict(self) -> dict[str, str]:
        return {"way_in": self.way_in.value, "way_out": self.way_out.value, "winner": self.winner.value}


PUSH = (Way.OFF, Way.OVERWRITE)
PULL = (Way.OVERWRITE, Way.OFF)
TWO_WAY = (Way.OVERWRITE, Way.OVERWRITE)


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of a change: labels of required fields because of which creating in Salesforce went off."""

    changed: int
    missing: tuple[str, ...] = ()


def add_mapping(
    *, step: SyncStep, actor: Actor, seen_version: int, remote_field: str, local_field: str, ways: Ways
) -> FieldMapping:
    """Map two fields. Raises Refused with the reason where they do not fit, or one is mapped already."""
    row = locked_step(step, seen_version)
    _check_kind(row)
    schema, fields = schema_of(row), local_fields(row.local_type)
    if schema is None:
        raise Refused("The fields of this object have not been read from Salesforce yet. Try again in a moment.")
    if remote_field not in schema.fields:
        raise Refused("Choose a field of Salesforce.")
    if local_field not in fields:
        raise Refused("Choose a field of Syncline.")
    reason = pair_refusal(schema.fields[remote_field], fields[local_field])
    if reason:
        raise Refused(reason)
    present = list(FieldMapping.objects.filter(step=row).order_by("position", "id"))
    if len(present) >= MOST_MAPPINGS:
        raise Refused(f"A step has at most {MOST_MAPPINGS} mappings.")
    if any((one.remote_field, one.local_field) == (remote_field, local_field) for one in present):
        raise Refused("These two fields are mapped already.")
    made = FieldMapping(
        step=row,
        position=max((one.position for one in present), default=-1) + 1,
        remote_field=remote_field,
        local_field=local_field,
        **ways.as_dict(),
    )
    if ways.way_in is Way.OFF and ways.way_out is Way.OFF:
        raise Refused("Choose at least one way, or nothing is synced.")
    _check([*present, made], [made], row, schema, fields)
    made.save()
    facts = {"Salesforce field": remote_field, "Syncline field": local_field, **ways.as_dict()}
    finish(row, actor=actor, action="mapping_added", before={}, after=facts)
    return made


def change_mappings(*, step: SyncStep, actor: Actor, seen_version: int, changes: Mapping[int, Ways]) -> Saved:
    """Change the ways and winners of several mappings, all or none; Refused names each that cannot be so."""
    row = locked_step(step, seen_version)
    _check_kind(row)
    schema, fields = schema_of(row), local_fields(row.local_type)
    present = list(FieldMapping.objects.filter(step=row).order_by("position", "id"))
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    touched = []
    for mapping in present:
        wanted = changes.get(mapping.pk)
        if wanted is None or _ways_of(mapping) == wanted.as_dict():
            continue
        before[str(mapping)], after[str(mapping)] = _ways_of(mapping), wanted.as_dict()
        for name, value in wanted.as_dict().items():
            setattr(mapping, name, value)
        touched.append(mapping)
    _check(present, touched, row, schema, fields)
    if not touched:
        return Saved(0)
    FieldMapping.objects.bulk_update(touched, ["way_in", "way_out", "winner"])
    missing = finish(row, actor=actor, action="mappings_changed", before=before, after=after)
    return Saved(len(touched), missing)


def remove_mappings(*, step: SyncStep, actor: Actor, seen_version: int, ids: Iterable[int]) -> Saved:
    """Remove mappings; values stay as they are on both sides. Keys and fields that every step needs stay (C08)."""
    row = locked_step(step, seen_version)
    fields = local_fields(row.local_type)
    chosen = list(FieldMapping.objects.filter(step=row, id__in=list(ids)))
    kept = {one.pk: _kept_words(one, fields) for one in chosen if is_kept(one, row.local_type)}
    if kept:
        raise Refused(next(iter(kept.values())), kept)
    if not chosen:
        return Saved(0)
    before = {str(one): _ways_of(one) for one in chosen}
    FieldMapping.objects.filter(id__in=[one.pk for one in chosen]).delete()
    missing = finish(row, actor=actor, action="mappings_removed", before=before, after={})
    return Saved(len(chosen), missing)


def set_value_map(*, mapping: FieldMapping, actor: Actor, seen_version: int, pairs: Sequence[tuple[str, str]]) -> None:
    """Translate values: (in Salesforce, here) pairs; a value without a pair goes as it is (C11)."""
    row = locked_step(mapping.step, seen_version)
    kept = [(theirs.strip(), ours.strip()) for theirs, ours in pairs if theirs.strip() or ours.strip()]
    if len(kept) > MOST_PAIRS:
        raise Refused(f"A mapping translates at most {MOST_PAIRS} values.")
    for theirs, ours in kept:
        if not theirs or not ours:
            raise Refused(f"Enter both sides of “{theirs or ours}”, or neither.")
        if max(len(theirs), len(ours)) > _LONGEST_VALUE:
            raise Refused(f"A value has at most {_LONGEST_VALUE} characters.")
    twice = [theirs for theirs, count in Counter(theirs for theirs, _ in kept).items() if count > 1]
    if twice:
        raise Refused(f"“{twice[0]}” is translated twice.")
    schema = schema_of(row)
    field = schema.fields.get(mapping.remote_field) if schema else None
    offered = {value for value, _ in field.picklist} if field and field.restricted else None
    for theirs, _ in kept:
        if offered is not None and theirs not in offered:
            raise Refused(f"“{theirs}” is not among the values that Salesforce allows in this picklist.")
    before = {"value_map": mapping.value_map}
    mapping.value_map = dict(kept)
    mapping.save(update_fields=["value_map"])
    finish(row, actor=actor, action="values_translated", before=before, after={"value_map": mapping.value_map})


def _ways_of(mapping: FieldMapping) -> dict[str, str]:
    return {"way_in": mapping.way_in, "way_out": mapping.way_out, "winner": mapping.winner}


def _check_kind(step: SyncStep) -> None:
    if step.kind != StepKind.RECORD:
        raise Refused("This step has no field mappings.")


def _kept_words(mapping: FieldMapping, fields: Mapping[str, LocalField]) -> str:
    label = label_of(fields, mapping.local_field)
    if mapping.is_key:
        return f"“{label}” finds the same record on both sides, so it cannot be removed."
    return f"“{label}” is needed in every step of this kind, so it cannot be removed."


def _check(
    present: Sequence[FieldMapping],
    touched: Sequence[FieldMapping],
    step: SyncStep,
    schema: Schema | None,
    fields: Mapping[str, LocalField],
) -> None:
    """Refuse ways that the fields do not have, two mappings into one field, and a key that is not synced."""
    into = Counter(one.local_field for one in present if one.way_in != Way.OFF)
    out = Counter(one.remote_field for one in present if one.way_out != Way.OFF)
    wrong: dict[int, str] = {}
    for mapping in touched:
        reason = _wrong(mapping, step, schema, fields) or _twice(mapping, into, out, fields)
        if reason:
            wrong[mapping.pk or 0] = reason
    if wrong:
        raise Refused(next(iter(wrong.values())), wrong)


def _wrong(mapping: FieldMapping, step: SyncStep, schema: Schema | None, fields: Mapping[str, LocalField]) -> str:
    local = fields.get(mapping.local_field)
    remote = schema.fields.get(mapping.remote_field) if schema else None
    if mapping.way_in == Way.OFF and mapping.way_out == Way.OFF and is_kept(mapping, step.local_type):
        return (
            f"“{label_of(fields, mapping.local_field)}” is needed in every step of this kind: choose at least one way."
        )
    if mapping.way_out != Way.OFF:
        check_direction(step.sobject, writes=True)
    if local is None or remote is None:
        return ""
    if mapping.way_in != Way.OFF and (reason := inbound_refusal(remote, local)):
        return reason
    return outbound_refusal(remote, local) if mapping.way_out != Way.OFF else ""


def _twice(mapping: FieldMapping, into: Counter[str], out: Counter[str], fields: Mapping[str, LocalField]) -> str:
    if mapping.way_in != Way.OFF and into[mapping.local_field] > 1:
        return f"“{label_of(fields, mapping.local_field)}” already takes the value of another field of Salesforce."
    if mapping.way_out != Way.OFF and out[mapping.remote_field] > 1:
        return f"“{mapping.remote_field}” in Salesforce already takes the value of another field."
    return ""
