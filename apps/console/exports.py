"""People, companies and a list's members as CSV: what the page shows under its filters, with every field there is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from apps.audience.fields import LocalField, plain_text
from apps.audience.models import Company, List, Person, Record, SavedFilter
from apps.audience.selectors import companies as of_companies
from apps.audience.selectors import people as of_people
from apps.audience.selectors.lists import MEMBERS, members_of
from apps.audience.selectors.saved_filters import Sieve
from apps.audience.services.values import fields_of, value_of
from apps.console.companies.forms import CompanyFilterForm
from apps.console.downloads import csv_download
from apps.console.people.forms import PeopleFilterForm
from apps.console.record_lists import chosen_filter
from apps.core.paging import Order
from apps.core.search import search_text
from apps.sync.selectors.links import ids_behind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_NEWEST = Order("newest", ("id",), (int,), descending=True)


@require_GET
@member_page(Right.VIEW)
def export_people(request: MemberRequest) -> HttpResponse:
    """The people that the list shows under these filters."""
    wanted = PeopleFilterForm(request.GET).wanted()
    ids = None
    if search_text(wanted.search):
        ids = of_people.matching_ids(wanted, also=ids_behind(wanted.search, "person"))

    def rows() -> "QuerySet[Person]":
        found = of_people.people(wanted)
        return found if ids is None else found.filter(id__in=ids)

    return _records(request, "person", "people.csv", rows, chosen_filter(request, "person"))


@require_GET
@member_page(Right.VIEW)
def export_companies(request: MemberRequest) -> HttpResponse:
    """The companies that the list shows under these filters."""
    wanted = CompanyFilterForm(request.GET).wanted()
    ids = None
    if search_text(wanted.search):
        ids = of_companies.matching_ids(wanted, also=ids_behind(wanted.search, "company"))

    def rows() -> "QuerySet[Company]":
        found = of_companies.companies(wanted)
        return found if ids is None else found.filter(id__in=ids)

    return _records(request, "company", "companies.csv", rows, chosen_filter(request, "company"))


@require_GET
@member_page(Right.VIEW)
def export_members(request: MemberRequest, list_id: int) -> HttpResponse:
    """The people on a list, with their member status."""
    shown = load(List, list_id)
    known = fields_of("person")

    def line(row: Any) -> Sequence[object]:
        return (row.status, row.joined_at.isoformat(), *_cells(row.person, known))

    return csv_download(
        filename=f"list-{shown.pk}.csv",
        header=("Member status", "On the list since", *_header("person", known)),
        tenant_id=request.tenant.pk,
        rows=lambda: members_of(shown),
        order=MEMBERS,
        line=line,
    )


def _records(
    request: MemberRequest, record_type: str, filename: str, rows: Callable[[], Any], saved: SavedFilter | None
) -> HttpResponse:
    known = fields_of(record_type)
    keep: Callable[[Any], bool] = Sieve(saved.record_type, saved.tree).admits if saved is not None else _everything
    return csv_download(
        filename=filename,
        header=_header(record_type, known),
        tenant_id=request.tenant.pk,
        rows=rows,
        order=_NEWEST,
        line=lambda row: _cells(row, known),
        keep=keep,
    )


def _everything(row: object) -> bool:
    return True


def _header(record_type: str, known: Mapping[str, LocalField]) -> tuple[str, ...]:
    flags = ("Active", "Unsubscribed", "Score") if record_type == "person" else ("Active",)
    return ("Id", *(field.label for field in known.values()), *flags, "Salesforce object", "Salesforce id")


def _cells(record: Record, known: Mapping[str, LocalField]) -> tuple[object, ...]:
    values = [plain_text(value_of(record, field)) for field in known.values()]
    flags: list[object] = [_yes(record.is_active)]
    if isinstance(record, Person):
        flags += [_yes(record.email_opt_out), record.score]
    return (record.pk, *values, *flags, record.leading_sobject, record.leading_remote_id)


def _yes(said: bool) -> str:
    return "yes" if said else "no"
