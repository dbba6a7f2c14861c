"""Refused writes: the error in words, and when, or after what, the change is tried again."""

import random
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from apps.domain.failures import Category, RowFailure
from apps.domain.retry import next_attempt
from apps.integrations.health import note_refusal
from apps.sync.local import MODELS
from apps.sync.models import EntryAction, RunEntry
from apps.sync.push.claims import LOCKED, Claimed, give_back, hold_back
from apps.sync.push.round import Round
from apps.sync_errors.services import ErrorFact, record_errors


def refuse(
    work: Round,
    claim: Claimed,
    failures: Sequence[RowFailure],
    *,
    sobject: str,
    remote_id: str = "",
    is_final: bool = False,
) -> None:
    """Write down why a record was refused, in the open transaction. What passes by itself is tried again, unless this
    was the last time; the rest is held until the record changes or a person releases it."""
    now = timezone.now()
    first = failures[0]
    again = next_attempt(first.category, claim.attempts, now=now, jitter=random.random())  # noqa: S311  # spreads load
    again = None if is_final else again
    facts = _facts(claim, failures, sobject=sobject, remote_id=remote_id, again=again)
    note_refusal(connection_id=work.connection.pk, category=first.category)
    record_errors(facts, connection_id=work.connection.pk, run_id=work.run.pk, at=now, way="out")
    RunEntry.objects.create(
        run_id=work.run.pk,
        sobject=sobject,
        remote_id=remote_id,
        local_type=claim.local_type,
        local_id=claim.local_id,
        action=EntryAction.FAILED,
        way="out",
        reason=first.category,
        at=now,
    )
    if again is None:
        hold_back(claim, first.message)
    else:
        reason = LOCKED if first.category is Category.ROW_LOCKED else first.message
        give_back([claim], due_at=again, reason=reason, counts=True)
    work.done.add(claim.local_id)
    work.failed += 1


def _facts(
    claim: Claimed, failures: Sequence[RowFailure], *, sobject: str, remote_id: str, again: datetime | None
) -> list[ErrorFact]:
    """The failures as sync errors of the record; they block it unless it is tried again."""
    record = MODELS[claim.local_type]._default_manager.filter(id=claim.local_id).first()
    return [
        ErrorFact(
            category=failure.category,
            message=failure.message,
            sobject=sobject,
            remote_id=remote_id,
            local_type=claim.local_type,
            local_id=claim.local_id,
            record_label=str(record) if record is not None else "",
            field=", ".join(failure.fields)[:120],
            raw=failure.raw,
            details={"matched_ids": list(failure.matched_ids)} if failure.matched_ids else {},
            next_attempt_at=again,
            is_blocked=again is None,
        )
        for failure in failures
    ]
