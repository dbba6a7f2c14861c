"""Custom records: search and filters within one type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.audience.models import CustomRecord, CustomRecordType
from apps.core.paging import Order
from apps.core.search import begins_with, search_text

NEWEST = Order("newest", ("id",), (int,), descending=True)
BY_NAME = Order("name", ("name_key", "id"), (str, int))
ORDERS = {order.name: order for order in (BY_NAME, NEWEST)}
MOST_MATCHES = 1000


@dataclass(frozen=True, slots=True)
class CustomRecordFilter:
    """What records are looked for; None and "" leave them all."""

    search: str = ""
    linked: bool | None = None
    active: bool | None = None


def custom_records(record_type: CustomRecordType, wanted: CustomRecordFilter) -> "QuerySet[CustomRecord]":
    """Records of a type under the filters, without the search."""
    rows: QuerySet[CustomRecord] = CustomRecord.objects.filter(record_type_id=record_type.pk)
    if wanted.linked is not None:
        rows = rows.exclude(leading_sobject="") if wanted.linked else rows.filter(leading_sobject="")
    if wanted.active is not None:
        rows = rows.filter(is_active=wanted.active)
    return rows


def matching_ids(record_type: CustomRecordType, wanted: CustomRecordFilter, *, also: Sequence[int] = ()) -> list[int]:
    """Ids of the records whose name begins with the search; ``also`` are ids that were found by other means."""
    rows = custom_records(record_type, wanted)
    found: Any = rows.filter(begins_with("name_key", search_text(wanted.search))).order_by("name_key")
    ids = set(found.values_list("id", flat=True)[:MOST_MATCHES])
    if also:
        ids |= set(rows.filter(id__in=list(also)).values_list("id", flat=True))
    return sorted(ids)


def records_belonging(**parent: int) -> list[CustomRecord]:
    """The newest custom records of a person (``person_id``) or a company (``company_id``), with their types."""
    rows = CustomRecord.objects.filter(**parent).select_related("record_type").order_by("-id")
    return list(rows[:50])
