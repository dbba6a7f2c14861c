"""Who calls: the key of the Authorization header."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.api.errors import ApiError
from apps.tenants.actors import Actor
from apps.tenants.models import ApiKey

SCHEME = "Bearer"
_HELP = "Send a key in the header `Authorization: Bearer …`. Admins make keys at /settings/api-keys/."


def presented_secret(request: HttpRequest) -> str:
    """The secret that a request carries; "" for none."""
    scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == SCHEME.lower() and secret.isascii() else ""


class KeyAuthentication(BaseAuthentication):
    """The key that the view found, as the one who acts. A key that is unknown, revoked or expired is no key."""

    def authenticate(self, request: Request) -> tuple[Actor, ApiKey]:
        key: ApiKey | None = getattr(request._request, "api_key", None)
        if key is None:
            given = presented_secret(request._request)
            raise AuthenticationFailed("There is no such key." if given else _HELP)
        if key.revoked_at is not None:
            raise AuthenticationFailed("This key was revoked.")
        if not key.is_usable(timezone.now()):
            raise AuthenticationFailed("This key has expired.")
        return key.actor, key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class HasScope(BasePermission):
    """Whether the key may do what the view's table of scopes asks for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        scopes: dict[str, Any] = getattr(view, "scopes", {})
        needed = scopes.get("GET" if request.method == "HEAD" else request.method or "")
        key: Any = request.auth
        if needed is not None and not key.may(needed):
            raise ApiError(403, "missing_scope", f"This key lacks the scope {needed}.")
        return True
