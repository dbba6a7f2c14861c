"""To Salesforce and back: the button, the callback, and what the opener of the popup asks."""

from functools import wraps

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.console.salesforce.connecting import finish_connecting
from apps.console.salesforce.outcomes import outcome_for
from apps.console.salesforce.views import connect_context
from apps.core.middleware import own_transactions
from apps.domain.failures import Failure
from apps.integrations.login_hosts import BadLoginHost, LoginChoice, login_url_for
from apps.integrations.models import Connection
from apps.integrations.services.oauth import ConnectRefused, begin_oauth, live_connection
from apps.tenants.access import MemberRequest, MemberView, member_page
from apps.tenants.roles import Right
from apps.tenants.scope import tenant_transaction


@require_POST
@never_cache
@member_page(Right.CONNECT)
def connect(request: MemberRequest) -> HttpResponse:
    """Begin an attempt, and lead the browser to Salesforce.

    A page that moves on, not a redirect: the policy of ours that forms go nowhere else would stop the redirect.
    """
    live = live_connection()
    choice, my_domain = request.POST.get("login", ""), request.POST.get("my_domain", "")
    try:
        # Renewing goes to where the connection was made, unless the person chose anew.
        login_url = live.login_url if live is not None and not choice else login_url_for(choice, my_domain)
        url = begin_oauth(user=request.user, login_url=login_url, in_popup=request.POST.get("popup") == "1")
    except (BadLoginHost, Failure) as error:
        context = connect_context(request, chosen=choice or LoginChoice.PRODUCTION, my_domain=my_domain, problem=error)
        return render(request, "console/salesforce/connect.html", context, status=422)
    response = _keeping_its_opener(render(request, "console/salesforce/leaving.html", {"url": url}))
    response["Refresh"] = f"0; url={url}"
    return response


def _refused_in_a_transaction(view: MemberView) -> MemberView:
    """Show the page of a missing right inside the tenant's transaction, which its shell asks for."""

    @wraps(view)
    def wrapped(request: MemberRequest) -> HttpResponse:
        try:
            return view(request)
        except PermissionDenied as denied:
            with tenant_transaction(request.tenant.pk):
                return render(request, "403.html", {"exception": str(denied)}, status=403)

    return wrapped


def _keeping_its_opener(response: HttpResponse) -> HttpResponse:
    """Leave the tie between the popup and the page that opened it: any other policy here would cut it."""
    response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


@require_GET
@never_cache
@own_transactions
@_refused_in_a_transaction
@member_page(Right.CONNECT)
def callback(request: MemberRequest) -> HttpResponse:
    """The way back from Salesforce. Asks it between transactions, and has a page for every way it may end."""
    tenant_id = request.tenant.pk
    try:
        connection, in_popup = finish_connecting(
            tenant_id=tenant_id,
            user=request.user,
            state=request.GET.get("state", ""),
            code=request.GET.get("code", ""),
            error=request.GET.get("error", ""),
            description=request.GET.get("error_description", ""),
        )
    except ConnectRefused as refused:
        with tenant_transaction(tenant_id):
            return _refused(request, refused)
    if in_popup:
        with tenant_transaction(tenant_id):
            page = render(request, "console/salesforce/popup_done.html", {"connection": connection})
            return _keeping_its_opener(page)
    messages.success(request, f"Connected with {connection}.")
    return redirect("console:salesforce")


def _refused(request: MemberRequest, refused: ConnectRefused) -> HttpResponse:
    outcome = outcome_for(refused.code)
    context = {
        "outcome": outcome,
        "in_popup": refused.in_popup,
        "layout": "base_auth.html" if refused.in_popup else "base.html",
        "connection": live_connection(),
    }
    return _keeping_its_opener(render(request, "console/salesforce/outcome.html", context, status=outcome.status))


@require_GET
@never_cache
@member_page(Right.VIEW)
def status(request: MemberRequest) -> HttpResponse:
    """Whether the connection stands: asked by the page that opened a popup, when the popup has gone."""
    connection: Connection | None = live_connection()
    return JsonResponse(
        {
            "connected": connection is not None and connection.is_usable,
            "generation": connection.token_generation if connection else 0,
            "url": reverse("console:salesforce"),
        }
    )
