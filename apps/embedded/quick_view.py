"""The quick view: the link on a record in Salesforce leads members to the record's page here."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from apps.domain.values import Unreadable, normalize_id
from apps.integrations.models import Connection, ConnectionState
from apps.sync.selectors.links import record_behind
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.directory import tenants_of
from apps.tenants.models import DirectoryKind, Tenant
from apps.tenants.roles import Right

_PAGES = {
    "person": "console:people-detail",
    "company": "console:companies-detail",
    "opportunity": "console:opportunities-detail",
}


@require_GET
@member_page(Right.VIEW)
def quick_view(request: MemberRequest) -> HttpResponse:
    """Lead from a Salesforce id to the page here, or say why there is none."""
    try:
        org_id, remote_id = normalize_id(request.GET.get("org", "")), normalize_id(request.GET.get("id", ""))
    except Unreadable:
        return _page(request, "broken", 400)
    connection = Connection.objects.filter(org_id=org_id).exclude(state=ConnectionState.DISCONNECTED.value).first()
    if connection is None:
        return _elsewhere(request, org_id)
    found = record_behind(connection, remote_id)
    if found is None or found[0] not in _PAGES:
        return _page(request, "unknown", 404, remote_id=remote_id)
    return redirect(_PAGES[found[0]], found[1])


def _elsewhere(request: MemberRequest, org_id: str) -> HttpResponse:
    """The org belongs to another account: to one of the member's own they may switch, of others nothing is told."""
    theirs = set(tenants_of(DirectoryKind.SALESFORCE_ORG, org_id))
    own = set(tenants_of(DirectoryKind.MEMBER, str(request.user.pk)))
    other = Tenant.objects.filter(pk__in=theirs & own).first()
    if other is None:
        return _page(request, "no_org", 404)
    return _page(request, "switch", 409, other=other)


def _page(request: MemberRequest, case: str, status: int, **more: Any) -> HttpResponse:
    return render(request, "embedded/view.html", {"case": case, **more}, status=status)
