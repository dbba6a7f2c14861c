"""The companies list and a company's page."""

from django.http import HttpResponse
from django.shortcuts import render

from apps.audience.models import Company, Opportunity, Person, Source
from apps.audience.selectors.companies import MOST_MATCHES, CompanyFilter, companies, matching_ids
from apps.audience.selectors.custom_records import records_belonging
from apps.console.bulk.views import deeds_of
from apps.console.companies.forms import CompanyFilterForm
from apps.console.listing import count_words, number_words, tabs
from apps.console.record_lists import chosen_filter, filter_tabs, filtered_listing
from apps.console.record_sync import sync_card
from apps.console.records import owner_name, record_view
from apps.core.search import search_text
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import ids_behind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_SAVED_VIEWS: dict[str, dict[str, str]] = {
    "All companies": {},
    "Salesforce import": {"source": Source.SALESFORCE},
    "Linked with Salesforce": {"linked": "yes"},
    "Not in Salesforce": {"linked": "no"},
    "Inactive": {"status": "no"},
}
_SHOWN = 10
_AREA = "companies"


@member_page(Right.VIEW)
def companies_list(request: MemberRequest) -> HttpResponse:
    """Companies by search and filters, by name."""
    form = CompanyFilterForm(request.GET)
    wanted = form.wanted()
    rows, count, ids = companies(wanted).defer("description", "custom"), "", None
    if search_text(wanted.search):
        ids = matching_ids(wanted, also=ids_behind(wanted.search, "company"))
        count = number_words(len(ids), len(ids) >= MOST_MATCHES)
    saved = chosen_filter(request, "company")
    listed = filtered_listing(request, rows, form.order(), saved=saved, ids=ids, count=count)
    found = listed.found
    context = {
        "form": form,
        "found": found,
        "partial": listed.partial,
        "tabs": [*tabs(request, _SAVED_VIEWS), *filter_tabs(request, _AREA)],
        "saved": saved,
        "area": _AREA,
        "deeds": deeds_of(_AREA),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "is_filtered": wanted != CompanyFilter() or saved is not None,
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/companies/list.html", context)


@member_page(Right.VIEW)
def company_detail(request: MemberRequest, company_id: int) -> HttpResponse:
    """One company: its people, its opportunities, its place in Salesforce, what happened."""
    company = load(Company, company_id)
    people = Person.objects.filter(company_id=company.pk)
    opportunities = Opportunity.objects.filter(company_id=company.pk)
    context = {
        "company": company,
        "view": record_view("company", company),
        "sync": sync_card(request, "companies", "company", company),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "owner": owner_name(company),
        "people": people.defer("description", "custom").order_by("-id")[:_SHOWN],
        "people_count": count_words(people),
        "opportunities": opportunities.order_by("-id")[:_SHOWN],
        "opportunity_count": count_words(opportunities),
        "custom_records": records_belonging(company_id=company.pk),
    }
    return render(request, "console/companies/detail.html", context)
