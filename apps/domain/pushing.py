"""Pushing: which row a record of ours becomes, what it is made with, and what a write that came back means."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.domain.decider import Baseline
from apps.domain.failures import Category
from apps.domain.filters import evaluate
from apps.domain.mapping import Step
from apps.domain.reconcile import RecordState
from apps.domain.rows import OPT_OUT


def creating_step(steps: Iterable[Step], values: Mapping[str, str | None], *, has_account: bool) -> Step | None:
    """The step that makes the row of an unlinked record: the first by position whose outbound filter admits it.

    Where both are allowed a person becomes a Contact if their company is an Account there, and a Lead otherwise.
    """
    admitting = [
        step
        for step in steps
        if step.pushes
        and step.create_remote
        and (step.outbound_filter is None or evaluate(step.outbound_filter, values))
    ]
    wanted = "Contact" if has_account else "Lead"
    if {step.sobject for step in admitting} >= {"Contact", "Lead"}:
        admitting = [step for step in admitting if step.sobject not in {"Contact", "Lead"} or step.sobject == wanted]
    return admitting[0] if admitting else None


def may_write(step: Step, values: Mapping[str, str | None]) -> bool:
    """Whether the step lets this record's values go out to the row it is linked with."""
    if not (step.pushes and step.update_remote):
        return False
    return step.outbound_filter is None or evaluate(step.outbound_filter, values)


@dataclass(frozen=True, slots=True)
class Creation:
    """A row to be made: values by remote field, and the baseline that holds once it is there. ``missing`` names
    required fields without a value: then nothing is sent."""

    values: Mapping[str, str]
    base_after: Mapping[str, tuple[str | None, str | None]]
    missing: tuple[str, ...] = ()
    defaulted: Mapping[str, str] = field(default_factory=dict)


def creation(
    record: RecordState,
    step: Step,
    *,
    required: Collection[str],
    defaults: Mapping[str, str],
    writable: Collection[str],
) -> Creation:
    """What a record becomes there. ``required`` and ``writable`` are remote fields by the describe; ``defaults``
    (B10) stand in for required values that are missing, and are not believed to be ours afterwards."""
    values: dict[str, str] = {}
    after: dict[str, tuple[str | None, str | None]] = {}
    for rule in step.rules:
        ours = record.values.get(rule.local_field)
        if ours is None or not step.sends(rule) or rule.remote_field not in writable:
            continue
        theirs = rule.outward(ours)
        after[rule.key] = (theirs, ours)
        if theirs != "":
            values[rule.remote_field] = theirs
    defaulted = {name: text for name, text in defaults.items() if name in writable and name not in values and text}
    # A default is Salesforce's value, not ours: the ordinary pull brings it in, or not, as the mapping says.
    for rule in step.rules:
        if rule.remote_field in defaulted:
            after[rule.key] = (defaulted[rule.remote_field], record.values.get(rule.local_field))
    if record.opted_out and OPT_OUT in writable:
        values[OPT_OUT] = "true"
    missing = tuple(sorted(set(required) - values.keys() - defaulted.keys()))
    return Creation({**values, **defaulted}, after, missing, defaulted)


def base_after_write(
    base: Baseline,
    after: Mapping[str, tuple[str | None, str | None]],
    *,
    seen: datetime | None,
    known: datetime | None,
) -> Baseline:
    """The baseline once a write has succeeded. ``seen`` is the stamp of the row that was judged, ``known`` the one
    applied last: where a newer row has been applied meanwhile, it has taken the write into account."""
    if seen is not None and known is not None and known > seen:
        return base
    remote, local = dict(base.remote), dict(base.local)
    for key, (theirs, ours) in after.items():
        remote[key], local[key] = theirs, ours
    return Baseline(remote, local)


_INSTANT = timedelta(microseconds=1)


def stamp_after_write(*, seen: datetime | None, read_at: datetime, known: datetime | None) -> datetime | None:
    """The stamp below which a row is older than our write: a page that was fetched before it must not be taken for
    news. Stamps are whole seconds, so nothing is said where the row had changed in the very second of the reading."""
    if seen is None or seen >= read_at.replace(microsecond=0):
        return known
    return max(known, seen + _INSTANT) if known is not None else seen + _INSTANT


def is_settled(*, claimed: int, present: int) -> bool:
    """Whether a waiting change is done with: one that was folded into since it was claimed goes on waiting."""
    return claimed == present


NEWS = frozenset({Category.RECORD_DELETED, Category.CONVERTED_LEAD})
"""Refusals that are news about the row, not a failure of the write: the row is read again."""
