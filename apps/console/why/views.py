"""Why did this not sync? Asked with a Salesforce id."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from apps.console.why.pages import WHY_PAGES, gates_shown
from apps.domain.values import Unreadable
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.links import record_behind
from apps.sync.selectors.why import why_remote
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

_LONGEST = 60


@require_GET
@member_page(Right.VIEW)
def search(request: MemberRequest) -> HttpResponse:
    """A box for a Salesforce id, and every gate for it."""
    typed = request.GET.get("id", "").strip()[:_LONGEST]
    connection = live_connection()
    found = record_behind(connection, typed) if typed else None
    if found is not None:
        return redirect(WHY_PAGES[found[0]], found[1])
    context: dict[str, Any] = {"typed": typed, "gates": [], "is_connected": connection is not None}
    if typed:
        try:
            context |= gates_shown(why_remote(connection, remote_id=typed))
        except Unreadable:
            context["complaint"] = "This is no Salesforce id. One has 15 or 18 letters and digits."
    return render(request, "console/why/search.html", context)
