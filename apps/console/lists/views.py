"""Lists and campaigns with their members."""

from django.http import HttpResponse
from django.shortcuts import render

from apps.audience.models import List
from apps.audience.selectors.lists import BY_NAME, MEMBERS, lists, member_counts, member_statuses, members_of
from apps.console.listing import listing
from apps.console.lists.forms import ListFilterForm
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import instance_urls, record_url
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right


@member_page(Right.VIEW)
def lists_list(request: MemberRequest) -> HttpResponse:
    """Lists by name, each with how many are on it."""
    form = ListFilterForm(request.GET)
    found = listing(request, lists(search=form.value("q"), kind=form.value("kind")), BY_NAME)
    counts = member_counts(found.rows)
    context = {
        "form": form,
        "found": found,
        "rows": [(row, counts.get(row.pk, 0)) for row in found.rows],
        "is_filtered": bool(form.value("q") or form.value("kind")),
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/lists/list.html", context)


@member_page(Right.VIEW)
def list_detail(request: MemberRequest, list_id: int) -> HttpResponse:
    """One list and the people on it, paged."""
    shown = load(List, list_id)
    addresses = list(instance_urls().values())
    context = {
        "list": shown,
        "url": record_url(addresses[-1], shown.remote_id) if addresses and shown.remote_id else "",
        "statuses": member_statuses(shown),
        "found": listing(request, members_of(shown), MEMBERS),
    }
    return render(request, "console/lists/detail.html", context)
