"""Sync settings with what they cost, and the section "Run a Full Sync" (B01 to B07, B10 to B15)."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.console.mappings.addresses import object_places
from apps.console.salesforce.setup_steps import last_full_sync
from apps.console.sync_settings.estimates import frequency_forecasts, full_sync_estimate
from apps.console.sync_settings.forms import SyncSettingsForm
from apps.console.sync_settings.shown import budget_of, waiting_changes, why_full_sync
from apps.integrations.models import Connection
from apps.integrations.services.oauth import live_connection
from apps.sync.first_setup import ask_again
from apps.sync.schedules import reschedule
from apps.sync.services import CannotStart, open_pull_run, start_full_sync
from apps.sync_settings.services import SettingsMoved, save_settings, settings_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right


@require_GET
@member_page(Right.VIEW)
def sync_settings(request: MemberRequest) -> HttpResponse:
    """Show the settings; whoever may not change them can still read them."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    return _page(request, connection)


@require_POST
@member_page(Right.EDIT_SETTINGS)
def save(request: MemberRequest) -> HttpResponse:
    """Save the settings; a form that is older than the settings saves nothing and says so."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    form = SyncSettingsForm(request.POST, instance=settings_of(connection))
    if not form.is_valid():
        return _page(request, connection, posted=request.POST, status=422)
    before = settings_of(connection)
    try:
        saved = save_settings(
            connection=connection, user=request.user, seen_version=form.cleaned_data["version"], values=form.values
        )
    except SettingsMoved:
        return _page(request, connection, moved=True, status=409)
    if (before.frequency_minutes, before.syncs_enabled) != (saved.frequency_minutes, saved.syncs_enabled):
        reschedule(connection)
    messages.success(request, "The settings are saved.")
    return redirect("console:sync-settings")


def _page(
    request: MemberRequest,
    connection: Connection,
    *,
    posted: QueryDict | None = None,
    moved: bool = False,
    status: int = 200,
) -> HttpResponse:
    settings = settings_of(connection)
    budget, standing = budget_of(connection, settings)
    last = last_full_sync(connection)
    forecasts = frequency_forecasts(connection, settings, standing.allowance)
    context = {
        "connection": connection,
        "form": SyncSettingsForm(posted, instance=settings_of(connection), forecasts=forecasts),
        "moved": moved,
        "budget": budget,
        "waiting": waiting_changes(),
        "running": open_pull_run(connection),
        "last": last,
        "reason": why_full_sync(connection, last),
        "syncs_enabled": settings.syncs_enabled,
        "may_edit": request.membership.may(Right.EDIT_SETTINGS),
        "may_run": request.membership.may(Right.RUN_SYNC),
        "places": object_places(),
    }
    return render(request, "console/sync_settings/settings.html", context, status=status)


@member_page(Right.RUN_SYNC)
def full_sync(request: MemberRequest) -> HttpResponse:
    """Confirm a full sync with its estimate, then start it and show its live page."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    running = open_pull_run(connection)
    if running is not None:
        return redirect("console:log-run", running.pk)
    may_turn_on = request.membership.may(Right.EDIT_SETTINGS)
    problem = ""
    if request.method == "POST":
        ask_again(connection=connection, user=request.user)
        try:
            run = start_full_sync(
                connection=connection,
                user=request.user,
                turn_on=may_turn_on and request.POST.get("turn_on") == "1",
            )
        except CannotStart as refusal:
            problem = str(refusal)
        else:
            return redirect("console:log-run", run.pk)
    last = last_full_sync(connection)
    context = {
        "connection": connection,
        "estimate": full_sync_estimate(connection, last),
        "last": last,
        "syncs_enabled": settings_of(connection).syncs_enabled,
        "may_turn_on": may_turn_on,
        "problem": problem,
    }
    return render(request, "console/sync_settings/full_sync.html", context, status=422 if problem else 200)
