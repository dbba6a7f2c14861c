"""The second way to connect: user name, password and security token (A05)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from apps.console.salesforce.outcomes import outcome_for
from apps.integrations.login_hosts import BadLoginHost, LoginChoice, login_options, login_url_for
from apps.integrations.models import PasswordAttempt
from apps.integrations.services.oauth import live_connection
from apps.integrations.services.passwords import (
    CONFIRMATION,
    BadCredentials,
    attempt_of,
    begin_password_attempt,
    read_credentials,
)
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters("password", "security_token")
@member_page(Right.CONNECT)
def password(request: MemberRequest) -> HttpResponse:
    """The warning and the form. What was typed is never shown again."""
    problems: dict[str, str] = {}
    if request.method == "POST":
        try:
            credentials = read_credentials(
                username=request.POST.get("username", ""),
                password=request.POST.get("password", ""),
                security_token=request.POST.get("security_token", ""),
                confirmation=request.POST.get("confirmation", ""),
            )
            live = live_connection()
            choice = request.POST.get("login", "")
            known = live.login_url if live is not None and not choice else ""
            login_url = known or login_url_for(choice, request.POST.get("my_domain", "")[:255])
        except BadCredentials as error:
            problems = {error.field: str(error)}
        except BadLoginHost as error:
            problems = {"login": str(error)}
        else:
            attempt = begin_password_attempt(user=request.user, login_url=login_url, credentials=credentials)
            return redirect("console:salesforce-password-attempt", attempt.pk)
    context: dict[str, Any] = {
        "options": login_options(),
        "chosen": request.POST.get("login") or LoginChoice.PRODUCTION,
        "my_domain": request.POST.get("my_domain", "")[:255],
        "username": request.POST.get("username", "")[:255],
        "problems": problems,
        "confirmation": CONFIRMATION,
        "connection": live_connection(),
    }
    return render(request, "console/salesforce/password.html", context, status=422 if problems else 200)


@require_GET
@never_cache
@member_page(Right.CONNECT)
def attempt(request: MemberRequest, attempt_id: int) -> HttpResponse:
    """How an attempt stands: under way, done, or refused with what helps."""
    row = attempt_of(load(PasswordAttempt, attempt_id))
    if row.state == "done":
        if not request.htmx:
            messages.success(request, "Salesforce is connected.")
            return redirect("console:salesforce")
        answer = HttpResponse()
        answer["HX-Redirect"] = request.path
        return answer
    outcome = outcome_for(row.code) if row.state == "refused" else None
    return render(request, "console/salesforce/password_attempt.html", {"attempt": row, "outcome": outcome})
