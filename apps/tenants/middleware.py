"""The tenant of a request: the one chosen in the session, among the user's own."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.core.db import app_transaction
from apps.core.middleware import opens_its_own
from apps.tenants.directory import tenants_of
from apps.tenants.models import DirectoryKind, Membership, Tenant
from apps.tenants.scope import tenant_transaction

SESSION_KEY = "tenant_id"


class TenantMiddleware:
    """Set ``request.tenant`` and ``request.membership`` and run the view inside that tenant.

    A view that opens its own transactions gets both, and no transaction.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with app_transaction():
            tenant_id = _chosen_tenant(request)
        if tenant_id is None:
            return self.get_response(request)
        with tenant_transaction(tenant_id):
            membership = Membership.objects.filter(user_id=request.user.pk).first()
            if membership is not None:
                request.membership = membership  # type: ignore[attr-defined]  # see access.MemberRequest
                request.tenant = Tenant.objects.get(pk=tenant_id)  # type: ignore[attr-defined]
            if not opens_its_own(request.path_info):
                return self.get_response(request)
        return self.get_response(request)


def _chosen_tenant(request: HttpRequest) -> int | None:
    if not request.user.is_authenticated:
        return None
    own = tenants_of(DirectoryKind.MEMBER, str(request.user.pk))
    chosen = request.session.get(SESSION_KEY)
    if chosen in own:
        return int(chosen)
    return own[0] if own else None
