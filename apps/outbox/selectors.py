"""Reading what waits for Salesforce."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet

from apps.core.paging import Order, count_up_to
from apps.outbox.models import OutboundChange

OLDEST = Order("oldest", ("id",), (int,))
"""By the order in which changes were queued: the primary key's."""


class ChangeState(StrEnum):
    """Where a change stands."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which changes are looked for; "" and None leave them all. ``records`` are ids by record type."""

    state: str = ""
    records: Mapping[str, Sequence[int]] | None = None


def outbound_changes(wanted: QueueFilter) -> "QuerySet[OutboundChange]":
    """Changes under the filters, for paging."""
    rows: QuerySet[OutboundChange] = OutboundChange.objects.all()
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.records is None:
        return rows
    found = Q(pk__in=[])
    for local_type, ids in wanted.records.items():
        found |= Q(local_type=local_type, local_id__in=list(ids))
    return rows.filter(found)


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many changes stand so, counted no further than ten thousand."""

    state: ChangeState
    count: int
    has_more: bool


def counts_by_state() -> list[StateCount]:
    """How many changes stand where."""
    return [StateCount(state, *count_up_to(outbound_changes(QueueFilter(state=state)))) for state in ChangeState]


def change_of(local_type: str, local_id: int) -> OutboundChange | None:
    """What waits of one record."""
    found: OutboundChange | None = OutboundChange.objects.filter(local_type=local_type, local_id=local_id).first()
    return found
