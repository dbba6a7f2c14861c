"""The package page: whether it is in the org, installing it by one click, and what is left to be done by hand."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.integrations.models import Connection, JobKind, JobState, PackageInstall
from apps.integrations.package.installing import cancel_install, queue_install
from apps.integrations.package.presence import VERSION, presence_of
from apps.integrations.selectors import latest_job
from apps.integrations.services.oauth import live_connection
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

_WITHOUT_PANEL = ("professional", "team", "base", "starter", "group", "essentials")
"""Words in the names of editions that have no Apex and no Visualforce (Salesforce, "Editions That Support Apex")."""


@require_GET
@member_page(Right.VIEW)
def package(request: MemberRequest) -> HttpResponse:
    """What the package is, whether it is there, and the button."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    return render(request, "console/salesforce/package.html", _context(request, connection))


@require_GET
@member_page(Right.VIEW)
def progress(request: MemberRequest) -> HttpResponse:
    """The state alone, for the page to follow an installation; without JavaScript the whole page."""
    connection = live_connection()
    if connection is None or not request.htmx:
        return redirect("console:salesforce-package")
    return render(request, "console/salesforce/_package.html", _context(request, connection))


@require_POST
@member_page(Right.CONNECT)
def install(request: MemberRequest) -> HttpResponse:
    """Queue an installation."""
    connection = live_connection()
    if connection is None or not connection.is_usable:
        messages.error(request, "The connection to Salesforce has to be renewed first.")
        return redirect("console:salesforce")
    queue_install(connection=connection, user=request.user, with_panel=request.POST.get("parts") != "fields")
    return redirect("console:salesforce-package")


@require_POST
@member_page(Right.CONNECT)
def cancel(request: MemberRequest) -> HttpResponse:
    """Ask the installation that is under way to stop."""
    connection = live_connection()
    if connection is not None:
        cancel_install(connection=connection, user=request.user)
    return redirect("console:salesforce-package")


def _context(request: MemberRequest, connection: Connection) -> dict[str, Any]:
    job = latest_job(connection, JobKind.PACKAGE)
    found = PackageInstall.objects.filter(job_id=job.pk).first() if job is not None else None
    reading = latest_job(connection, JobKind.PREFLIGHT)
    is_reading = reading is not None and reading.finished_at is None
    is_open = job is not None and job.finished_at is None
    edition = connection.edition.lower()
    return {
        "connection": connection,
        "presence": presence_of(connection),
        "version": VERSION,
        "job": job,
        "install": found,
        "is_open": is_open,
        "is_reading": is_reading,
        "is_followed": is_open or is_reading,
        "has_failed": job is not None and job.state == JobState.FAILED,
        "is_done": job is not None and job.state == JobState.DONE,
        "lacks_apex": any(word in edition for word in _WITHOUT_PANEL),
        "may_install": request.membership.may(Right.CONNECT),
    }
