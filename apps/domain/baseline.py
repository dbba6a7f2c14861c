"""Packed baselines: an array in the order of a layout for the remote side, differences only for the local one."""

from collections.abc import Mapping, Sequence

from apps.domain.decider import Baseline
from apps.domain.mapping import FieldRule


def pack(
    rules: Sequence[FieldRule], values: Mapping[str, tuple[str | None, str | None]]
) -> tuple[list[str | None], dict[str, str | None] | None]:
    """(remote values in the rules' order, local values that differ from what the remote one means here)."""
    remote: list[str | None] = []
    local: dict[str, str | None] = {}
    for rule in rules:
        theirs, ours = values.get(rule.key, (None, None))
        remote.append(theirs)
        if ours != (None if theirs is None else rule.inward(theirs)):
            local[rule.key] = ours
    return remote, local or None


def unpack(
    rules: Sequence[FieldRule],
    layout: Sequence[str],
    remote: Sequence[str | None] | None,
    local: Mapping[str, str | None] | None,
) -> Baseline:
    """The baseline for today's rules from one packed under ``layout``: a field new since then is unknown."""
    theirs = dict(zip(layout, remote or (), strict=False))
    differing = local or {}
    ours: dict[str, str | None] = {}
    for rule in rules:
        value = theirs.get(rule.key)
        ours[rule.key] = differing.get(rule.key, None if value is None else rule.inward(value))
    return Baseline({rule.key: theirs.get(rule.key) for rule in rules}, ours)
