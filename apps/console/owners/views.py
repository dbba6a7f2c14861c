"""The owners page (C16): read from the cache, saved in one form."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps.audience.models import Owner
from apps.console.owners.shown import (
    MemberRow,
    assignments,
    inactive,
    member_rows,
    name_of,
    owner_typed,
    suggestions,
    unmatched,
)
from apps.integrations.models import Connection
from apps.integrations.services.oauth import live_connection
from apps.sync.owners import CannotOwn, save_owners
from apps.sync_settings.services import settings_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

_ANYBODY = ("user", "queue")
_UNKNOWN = "?"
_NOBODY = "No active user of Salesforce is called so. Choose one of the suggestions, or type the e-mail address."


@member_page(Right.VIEW)
def owners(request: MemberRequest) -> HttpResponse:
    """Members and their users, the fallback, and what happens to those who fit nobody."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    if request.method == "POST" and not request.membership.may(Right.EDIT_SETTINGS):
        return render(request, "403.html", status=403)
    rows, settings = member_rows(), settings_of(connection)
    fallback = Owner.objects.filter(remote_id=settings.fallback_owner).first() if settings.fallback_owner else None
    context: dict[str, Any] = {
        "fallback": name_of(fallback) if fallback else settings.fallback_owner,
        "lead_assignment": settings.lead_assignment,
    }
    if request.method == "POST":
        errors = _save(request, connection, rows)
        if not errors:
            return redirect("console:owners")
        rows = [_as_typed(request, row, errors) for row in rows]
        context = {name: request.POST.get(name, "") for name in context} | {"errors": errors}
    context |= {
        "connection": connection,
        "rows": rows,
        "users": suggestions(),
        "anybody": suggestions(_ANYBODY),
        "assignments": assignments(connection),
        "unmatched": unmatched(),
        "inactive": inactive(),
        "has_fallback": bool(settings.fallback_owner),
        "may_edit": request.membership.may(Right.EDIT_SETTINGS),
    }
    return render(request, "console/owners/owners.html", context, status=422 if context.get("errors") else 200)


def _save(request: MemberRequest, connection: Connection, rows: list[MemberRow]) -> Mapping[str, str]:
    errors = {}
    picks: dict[int, str | None] = {}
    for row in rows:
        picks[row.member.pk] = _pick(request, row)
        if picks[row.member.pk] == _UNKNOWN:
            errors[f"pick-{row.member.pk}"] = _NOBODY
    typed = request.POST.get("fallback", "").strip()
    fallback = owner_typed(typed, _ANYBODY) if typed else None
    if typed and fallback is None:
        errors["fallback"] = _NOBODY.replace("user", "user or queue")
    if errors:
        return errors
    try:
        is_changed = save_owners(
            connection=connection,
            picks=picks,
            fallback=fallback.remote_id if fallback else "",
            lead_assignment=request.POST.get("lead_assignment", ""),
            user=request.user,
        )
    except CannotOwn as error:
        return error.errors
    messages.success(request, "Owners are saved." if is_changed else "Nothing was changed.")
    return {}


def _pick(request: MemberRequest, row: MemberRow) -> str | None:
    """What the form says of a member: None as the e-mail address tells, "" for nobody."""
    if request.POST.get(f"has-{row.member.pk}") != "on":
        return ""
    typed = request.POST.get(f"pick-{row.member.pk}", "").strip()
    if not typed:
        return None
    found = owner_typed(typed)
    return found.remote_id if found else _UNKNOWN


def _as_typed(request: MemberRequest, row: MemberRow, errors: Mapping[str, str]) -> MemberRow:
    return replace(
        row,
        has_user=request.POST.get(f"has-{row.member.pk}") == "on",
        typed=request.POST.get(f"pick-{row.member.pk}", "")[:300],
        error=errors.get(f"pick-{row.member.pk}", ""),
    )
