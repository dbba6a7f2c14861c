"""Sequences, and the people in them."""

from collections.abc import Sequence as Many
from typing import Any

from django.db.models import Count, QuerySet

from apps.audience.models import RUNNING, Person, Sequence, SequenceEnrolment
from apps.core.paging import Order
from apps.core.search import begins_with, search_text

BY_NAME = Order("name", ("name_key", "id"), (str, int))
ENROLLED = Order("enrolled", ("person_id",), (int,))
_MOST = 500


def sequences(*, search: str = "", archived: bool = False) -> "QuerySet[Sequence]":
    """Sequences whose name begins with the search."""
    rows: QuerySet[Sequence] = Sequence.objects.filter(is_active=not archived)
    text = search_text(search)
    return rows.filter(begins_with("name_key", text)) if text else rows


def open_sequences() -> list[Sequence]:
    """Those in which somebody can be enrolled, by name."""
    return list(Sequence.objects.filter(is_active=True).order_by("name_key", "id")[:_MOST])


def running_counts(shown: Many[Sequence]) -> dict[int, int]:
    """How many people are in each of the sequences shown, in one question."""
    rows: Any = SequenceEnrolment.objects.filter(sequence_id__in=[row.pk for row in shown], status__in=RUNNING)
    return dict(rows.order_by().values_list("sequence_id").annotate(Count("person_id")))


def enrolled_in(shown: Sequence, status: str = "") -> "QuerySet[SequenceEnrolment]":
    """The people in a sequence; paged by person, which is the order of its unique index."""
    rows: QuerySet[SequenceEnrolment] = SequenceEnrolment.objects.filter(sequence_id=shown.pk)
    return (rows.filter(status=status) if status else rows).select_related("person")


def statuses_in(shown: Sequence) -> list[tuple[str, int]]:
    """How many people stand in a sequence how."""
    rows: Any = SequenceEnrolment.objects.filter(sequence_id=shown.pk).order_by()
    return list(rows.values_list("status").annotate(count=Count("id")).order_by("-count", "status"))


def enrolments_of(person: Person, limit: int = 50) -> list[SequenceEnrolment]:
    """A person's sequences, the one that changed last first."""
    rows = SequenceEnrolment.objects.filter(person_id=person.pk).select_related("sequence")
    return list(rows.order_by("-changed_at", "-id")[:limit])
