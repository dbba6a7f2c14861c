"""What the lists of people and companies share: saved filters beside the built-in views, and pages of a filter that
says how far it has looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from apps.audience.models import SavedFilter
from apps.audience.selectors.saved_filters import Found, Sieve, matching, saved_filters
from apps.console.listing import CURSOR, PAGE_SIZE, Listing, Tab, address, listing, number_words
from apps.core.paging import Order

FILTER = "filter"
AREAS = {"people": "person", "companies": "company"}
"""Record types by the area of the pages about them."""
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FilteredListing:
    """A page of a list; ``partial`` says in words where only a part was looked at."""

    found: Listing
    partial: str = ""


def chosen_filter(request: HttpRequest, record_type: str) -> SavedFilter | None:
    """The saved filter that the address names."""
    number = number_in(request.GET.get(FILTER, ""))
    return saved_filters(record_type).filter(id=number).first() if number else None


def number_in(text: str) -> int:
    """A positive id that was sent as text; 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _LARGEST_ID else 0


def filter_tabs(request: HttpRequest, area: str) -> list[Tab]:
    """The saved filters as links, the current one marked."""
    current, path = request.GET.get(FILTER, ""), reverse(f"console:{area}-list")
    return [
        Tab(one.name, f"{path}?{urlencode({FILTER: one.pk})}", str(one.pk) == current)
        for one in saved_filters(AREAS[area])
    ]


def filtered_listing(
    request: HttpRequest,
    rows: "QuerySet[Any]",
    order: Order,
    *,
    saved: SavedFilter | None,
    ids: Sequence[int] | None = None,
    count: str = "",
) -> FilteredListing:
    """The page that the request asks for: of ``ids`` where a search found them, under a saved filter where one is
    chosen."""
    if ids is not None:
        rows = rows.filter(id__in=ids)
    if saved is None:
        return FilteredListing(listing(request, rows, order, count=count))
    sieve = Sieve(saved.record_type, saved.tree)
    if ids is not None:
        kept = [row.pk for row in sieve.lean(rows) if sieve.admits(row)]
        return FilteredListing(listing(request, rows.filter(id__in=kept), order, count=number_words(len(kept))))
    after = number_in(request.GET.get(CURSOR, ""))
    found = matching(sieve, rows, wanted=PAGE_SIZE, after=None if sieve.drive() else after or None)
    if sieve.drive():
        page = listing(request, rows.filter(id__in=found.ids), order, count=number_words(len(found.ids), found.is_cut))
        words = f"Only the first {found.looked_at:,} that come near were looked at." if found.is_cut else ""
        return FilteredListing(page, words)
    return _scanned(request, rows, found, is_first=not after)


def _scanned(request: HttpRequest, rows: "QuerySet[Any]", found: Found, *, is_first: bool) -> FilteredListing:
    shown = list(rows.filter(id__in=found.ids).order_by("-id"))
    more = "+" if found.after is not None else ""
    page = Listing(
        rows=shown,
        newer="" if is_first else address(request),
        older=address(request, **{CURSOR: str(found.after)}) if more else "",
        count=f"{len(shown):,}{more}",
    )
    if found.after is None or len(shown) == PAGE_SIZE:
        return FilteredListing(page)
    words = f"No index answers this filter, so {found.looked_at:,} records were looked at for this page, the newest "
    return FilteredListing(page, words + "first. There may be more: go on with Next.")
