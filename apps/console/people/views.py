"""The people list and a person's page."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from apps.audience.models import Company, Person, SavedFilter, Source
from apps.audience.selectors.changes import consent_of
from apps.audience.selectors.custom_records import records_belonging
from apps.audience.selectors.people import MOST_MATCHES, PeopleFilter, matching_ids, memberships_of, people, roles_of
from apps.console.bulk.views import deeds_of
from apps.console.listing import number_words, tabs
from apps.console.people.activity import activity_context
from apps.console.people.forms import PeopleFilterForm
from apps.console.record_lists import FilteredListing, chosen_filter, filter_tabs, filtered_listing
from apps.console.record_sync import sync_card
from apps.console.records import owner_name, record_view
from apps.core.paging import Order
from apps.core.search import search_text
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import ids_behind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_SAVED_VIEWS: dict[str, dict[str, str]] = {
    "Everyone": {},
    "Salesforce import": {"source": Source.SALESFORCE},
    "Not in Salesforce": {"linked": "no"},
    "Unsubscribed": {"consent": "yes"},
    "Inactive": {"status": "no"},
}
_AREA = "people"


@member_page(Right.VIEW)
def people_list(request: MemberRequest) -> HttpResponse:
    """People by search, filters and saved views, newest first."""
    form = PeopleFilterForm(request.GET)
    wanted = form.wanted()
    saved = chosen_filter(request, "person")
    listed = _found(request, wanted, form.order(), saved)
    found = listed.found
    company = Company.objects.filter(id=wanted.company_id).first() if wanted.company_id else None
    context: dict[str, Any] = {
        "form": form,
        "found": found,
        "partial": listed.partial,
        "tabs": [*tabs(request, _SAVED_VIEWS), *filter_tabs(request, _AREA)],
        "saved": saved,
        "area": _AREA,
        "deeds": deeds_of(_AREA),
        "company": company,
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "is_filtered": wanted != PeopleFilter() or saved is not None,
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/people/list.html", context)


def _found(request: MemberRequest, wanted: PeopleFilter, order: Order, saved: SavedFilter | None) -> FilteredListing:
    rows: QuerySet[Person] = people(wanted).select_related("company").defer("description", "custom")
    if not search_text(wanted.search):
        return filtered_listing(request, rows, order, saved=saved)
    ids = matching_ids(wanted, also=ids_behind(wanted.search, "person"))
    count = number_words(len(ids), len(ids) >= MOST_MATCHES)
    return filtered_listing(request, rows, order, saved=saved, ids=ids, count=count)


@member_page(Right.VIEW)
def person_detail(request: MemberRequest, person_id: int) -> HttpResponse:
    """One person: where they are in Salesforce, what is known, what they belong to, what happened."""
    person = load(Person, person_id)
    context = {
        "person": person,
        "view": record_view("person", person),
        "sync": sync_card(request, "people", "person", person),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "may_erase": request.membership.may(Right.EDIT_SETTINGS),
        "consents": consent_of(person),
        "owner": owner_name(person),
        "company": person.company,
        "memberships": memberships_of(person),
        "roles": roles_of(person),
        "custom_records": records_belonging(person_id=person.pk),
        **activity_context(person),
    }
    return render(request, "console/people/detail.html", context)
