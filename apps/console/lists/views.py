"""Lists and campaigns with their members."""

from django.http import HttpResponse
from django.shortcuts import render

from apps.audience.models import List, ListKind, OutState
from apps.audience.selectors.lists import (
    BY_NAME,
    MEMBERS,
    known_statuses,
    lists,
    member_counts,
    member_statuses,
    members_of,
)
from apps.console.listing import listing
from apps.console.lists.forms import ListFilterForm
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import instance_urls, record_url
from apps.sync_settings.services import settings_of
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right


@member_page(Right.VIEW)
def lists_list(request: MemberRequest) -> HttpResponse:
    """Lists by name, each with how many are on it."""
    form = ListFilterForm(request.GET)
    found = listing(
        request,
        lists(search=form.value("q"), kind=form.value("kind"), archived=form.value("show") == "archived"),
        BY_NAME,
    )
    counts = member_counts(found.rows)
    context = {
        "form": form,
        "found": found,
        "rows": [(row, counts.get(row.pk, 0)) for row in found.rows],
        "is_filtered": bool(form.value("q") or form.value("kind") or form.value("show")),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
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
        "choices": known_statuses(shown) if shown.kind == ListKind.CAMPAIGN else [],
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "told": _told_words(shown),
        "found": listing(request, members_of(shown), MEMBERS),
    }
    return render(request, "console/lists/detail.html", context)


def _told_words(shown: List) -> str:
    """What holds up what was changed here on a Campaign; empty where nothing does."""
    if shown.kind != ListKind.CAMPAIGN:
        return ""
    connection = live_connection()
    if connection is None:
        return "Salesforce is not connected: changes here wait until it is."
    settings = settings_of(connection)
    if settings.group_edition:
        return "Campaigns are left out: “Using Salesforce Group/Essentials Edition” is on in the sync settings."
    if not settings.sync_members:
        return "“Sync Salesforce Campaign Members to Corresponding Lists” is off: changes here wait until it is on."
    if not settings.syncs_enabled:
        return "Syncs are off: changes here wait until they are on."
    if shown.out_state == OutState.WAITING:
        return f"The Campaign is being made in Salesforce. {shown.out_note}".strip()
    return shown.out_note if shown.out_state == OutState.REFUSED else ""
