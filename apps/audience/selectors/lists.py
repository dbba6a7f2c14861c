"""Lists and campaigns, and the people on them."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet

from apps.audience.models import List, ListMembership
from apps.core.paging import Order
from apps.core.search import begins_with, search_text

BY_NAME = Order("name", ("name_key", "id"), (str, int))
MEMBERS = Order("member", ("person_id",), (int,))


def lists(*, search: str = "", kind: str = "", archived: bool = False) -> "QuerySet[List]":
    """Lists whose name begins with the search."""
    rows: QuerySet[List] = List.objects.filter(is_archived=archived)
    if kind:
        rows = rows.filter(kind=kind)
    text = search_text(search)
    return rows.filter(begins_with("name_key", text)) if text else rows


def open_lists(limit: int = 500) -> list[List]:
    """Those to which somebody can be added, by name."""
    return list(List.objects.filter(is_archived=False, is_active=True).order_by("name_key", "id")[:limit])


def known_statuses(shown: List) -> list[str]:
    """Member statuses to choose from: those of every Campaign, and those that are in use on this one."""
    used = [status for status, _ in member_statuses(shown) if status]
    return list(dict.fromkeys(["Sent", "Responded", *used]))


def member_counts(shown: Sequence[List]) -> dict[int, int]:
    """How many people are on each of the lists shown, in one question."""
    rows: Any = ListMembership.objects.filter(list_id__in=[row.pk for row in shown], is_active=True)
    return dict(rows.order_by().values_list("list_id").annotate(Count("person_id")))


def members_of(shown: List) -> "QuerySet[ListMembership]":
    """The people on a list; paged by person, which is the order of its unique index."""
    return ListMembership.objects.filter(list_id=shown.pk, is_active=True).select_related("person")


def member_statuses(shown: List) -> list[tuple[str, int]]:
    """Member statuses of a campaign with their counts, the most frequent first."""
    rows: Any = ListMembership.objects.filter(list_id=shown.pk, is_active=True).order_by()
    return list(rows.values_list("status").annotate(count=Count("id")).order_by("-count", "status")[:20])
