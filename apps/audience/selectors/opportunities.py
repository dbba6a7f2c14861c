"""Opportunities: search, filters, and who plays which part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.audience.models import Opportunity, OpportunityContactRole
from apps.core.paging import Order
from apps.core.search import begins_with, search_text

NEWEST = Order("newest", ("id",), (int,), descending=True)
BY_NAME = Order("name", ("name_key", "id"), (str, int))
ORDERS = {order.name: order for order in (NEWEST, BY_NAME)}
MOST_MATCHES = 1000


@dataclass(frozen=True, slots=True)
class OpportunityFilter:
    """What opportunities are looked for; None and "" leave them all."""

    search: str = ""
    stage: str = ""
    closed: bool | None = None
    company_id: int | None = None


def opportunities(wanted: OpportunityFilter) -> "QuerySet[Opportunity]":
    """Opportunities under the filters, without the search."""
    rows: QuerySet[Opportunity] = Opportunity.objects.all()
    if wanted.stage:
        rows = rows.filter(stage=wanted.stage)
    if wanted.closed is not None:
        rows = rows.filter(is_closed=wanted.closed)
    if wanted.company_id is not None:
        rows = rows.filter(company_id=wanted.company_id)
    return rows


def matching_ids(wanted: OpportunityFilter, *, also: Sequence[int] = ()) -> list[int]:
    """Ids of the opportunities whose name begins with the search."""
    rows = opportunities(wanted)
    found: Any = rows.filter(begins_with("name_key", search_text(wanted.search))).order_by("name_key")
    ids = set(found.values_list("id", flat=True)[:MOST_MATCHES])
    if also:
        ids |= set(rows.filter(id__in=list(also)).values_list("id", flat=True))
    return sorted(ids)


def stages() -> list[str]:
    """Stages in use, for the filter."""
    rows = Opportunity.objects.exclude(stage="").order_by("stage").values_list("stage", flat=True)
    return list(rows.distinct()[:50])


def roles_in(opportunity: Opportunity, limit: int = 100) -> list[OpportunityContactRole]:
    """Who has a part in an opportunity, the primary contact first."""
    rows = OpportunityContactRole.objects.filter(opportunity_id=opportunity.pk, is_active=True)
    return list(rows.select_related("person").order_by("-is_primary", "id")[:limit])
