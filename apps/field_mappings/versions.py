"""Mapping versions: the active profile compiled for the decider, and back; and the layouts of baselines."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from apps.audience.fields import local_field
from apps.domain.filters import from_dict
from apps.domain.mapping import Direction, FieldRule, Step, Way, Winner
from apps.domain.relative_dates import has_relative
from apps.domain.values import FieldType
from apps.field_mappings.compatibility import pause_reason
from apps.field_mappings.models import (
    BaselineLayout,
    FieldMapping,
    MappingVersion,
    Profile,
    ProfileKind,
    StepKind,
    SyncStep,
)
from apps.integrations.metadata import Schema, cached_schemas, user_zone
from apps.integrations.models import Connection


def save_version(connection: Connection) -> MappingVersion:
    """Compile the active profile against the cached describes; an unchanged one gives the version there is.

    A mapping whose field is absent from the describe is left out and keeps its reason: absent is never blank.
    """
    profile = Profile.objects.get(connection=connection, is_active=True)
    steps = SyncStep.objects.filter(profile=profile, is_enabled=True, kind=StepKind.RECORD).order_by("position")
    compiled = compile_steps(connection, steps)
    document = {"steps": _paired(compiled) if profile.kind == ProfileKind.DEFAULT else compiled}
    latest = _latest(connection)
    if latest is None or latest.document != document:
        # Runs that begin at once take turns.
        Profile.objects.select_for_update().get(id=profile.pk)
        latest = _latest(connection)
    if latest is not None and latest.document == document:
        return latest
    number = latest.number + 1 if latest is not None else 1
    made: MappingVersion = MappingVersion.objects.create(connection=connection, number=number, document=document)
    return made


def _latest(connection: Connection) -> MappingVersion | None:
    return MappingVersion.objects.filter(connection=connection).order_by("-number").first()


def compile_steps(connection: Connection, steps: Iterable[SyncStep]) -> list[dict[str, Any]]:
    """Steps with their rules, as plain data."""
    steps = list(steps)
    schemas = cached_schemas(connection, {step.sobject for step in steps})
    mappings: dict[int, list[FieldMapping]] = {step.pk: [] for step in steps}
    for mapping in FieldMapping.objects.filter(step__in=steps).order_by("position", "id"):
        mappings[mapping.step_id].append(mapping)
    return [_compiled(connection, step, mappings[step.pk], schemas.get(step.sobject)) for step in steps]


def _compiled(
    connection: Connection, step: SyncStep, mappings: Iterable[FieldMapping], schema: Schema | None
) -> dict[str, Any]:
    rules = []
    for mapping in mappings:
        reason = pause_reason(schema, mapping.remote_field, local_field(step.local_type, mapping.local_field))
        if reason != mapping.paused_reason:
            mapping.paused_reason = reason
            mapping.save(update_fields=["paused_reason"])
        if schema is None or reason:
            continue
        remote = schema.fields[mapping.remote_field]
        rules.append(
            {
                "remote_field": mapping.remote_field,
                "remote_type": remote.type,
                "local_field": mapping.local_field,
                "way_in": mapping.way_in,
                "way_out": mapping.way_out,
                "winner": mapping.winner,
                "scale": _scale(remote.type, remote.scale),
                "value_map": mapping.value_map,
                "is_key": mapping.is_key,
            }
        )
    return {
        "sobject": step.sobject,
        "local_type": step.local_type,
        "direction": step.direction,
        "position": step.position,
        "create_local": step.create_local,
        "update_local": step.update_local,
        "create_remote": step.create_remote,
        "update_remote": step.update_remote,
        "excludes_updates": step.excludes_updates,
        "inbound_filter": step.inbound_filter,
        "outbound_filter": step.outbound_filter,
        "rules": rules,
        **({"zone": user_zone(connection)} if has_relative([from_dict(step.inbound_filter)]) else {}),
    }


def _paired(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Default profile has a step for each direction; a linked pair has one step, so two of an sObject are one."""
    found: dict[str, dict[str, Any]] = {}
    for step in steps:
        first = found.setdefault(step["sobject"], step)
        if first is not step:
            found[step["sobject"]] = _both_ways(first, step)
    return list(found.values())


def _both_ways(pull: dict[str, Any], push: dict[str, Any]) -> dict[str, Any]:
    ways_out = {(rule["remote_field"], rule["local_field"]): rule["way_out"] for rule in push["rules"]}
    rules = [
        {**rule, "way_out": ways_out.get((rule["remote_field"], rule["local_field"]), "off")} for rule in pull["rules"]
    ]
    return {
        **pull,
        "direction": "two_way",
        "create_remote": push["create_remote"],
        "update_remote": push["update_remote"],
        "outbound_filter": push["outbound_filter"],
        "rules": rules,
    }


def _scale(field_type: str, scale: int) -> int | None:
    """Digits after the point to which values are rounded; whole numbers have none."""
    if field_type in {"currency", "double", "percent"}:
        return scale
    return 0 if field_type in {"int", "long"} else None


def load_steps(document: dict[str, Any]) -> list[Step]:
    """The steps of a version as the decider reads them, in order."""
    return [
        Step(
            **{
                **step,
                "direction": Direction(step["direction"]),
                "inbound_filter": from_dict(step["inbound_filter"]),
                "outbound_filter": from_dict(step["outbound_filter"]),
                "rules": tuple(
                    FieldRule(
                        **{
                            **rule,
                            "remote_type": FieldType(rule["remote_type"]),
                            "way_in": Way(rule["way_in"]),
                            "way_out": Way(rule["way_out"]),
                            "winner": Winner(rule["winner"]),
                        }
                    )
                    for rule in step["rules"]
                ),
            }
        )
        for step in document["steps"]
    ]


def layout_for(rules: Sequence[FieldRule]) -> BaselineLayout:
    """The layout of these rules; equal sets in equal order share one."""
    keys = [rule.key for rule in rules]
    digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    layout, _ = BaselineLayout.objects.get_or_create(digest=digest, defaults={"keys": keys})
    found: BaselineLayout = layout
    return found
