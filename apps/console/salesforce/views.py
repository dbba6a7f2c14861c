"""The Salesforce page: before connecting what it brings and needs, after it the connection, its checks, its setup."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.console.mappings.addresses import object_places
from apps.console.salesforce.setup_steps import next_step, setup_steps
from apps.console.salesforce.shown import SCOPE_REASONS, checks_summary
from apps.integrations.login_hosts import LoginChoice, login_options
from apps.integrations.models import Connection, ConnectionState, JobKind
from apps.integrations.selectors import connection_checks, latest_job, own_calls_today
from apps.integrations.services.connections import disconnect
from apps.integrations.services.oauth import disconnected_connection, live_connection
from apps.sync.first_setup import ask_again
from apps.sync.services import cancel_run, open_pull_run
from apps.sync_settings.services import settings_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

APP_NAME = "Syncline"
MOVE_WORD = "Move"
"""What a person types to say that the links are to be closed."""
_KEPT_WORDS = {
    "keep": "Everything that was synced is still here.",
    "delete": "What came from it is being deleted.",
    "unlink": "The links are being closed, and every record stays. Connect the other org now.",
}
_URGENCY = ("blocker", "warning", "not_checked")


@require_GET
@member_page(Right.VIEW)
def salesforce(request: MemberRequest) -> HttpResponse:
    """Before connecting: gains, path and needs. After it: the connection."""
    connection = live_connection()
    if connection is None:
        return render(request, "console/salesforce/connect.html", connect_context(request))
    steps = setup_steps(connection)
    context = {
        **_checks_context(request, connection),
        "sync_settings": settings_of(connection),
        "steps": steps,
        "next_step": next_step(steps),
        "own_calls": own_calls_today(connection),
        "places": object_places(),
        "may_connect": request.membership.may(Right.CONNECT),
        "needs_reconnect": connection.state == ConnectionState.NEEDS_RECONNECT,
    }
    return render(request, "console/salesforce/connection.html", context)


def connect_context(request: MemberRequest, **more: Any) -> dict[str, Any]:
    """What the page before connecting shows; ``more`` brings back what was typed, and what was wrong with it."""
    return {
        "options": login_options(),
        "chosen": LoginChoice.PRODUCTION,
        "scopes": SCOPE_REASONS,
        "app_name": APP_NAME,
        "ended": disconnected_connection(),
        "may_connect": request.membership.may(Right.CONNECT),
        **more,
    }


def _checks_context(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    found = connection_checks(connection)
    job = latest_job(connection, JobKind.PREFLIGHT)
    return {
        "connection": connection,
        "checks": found,
        "open_checks": sorted((c for c in found if c.outcome != "pass"), key=lambda c: _URGENCY.index(c.outcome)),
        "passed_checks": [c for c in found if c.outcome == "pass"],
        "summary": checks_summary(found),
        "job": job,
        "is_checking": job is not None and job.finished_at is None,
        "may_run": request.membership.may(Right.RUN_SYNC),
    }


@require_GET
@member_page(Right.VIEW)
def checks(request: MemberRequest) -> HttpResponse:
    """The checks alone, for the page to show their progress; a browser without JavaScript gets the whole page."""
    connection = live_connection()
    if connection is None or not request.htmx:
        return redirect("console:salesforce")
    return render(request, "console/salesforce/_checks.html", _checks_context(request, connection))


@require_POST
@member_page(Right.RUN_SYNC)
def run_checks(request: MemberRequest) -> HttpResponse:
    """Ask all questions again."""
    connection = live_connection()
    if connection is not None and connection.is_usable:
        ask_again(connection=connection, user=request.user)
    if connection is not None and request.htmx:
        return render(request, "console/salesforce/_checks.html", _checks_context(request, connection))
    return redirect("console:salesforce")


@member_page(Right.CONNECT)
def disconnect_page(request: MemberRequest) -> HttpResponse:
    """Say what ends and what stays, then end it."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    data = request.POST.get("data", "keep")
    is_confirmed = data != "unlink" or request.POST.get("confirmation", "").strip() == MOVE_WORD
    if request.method == "POST" and is_confirmed:
        running = open_pull_run(connection)
        if running is not None:
            cancel_run(run=running, user=request.user)
        disconnect(connection=connection, user=request.user, delete_data=data == "delete", unlink_data=data == "unlink")
        words = _KEPT_WORDS.get(data, _KEPT_WORDS["keep"])
        messages.success(request, f"Salesforce is disconnected. {words}")
        return redirect("console:salesforce")
    context = {"connection": connection, "data": data, "move_word": MOVE_WORD, "is_confirmed": is_confirmed}
    return render(request, "console/salesforce/disconnect.html", context, status=200 if is_confirmed else 422)
