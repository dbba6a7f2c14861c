"""What the services themselves note about people, as rows of the timeline that rules claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apps.audience.models import Engagement, EventKind
from apps.core.bulk import insert_rows
from apps.core.queue import wake
from apps.outbox.queue import PUSH_TASK, ring
from apps.tenants.scope import current_tenant_id

_COLUMNS = (
    "tenant_id",
    "person_id",
    "kind",
    "happened_at",
    "received_at",
    "subject",
    "details",
    "origin",
    "points",
    "score",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was done with a person here."""

    person_id: int
    kind: EventKind
    subject: str
    details: Mapping[str, Any] = field(default_factory=dict)
    points: int = 0
    score: int = 0


def note_facts(facts: Sequence[Fact], *, origin: str, at: datetime) -> None:
    """Write facts down in one statement, and have them looked at."""
    if not facts:
        return
    insert_rows(
        [
            Engagement(
                tenant_id=current_tenant_id(),
                person_id=fact.person_id,
                kind=fact.kind,
                happened_at=at,
                received_at=at,
                subject=fact.subject[:255],
                details=dict(fact.details),
                origin=origin,
                points=fact.points,
                score=fact.score,
            )
            for fact in facts
        ],
        _COLUMNS,
    )
    call_attention(at=at)


def call_attention(*, at: datetime) -> None:
    """Have what was noted looked at by rules and by the engine, once the transaction has committed."""
    ring(at=at)
    wake(PUSH_TASK, current_tenant_id(), queue="routine")
