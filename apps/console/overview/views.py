"""The overview: health in one look."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from apps.audience.selectors.counts import record_counts
from apps.console.context import THEMES, open_errors
from apps.console.overview.figures import RANGES, live_run, overview_of
from apps.console.overview.hints import usual_troubles
from apps.console.overview.pulse import health_words, pulse_of
from apps.console.salesforce.setup_steps import last_full_sync, next_step, setup_steps
from apps.integrations.models import Connection, ConnectionState
from apps.sync_errors.selectors import live_by_category
from apps.sync_settings.services import settings_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.models import User
from apps.tenants.roles import Right


def _connection() -> Connection | None:
    found: Connection | None = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).first()
    return found


@require_GET
@member_page(Right.VIEW)
def overview(request: MemberRequest) -> HttpResponse:
    """Connection, records, runs, errors and API use; before a connection, the way to one."""
    connection = _connection()
    if connection is None:
        return render(request, "console/overview/welcome.html", {"steps": setup_steps(None)})
    days = next((n for n in RANGES if request.GET.get("days") == str(n)), RANGES[0])
    settings, steps = settings_of(connection), setup_steps(connection)
    figures = overview_of(connection, settings, days)
    pulse = pulse_of(connection, settings, figures.error_count)
    context: dict[str, Any] = {
        "connection": connection,
        "pulse": pulse,
        "health": health_words(connection),
        "figures": figures,
        "counts": figures.counts,
        "live": figures.live,
        "last_full": last_full_sync(connection),
        "steps": steps,
        "next_step": next_step(steps),
        "may_run": request.membership.may(Right.RUN_SYNC),
        "troubles": usual_troubles(connection, settings, pulse),
        "ranges": RANGES,
        "days": days,
    }
    return render(request, "console/overview/overview.html", context)


@require_GET
@member_page(Right.VIEW)
def live(request: MemberRequest) -> HttpResponse:
    """The part that moves; when a run has begun or ended since it was shown, the page is asked to load anew."""
    connection = _connection()
    running = live_run(connection) if connection else None
    was_running = "running" in request.GET
    if connection is None or was_running != (running is not None):
        answer = HttpResponse(status=204)
        answer["HX-Refresh"] = "true"
        return answer
    error_count = sum(error.count for error in live_by_category())
    context = {
        "connection": connection,
        "pulse": pulse_of(connection, settings_of(connection), error_count),
        "health": health_words(connection),
        "live": running,
        "counts": record_counts(),
        "error_count": error_count,
    }
    return render(request, "console/overview/_live.html", context)


@require_GET
@member_page(Right.VIEW)
def errors_badge(request: MemberRequest) -> HttpResponse:
    """The number beside "Sync errors"; pages ask for it now and then."""
    return render(request, "console/overview/_open_errors.html", {"open_errors": open_errors()})


@require_POST
@login_required
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme with the user; the script has shown it already and needs no page."""
    chosen = request.POST.get("theme", "")
    if chosen in dict(THEMES) and isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(theme=chosen)
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    target = request.POST.get("next", "/")
    if not target.startswith("/") or not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    return redirect(target)
