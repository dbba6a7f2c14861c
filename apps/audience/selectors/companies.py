"""Companies: search and filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.audience.models import Company
from apps.core.paging import Order
from apps.core.search import begins_with, search_text

NEWEST = Order("newest", ("id",), (int,), descending=True)
BY_NAME = Order("name", ("name_key", "id"), (str, int))
ORDERS = {order.name: order for order in (BY_NAME, NEWEST)}
MOST_MATCHES = 1000


@dataclass(frozen=True, slots=True)
class CompanyFilter:
    """What companies are looked for; None and "" leave them all."""

    search: str = ""
    linked: bool | None = None
    active: bool | None = None
    source: str = ""


def companies(wanted: CompanyFilter) -> "QuerySet[Company]":
    """Companies under the filters, without the search."""
    rows: QuerySet[Company] = Company.objects.all()
    if wanted.linked is not None:
        rows = rows.exclude(leading_sobject="") if wanted.linked else rows.filter(leading_sobject="")
    if wanted.active is not None:
        rows = rows.filter(is_active=wanted.active)
    if wanted.source:
        rows = rows.filter(source=wanted.source)
    return rows


def matching_ids(wanted: CompanyFilter, *, also: Sequence[int] = ()) -> list[int]:
    """Ids of the companies whose name or domain begins with the search, in one question."""
    text = search_text(wanted.search)
    rows = companies(wanted)
    by_domain: Any = rows.exclude(domain="").filter(begins_with("domain", text.removeprefix("www."))).order_by("domain")
    by_name: Any = rows.filter(begins_with("name_key", text)).order_by("name_key")
    found = [by_name.values_list("id", flat=True)[:MOST_MATCHES], by_domain.values_list("id", flat=True)[:MOST_MATCHES]]
    if also:
        found.append(rows.filter(id__in=list(also)).order_by().values_list("id", flat=True))
    return sorted(found[0].union(*found[1:]))
