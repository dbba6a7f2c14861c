"""How many records there are, without counting a million of them at each look."""

from dataclasses import dataclass

from django.db.models import Model

from apps.audience.models import Company, Opportunity, Person

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class RecordCount:
    """An exact number up to ``MOST_COUNTED``; beyond it only that there are more."""

    counted: int
    has_more: bool

    def __str__(self) -> str:
        return f"{self.counted:,}+" if self.has_more else f"{self.counted:,}"


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """The tenant's records by type."""

    people: RecordCount
    companies: RecordCount
    opportunities: RecordCount


def record_counts(most: int = MOST_COUNTED) -> RecordCounts:
    """The tenant's records, each type counted up to ``most``."""
    return RecordCounts(_count(Person, most), _count(Company, most), _count(Opportunity, most))


def _count(model: type[Model], most: int) -> RecordCount:
    found = model._default_manager.order_by().values("id")[: most + 1].count()
    return RecordCount(min(found, most), found > most)
