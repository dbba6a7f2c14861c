"""Sequence status and inbox state as the status of a lead, through the value map of a step (E08).

Written once, when our state changes: what a Salesforce user sets afterwards stays until it changes again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from apps.audience.models import Record
from apps.domain.automatic import STATES
from apps.domain.ports import ObjectSchema
from apps.domain.writing import refusals, writable
from apps.field_mappings.selectors import ExtraStep
from apps.sync_errors.services import ErrorFact, record_errors

__all__ = ["LEAD", "STATES", "STATUS", "status_of", "status_values"]

LEAD, STATUS = "Lead", "Status"


def status_of(record: Record, waiting: Mapping[str, Mapping[str, Any]], steps: Sequence[ExtraStep]) -> str:
    """The status that the state which changed last stands for; "" where none of the changed ones has one."""
    changed = [step for step in steps if step.sobject == LEAD and step.source in waiting]
    for step in sorted(changed, key=lambda one: str(waiting[one.source].get("at", "")), reverse=True):
        status = step.value_map.get(str(getattr(record, step.source, "")), "")
        if status:
            return status
    return ""


def status_values(
    schema: ObjectSchema, status: str, held: str | None, *, connection_id: int, run_id: int
) -> dict[str, str]:
    """The status to write, if the row holds another. One that the org does not have is one error for all leads."""
    if not status or held is None or status == held:
        return {}
    values = writable(schema, {STATUS: status})
    refused = refusals(schema, values)
    if not refused:
        return values
    facts = [
        ErrorFact(category=one.category, message=one.message, sobject=LEAD, field=STATUS, raw=one.raw)
        for one in refused
    ]
    record_errors(facts, connection_id=connection_id, run_id=run_id, at=timezone.now(), way="out")
    return {}
