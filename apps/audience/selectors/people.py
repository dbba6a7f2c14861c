"""People: search, filters, and what one of them belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value

from apps.audience.models import ListMembership, OpportunityContactRole, Person, PersonWord, Source
from apps.core.paging import Order
from apps.core.search import begins_with, search_text

NEWEST = Order("newest", ("id",), (int,), descending=True)
BY_NAME = Order("name", ("last_key", "id"), (str, int))
BY_NAME_BACK = Order("name-back", ("last_key", "id"), (str, int), descending=True)
ORDERS = {order.name: order for order in (NEWEST, BY_NAME, BY_NAME_BACK)}

MOST_MATCHES = 500
"""A search answers with so many people for each way to match; more words narrow it."""

_MOST_WORDS = 5
_KEYS = ("last_key", "first_key", "email_key", "company_key")


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """What people are looked for; None and "" leave them all."""

    search: str = ""
    linked: bool | None = None
    sobject: str = ""
    active: bool | None = None
    opted_out: bool | None = None
    source: str = ""
    company_id: int | None = None


def people(wanted: PeopleFilter) -> "QuerySet[Person]":
    """People under the filters, without the search. Each filter is an equality that a stored column answers; the
    rare ones have partial indexes."""
    rows: QuerySet[Person] = Person.objects.all()
    if wanted.linked is not None:
        rows = rows.exclude(leading_sobject="") if wanted.linked else rows.filter(leading_sobject="")
    if wanted.sobject:
        rows = rows.filter(leading_sobject=wanted.sobject)
    if wanted.active is not None:
        rows = rows.filter(is_active=wanted.active)
    if wanted.opted_out is not None:
        rows = rows.filter(email_opt_out=wanted.opted_out)
    if wanted.company_id is not None:
        rows = rows.filter(company_id=wanted.company_id)
    if wanted.source == Source.SALESFORCE:
        rows = rows.filter(source=Source.SALESFORCE)
    elif wanted.source:
        rows = rows.exclude(source=Source.SALESFORCE).filter(source=wanted.source)
    return rows


def matching_ids(wanted: PeopleFilter, *, also: Sequence[int] = ()) -> list[int]:
    """Ids of the people that a search finds, in one question: each branch is a prefix on one index.

    Several words must all match; every word may be the one that an index finds, the others are looked at there.
    ``also`` are ids found by other means (a Salesforce id); the filters hold for them, too.
    """
    text = search_text(wanted.search)
    rows = people(wanted)
    is_address = "@" in text and " " not in text
    found = [prefix_branch(rows, "email_key", text)] if is_address else _branches(rows, text)
    if also:
        found.append(rows.filter(id__in=list(also)).order_by().values_list("id", flat=True))
    if not found:
        return []
    first, *rest = found
    return sorted(first.union(*rest) if rest else first)


def _branches(rows: "QuerySet[Person]", text: str) -> list[Any]:
    words = text.split()[:_MOST_WORDS]
    found: list[Any] = []
    for word in words:
        others = [other for other in words if other != word]
        narrowed = reduce(lambda kept, other: kept.filter(_mentions(other)), others, rows)
        found += [prefix_branch(narrowed, key, word) for key in _KEYS]
        by_word = PersonWord.objects.filter(begins_with("word", word)).order_by("word")
        found.append(
            narrowed.filter(id__in=by_word.values("person_id")[:MOST_MATCHES]).order_by().values_list("id", flat=True)
        )
    if len(words) > 1:
        found += [prefix_branch(rows, key, text) for key in ("last_key", "first_key", "company_key")]
    return found


def prefix_branch(rows: "QuerySet[Person]", key: str, prefix: str) -> Any:
    """Ids of the first people whose ``key`` begins so; the index of e-mails knows only people who have one."""
    known = rows.exclude(email_key="") if key == "email_key" else rows
    return known.filter(begins_with(key, prefix)).order_by(key).values_list("id", flat=True)[:MOST_MATCHES]


def _mentions(word: str) -> Q:
    """True for people of whom some word begins so; only looked at on rows that an index found."""
    names = Func(
        Value(""),
        F("first_key"),
        F("last_key"),
        F("company_key"),
        Value(""),
        template="concat_ws(' ', %(expressions)s)",
    )
    spaced = Func(names, Value("-"), Value(" "), function="replace")
    inside = Func(spaced, Value(f" {word}"), template="strpos(%(expressions)s) > 0", output_field=BooleanField())
    return reduce(or_, (Q(inside), Q(begins_with("email_key", word))))


def memberships_of(person: Person, limit: int = 100) -> list[ListMembership]:
    """Lists and campaigns that a person is on, the newest first."""
    rows = ListMembership.objects.filter(person_id=person.pk, is_active=True).select_related("list")
    return list(rows.order_by("-joined_at", "-id")[:limit])


def roles_of(person: Person, limit: int = 100) -> list[OpportunityContactRole]:
    """Opportunities in which a person has a part."""
    rows = OpportunityContactRole.objects.filter(person_id=person.pk, is_active=True).select_related("opportunity")
    return list(rows.order_by("-id")[:limit])
