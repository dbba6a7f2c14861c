"""Reading sync errors: search, filters, sorts that an index serves, and counts by category."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from apps.core.paging import Order
from apps.core.search import begins_with, search_text
from apps.domain.values import Unreadable, normalize_id
from apps.sync_errors.models import LIVE_STATES, SyncError

LAST_SEEN = Order("last-seen", ("last_seen", "id"), (datetime, int), descending=True)
OLDEST_SEEN = Order("oldest-seen", ("last_seen", "id"), (datetime, int))
FIRST_SEEN = Order("first-seen", ("id",), (int,))
NEWEST = Order("newest", ("id",), (int,), descending=True)
RECORD = Order("record", ("label_key", "id"), (str, int))
RECORD_BACK = Order("record-back", ("label_key", "id"), (str, int), descending=True)
ORDERS = {order.name: order for order in (LAST_SEEN, OLDEST_SEEN, FIRST_SEEN, NEWEST, RECORD, RECORD_BACK)}

LIVE = "live"
"""The state filter's word for open, retrying and blocked together."""


@dataclass(frozen=True, slots=True)
class ErrorFilter:
    """Which errors are looked for; "" and None leave them all."""

    search: str = ""
    state: str = LIVE
    category: str = ""
    sobject: str = ""
    way: str = ""
    seen_since: datetime | None = None
    seen_before: datetime | None = None
    local_type: str = ""
    local_id: int | None = None


def sync_errors(wanted: ErrorFilter) -> "QuerySet[SyncError]":
    """Errors under the filters and the search."""
    rows: QuerySet[SyncError] = SyncError.objects.all()
    if wanted.state == LIVE:
        rows = rows.filter(state__in=LIVE_STATES)
    elif wanted.state:
        rows = rows.filter(state=wanted.state)
    exact = {
        "category": wanted.category,
        "sobject": wanted.sobject,
        "way": wanted.way,
        "local_type": wanted.local_type,
        "local_id": wanted.local_id,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if wanted.seen_since is not None:
        rows = rows.filter(last_seen__gte=wanted.seen_since)
    if wanted.seen_before is not None:
        rows = rows.filter(last_seen__lt=wanted.seen_before)
    return rows.filter(_found_by(wanted.search)) if search_text(wanted.search) else rows


def _found_by(search: str) -> Q:
    """A record's label by its beginning, or a Salesforce id whole (in either length): two indexes, joined."""
    found = Q(begins_with("label_key", search_text(search)))
    typed = search.strip()
    try:
        return found | Q(remote_id__in={typed, normalize_id(typed)})
    except Unreadable:
        return found


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """Live errors of one category."""

    category: str
    count: int


def live_by_category() -> list[CategoryCount]:
    """Live errors by category, the most frequent first; read from one index alone."""
    rows: Any = SyncError.objects.filter(state__in=LIVE_STATES).order_by().values_list("category")
    counted = rows.annotate(count=Count("category")).order_by("-count", "category")
    return [CategoryCount(category, count) for category, count in counted]


def live_errors_of(local_type: str, local_id: int, remote_ids: list[str], limit: int = 20) -> list[SyncError]:
    """Live errors of one record: by its own id, or by the ids of its rows in Salesforce."""
    rows = SyncError.objects.filter(state__in=LIVE_STATES)
    found = rows.filter(Q(local_type=local_type, local_id=local_id) | Q(remote_id__in=remote_ids))
    return list(found.order_by("-last_seen", "-id")[:limit])
