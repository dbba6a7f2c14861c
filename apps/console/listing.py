"""What all list pages share: addresses that keep their filters, pages by key, and counts that stop in time."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.paging import Order, Page, count_up_to, page_of

CURSOR = "at"
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows with the addresses of its neighbours; ``count`` is in words."""

    rows: list[Any]
    newer: str
    older: str
    count: str


@dataclass(frozen=True, slots=True)
class Tab:
    """A saved view: a name for a set of filters."""

    label: str
    url: str
    is_current: bool


def address(request: HttpRequest, **changes: str) -> str:
    """This page with some parameters changed, back at its first rows; empty ones are left out."""
    kept = {name: value for name, value in request.GET.items() if name != CURSOR} | changes
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{request.path}?{query}" if query else request.path


def listing(
    request: HttpRequest, rows: "QuerySet[Any]", order: Order, *, count: str = "", size: int = PAGE_SIZE
) -> Listing:
    """The page that the request asks for."""
    page: Page[Model] = page_of(rows, order=order, cursor=request.GET.get(CURSOR, ""), size=size)
    return Listing(
        rows=page.rows,
        newer=address(request, **{CURSOR: page.previous}) if page.previous else "",
        older=address(request, **{CURSOR: page.next}) if page.next else "",
        count=count or count_words(rows),
    )


def count_words(rows: "QuerySet[Any]") -> str:
    """How many rows there are, counted no further than ten thousand."""
    return number_words(*count_up_to(rows))


def number_words(count: int, more: bool = False) -> str:
    """A count as people read it."""
    return f"{count:,}{'+' if more else ''}"


def tabs(request: HttpRequest, views: dict[str, dict[str, str]]) -> list[Tab]:
    """Saved views as links; the current one is the one whose filters are those of the address."""
    chosen = {name: value for name, value in request.GET.items() if name not in {CURSOR, "q", "sort"} and value}
    return [
        Tab(label, f"{request.path}?{urlencode(filters)}" if filters else request.path, filters == chosen)
        for label, filters in views.items()
    ]


def yes_no(value: str) -> bool | None:
    """A choice of yes, no or either."""
    return {"yes": True, "no": False}.get(value)
