"""Why did this not sync? Every gate in the order in which the engine asks, passed, failed or not applicable (G07)."""

from collections.abc import Sequence

from django.utils import timezone

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import Record
from apps.domain.mapping import Step
from apps.domain.values import normalize_id
from apps.integrations.models import Connection, ObjectMetadata
from apps.sync.local import MODELS
from apps.sync.models import RecordLink, Watermark
from apps.sync.selectors.gates import (
    Detail,
    Door,
    Gate,
    Verdict,
    connection_gate,
    connection_gates,
    moment_words,
    not_asked,
    switch_gate,
)
from apps.sync.selectors.links import record_behind
from apps.sync.selectors.steps import active_steps, may_create
from apps.sync.selectors.why_record import record_gates, refusals_of_creation
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.sync_settings.models import SyncSettings

_STEPS = Door("console:profiles", "Open the steps")


def why(connection: Connection | None, *, local_type: str, record_id: int) -> list[Gate]:
    """Every gate for one record of ours."""
    gates = connection_gates(connection, timezone.now())
    record: Record | None = MODELS[local_type]._default_manager.filter(id=record_id).first()
    if connection is None or record is None:
        return gates
    return [*gates, *record_gates(connection, local_type, record, active_steps(connection, local_type))]


def why_remote(connection: Connection | None, *, remote_id: str) -> list[Gate]:
    """Every gate for one row of Salesforce by its id (15 or 18 characters); one that is linked is told as its
    record. Raises Unreadable for what is no id."""
    wanted = normalize_id(remote_id.strip())
    found = record_behind(connection, wanted)
    if found is not None:
        return why(connection, local_type=found[0], record_id=found[1])
    gates = connection_gates(connection, timezone.now())
    return gates if connection is None else [*gates, *_unlinked_gates(connection, wanted)]


def why_not_now(connection: Connection | None, *, local_type: str, record: Record) -> str:
    """Why "Sync now" cannot be pressed for a record, in words; "" where it can."""
    first = connection_gate(connection)
    if connection is None or first.verdict is Verdict.FAILED:
        return first.finding
    switch = switch_gate(SyncSettings.objects.filter(connection=connection).first())
    if switch.verdict is Verdict.FAILED:
        return "Syncs are switched off."
    links = RecordLink.objects.filter(connection_id=connection.pk, **{RECORD_COLUMNS[local_type]: record.pk})
    if links.exists():
        return ""
    steps = active_steps(connection, local_type)
    if not may_create(steps):
        return "It is not in Salesforce, and no step creates records there."
    refused = refusals_of_creation(connection, local_type, record, steps)
    return f"It is not in Salesforce, and no step admits it: {refused}" if refused else ""


# -- a row that no record is linked with ------------------------------------------------------------------------


def _unlinked_gates(connection: Connection, remote_id: str) -> list[Gate]:
    sobject = _sobject_of(connection, remote_id)
    steps = [step for step in active_steps(connection) if step.sobject == sobject]
    gates = [_object_gate(remote_id, sobject, steps)]
    if steps:
        gates += [_direction_gate(steps), _filter_gate(steps)]
    gates += [_no_link_gate(steps), _error_gate(connection, remote_id)]
    return [*gates, _watermark_gate(connection, sobject)] if sobject else gates


def _sobject_of(connection: Connection, remote_id: str) -> str:
    """What an id is of: its first three characters are the object's key prefix (Object Reference, "Id")."""
    rows = ObjectMetadata.objects.filter(connection=connection, schema__key_prefix=remote_id[:3])
    return str(rows.values_list("sobject", flat=True).first() or "")


def _object_gate(remote_id: str, sobject: str, steps: Sequence[Step]) -> Gate:
    title = "Its object is synced"
    if not sobject:
        finding = f"No object that Syncline has read has ids beginning with {remote_id[:3]}."
        return Gate("object", title, Verdict.FAILED, finding, door=_STEPS)
    if not steps:
        return Gate("object", title, Verdict.FAILED, f"No step syncs {sobject}.", door=_STEPS)
    return Gate("object", title, Verdict.PASSED, f"It is a row of {sobject}.")


def _direction_gate(steps: Sequence[Step]) -> Gate:
    title = "A step brings rows in"
    makers = [step for step in steps if step.pulls and step.create_local]
    if makers:
        return Gate("step", title, Verdict.PASSED, f"Step {makers[0].position + 1} makes records of new rows.")
    if any(step.pulls for step in steps):
        finding = "The steps only change records that are here already: creating records here is off."
    else:
        finding = "The steps only push to Salesforce."
    return Gate("step", title, Verdict.FAILED, finding, door=_STEPS)


def _filter_gate(steps: Sequence[Step]) -> Gate:
    title = "The filter admits it"
    if any(step.pulls and step.inbound_filter is None for step in steps):
        return Gate("filter", title, Verdict.PASSED, "The step has no filter.")
    finding = "The row has never been brought in, so what the filter looks at is not known here. Compare it there."
    return Gate("filter", title, Verdict.NOT_APPLICABLE, finding)


def _no_link_gate(steps: Sequence[Step]) -> Gate:
    finding = "No record here is linked with this row."
    if steps:
        finding += " It is left out by a filter, hidden from the sync user, newer than the last sync, or refused."
    return Gate("link", "It is linked", Verdict.FAILED, finding)


def _error_gate(connection: Connection, remote_id: str) -> Gate:
    title = "No open error"
    rows = SyncError.objects.filter(connection_id=connection.pk, remote_id=remote_id, state__in=LIVE_STATES)
    details = [Detail(row.category.replace("_", " "), row.message, Verdict.FAILED) for row in rows.order_by("-id")[:10]]
    if not details:
        return Gate("error", title, Verdict.PASSED, "No error is open about it.")
    return Gate(
        "error", title, Verdict.FAILED, "It was refused.", details, door=Door("console:errors-list", "See the errors")
    )


def _watermark_gate(connection: Connection, sobject: str) -> Gate:
    title = "It was there when we last looked"
    mark = Watermark.objects.filter(connection_id=connection.pk, sobject=sobject).first()
    if mark is None:
        return not_asked("stamps", title, f"{sobject} has not been read yet.")
    finding = f"Changes of {sobject} up to {moment_words(mark.covered_to)} are in; later ones come with the next sync."
    return not_asked("stamps", title, finding)
