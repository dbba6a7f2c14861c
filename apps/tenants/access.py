"""Who is looking, and whether they may: the first thing every view asks."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect

from apps.tenants.models import Membership, Tenant, TenantModel, User
from apps.tenants.roles import Right

TENANT_FIELD = "tenant"
"""Name of the hidden field with which every form names the tenant that it was rendered for."""

_LARGEST_ID = 2**63 - 1


class MemberRequest(HttpRequest):
    """A request of a member, inside the transaction of the tenant they chose."""

    user: User
    tenant: Tenant
    membership: Membership
    htmx: Any


MemberView = Callable[..., HttpResponse]
Row = TypeVar("Row", bound=TenantModel)


def member_page(right: Right) -> Callable[[MemberView], Callable[..., HttpResponse]]:
    """Admit members with ``right``: a stranger goes to the log-in page, a member without it gets 403.

    A form that was rendered for another tenant (switched in another tab) saves nothing and says so with 409.
    """

    def decorate(view: MemberView) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_log_in(request)
            membership: Membership | None = getattr(request, "membership", None)
            if membership is None:
                return render(request, "tenants/no_tenant.html", status=403)
            if not membership.may(right):
                raise PermissionDenied("Your role does not allow this.")
            if request.method == "POST":
                named = request.POST.get(TENANT_FIELD)
                if named is None or named != str(membership.tenant_id):
                    return render(request, "tenants/other_tenant.html", status=409)
            return view(request, *args, **kwargs)

        guarded.required_right = right  # type: ignore[attr-defined]  # read by the test that walks every address
        return guarded

    return decorate


def _to_log_in(request: HttpRequest) -> HttpResponse:
    """To the log-in page, and from there back to the page that was open: a form, or a part of a page, is none."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        return HttpResponseClientRedirect(redirect_to_login(htmx.current_url_abs_path or "/").url)
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    messages.info(request, "You were logged out meanwhile, and nothing was saved. Log in and try again.")
    return redirect_to_login(_page_before(request))


def _page_before(request: HttpRequest) -> str:
    """The page of ours from which a form was sent."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host():
        return "/"
    return f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path


def load(model: type[Row], record_id: int) -> Row:
    """The open tenant's row with this id; 404 for anyone else's and for what cannot be an id."""
    if not 0 < record_id <= _LARGEST_ID:
        raise Http404
    row: Row | None = model.objects.filter(id=record_id).first()
    if row is None:
        raise Http404
    return row
