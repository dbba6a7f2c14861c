"""What a step would do with one record, field by field, from what is known here: nothing asks Salesforce."""

from dataclasses import dataclass

from apps.audience.fields import RECORD_COLUMNS, local_label
from apps.audience.models import Record
from apps.domain.baseline import unpack
from apps.domain.decider import REASON_WORDS, BlankPolicy, FieldDecision, Reason, decide_fields
from apps.domain.mapping import Step, Way
from apps.field_mappings.models import BaselineLayout, SyncStep
from apps.field_mappings.versions import compile_steps, load_steps
from apps.integrations.models import Connection
from apps.sync.models import RecordLink
from apps.sync.selectors.why_record import local_values, refusals_of_creation
from apps.sync_settings.models import SyncSettings


@dataclass(frozen=True, slots=True)
class FieldPreview:
    """One field pair: what each side holds as far as is known, and what a sync would make of it."""

    remote_field: str
    local_label: str
    remote: str | None
    local: str | None
    outcome: str
    reason: str
    tone: str


@dataclass(frozen=True, slots=True)
class RecordPreview:
    """A record under a step. ``remote_id`` is "" where it is not linked with a row of the step's sObject."""

    remote_id: str
    fields: list[FieldPreview]
    note: str = ""


def preview_of(connection: Connection, step: SyncStep, record: Record, local_type: str) -> RecordPreview:
    """What the step as it is saved now would do with a record."""
    rules = load_steps({"steps": compile_steps(connection, [step])})[0]
    values = local_values(connection, local_type, record, [rules])
    link = RecordLink.objects.filter(
        connection_id=connection.pk,
        sobject=step.sobject,
        is_live=True,
        is_leading=True,
        **{RECORD_COLUMNS[local_type]: record.pk},
    ).first()
    if link is None:
        refused = refusals_of_creation(connection, local_type, record, [rules])
        note = f"It is not linked with a {step.sobject}. " + (
            f"None would be made: {refused}" if refused else "One would be made in Salesforce at its next change."
        )
        return RecordPreview(
            "", [_unlinked(rules, number, values, local_type) for number in range(len(rules.rules))], note
        )
    layout = BaselineLayout.objects.filter(id=link.layout_id).first() if link.layout_id else None
    base = unpack(rules.rules, layout.keys if layout else (), link.base_remote, link.base_local)
    remote = {rule.remote_field: base.remote.get(rule.key) for rule in rules.rules}
    settings = SyncSettings.objects.filter(connection=connection).first()
    blanks = BlankPolicy(settings.blank_in, settings.blank_out) if settings else BlankPolicy()
    decided = decide_fields(rules, base=base, remote=remote, local=values, blanks=blanks)
    fields = [
        _linked(
            rule.remote_field,
            local_label(local_type, rule.local_field),
            remote.get(rule.remote_field),
            values.get(rule.local_field),
            decided[rule.key],
        )
        for rule in rules.rules
    ]
    return RecordPreview(link.remote_id, fields)


def _linked(
    remote_field: str, label: str, remote: str | None, local: str | None, decision: FieldDecision
) -> FieldPreview:
    if decision.reason is Reason.UNKNOWN:
        words = "Salesforce's value is read at the next sync; it is not known here yet."
        return FieldPreview(remote_field, label, remote, local, "Not known yet", words, "off")
    reason = REASON_WORDS[decision.reason]
    if decision.remote is not None:
        outcome, tone = f"“{decision.remote or 'empty'}” goes to Salesforce", "busy"
    elif decision.local is not None:
        outcome, tone = f"“{decision.local or 'empty'}” comes here", "busy"
    else:
        outcome, tone = "Nothing changes", "off" if decision.reason is Reason.OFF else "ok"
    return FieldPreview(remote_field, label, remote, local, outcome, reason, tone)


def _unlinked(step: Step, number: int, values: dict[str, str], local_type: str) -> FieldPreview:
    rule = step.rules[number]
    local = values.get(rule.local_field)
    sends = step.create_remote and step.sends(rule) and rule.way_out is not Way.OFF
    outcome = "Goes with the new row" if sends and local else "Nothing is sent"
    return FieldPreview(
        rule.remote_field,
        local_label(local_type, rule.local_field),
        None,
        local,
        outcome,
        "",
        "busy" if sends and local else "off",
    )
