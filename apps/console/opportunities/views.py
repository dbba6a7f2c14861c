"""Opportunities: read-only, since sales work is done in Salesforce (D10)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps.audience.models import Company, Opportunity
from apps.audience.selectors.opportunities import (
    MOST_MATCHES,
    OpportunityFilter,
    matching_ids,
    opportunities,
    roles_in,
    stages,
)
from apps.console.listing import listing, number_words, tabs
from apps.console.opportunities.forms import OpportunityFilterForm
from apps.console.records import owner_name, record_view
from apps.console.why.pages import record_page
from apps.core.search import search_text
from apps.integrations.models import Connection
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import ids_behind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_SAVED_VIEWS: dict[str, dict[str, str]] = {
    "All opportunities": {},
    "Open": {"closed": "no"},
    "Closed": {"closed": "yes"},
}


def _after_connecting(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Before the first connection there are no opportunities to speak of: lead to the hub, with words."""

    @wraps(view)
    def guarded(request: MemberRequest, **arguments: Any) -> HttpResponse:
        if Connection.objects.exists() or Opportunity.objects.exists():
            return view(request, **arguments)
        messages.info(request, "Opportunities come from Salesforce. Connect it first.")
        return redirect("console:hub")

    return guarded


@member_page(Right.VIEW)
@_after_connecting
def opportunities_list(request: MemberRequest) -> HttpResponse:
    """Opportunities by search and filters."""
    form = OpportunityFilterForm(request.GET, stages=stages())
    wanted = form.wanted()
    rows, count = opportunities(wanted).select_related("company").defer("description", "custom"), ""
    if search_text(wanted.search):
        ids = matching_ids(wanted, also=ids_behind(wanted.search, "opportunity"))
        rows, count = rows.filter(id__in=ids), number_words(len(ids), len(ids) >= MOST_MATCHES)
    found = listing(request, rows, form.order(), count=count)
    context = {
        "form": form,
        "found": found,
        "tabs": tabs(request, _SAVED_VIEWS),
        "company": Company.objects.filter(id=wanted.company_id).first() if wanted.company_id else None,
        "is_filtered": wanted != OpportunityFilter(),
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/opportunities/list.html", context)


@member_page(Right.VIEW)
@_after_connecting
def opportunity_detail(request: MemberRequest, opportunity_id: int) -> HttpResponse:
    """One opportunity: its people and their roles, its company, its place in Salesforce."""
    opportunity = load(Opportunity, opportunity_id)
    context = {
        "opportunity": opportunity,
        "view": record_view("opportunity", opportunity),
        "owner": owner_name(opportunity),
        "company": opportunity.company,
        "roles": roles_in(opportunity),
    }
    return render(request, "console/opportunities/detail.html", context)


@member_page(Right.VIEW)
@_after_connecting
def why(request: MemberRequest, opportunity_id: int) -> HttpResponse:
    """Why did this opportunity not sync?"""
    return render(request, "console/why/why.html", record_page("opportunity", load(Opportunity, opportunity_id)))
