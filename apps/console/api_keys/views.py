"""Keys of the REST API: make one, see which are used, take one back."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.console.api_keys.forms import ApiKeyForm
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.models import ApiKey
from apps.tenants.roles import Right
from apps.tenants.services.api_keys import TooManyKeys, create_api_key, revoke_api_key

_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as the page lists it."""

    key: ApiKey
    state: str
    tone: str
    is_usable: bool


@never_cache
@require_http_methods(["GET", "POST"])
@member_page(Right.MANAGE_API_KEYS)
def api_keys(request: MemberRequest) -> HttpResponse:
    """All keys; posted, a new one is made and its secret shown, this one time."""
    if request.method != "POST":
        return _page(request, ApiKeyForm())
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        key, secret = create_api_key(
            name=form.cleaned_data["name"],
            scopes=form.chosen_scopes(),
            user=request.user,
            expires_at=form.expires_at(),
        )
    except TooManyKeys as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    return _page(request, ApiKeyForm(), made=key, secret=secret)


@require_POST
@member_page(Right.MANAGE_API_KEYS)
def revoke(request: MemberRequest, key_id: int) -> HttpResponse:
    """Take a key back."""
    key = load(ApiKey, key_id)
    revoke_api_key(key=key, user=request.user)
    messages.success(request, f"“{key.name}” was revoked. Calls with it are refused from now on.")
    return redirect("console:api-keys")


def _page(
    request: MemberRequest, form: ApiKeyForm, *, made: ApiKey | None = None, secret: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now()
    keys = ApiKey.objects.order_by("-id")[:_MOST_SHOWN]
    context = {
        "form": form,
        "lines": [_line(key, now) for key in keys],
        "made": made,
        "secret": secret,
        "address": request.build_absolute_uri("/api/v1/people/?limit=1"),
    }
    return render(request, "console/api_keys/list.html", context, status=status)


def _line(key: ApiKey, now: datetime) -> KeyLine:
    if key.revoked_at is not None:
        return KeyLine(key, "Revoked", "off", False)
    if not key.is_usable(now):
        return KeyLine(key, "Expired", "warn", False)
    return KeyLine(key, "In use" if key.last_used_at else "Not used yet", "ok" if key.last_used_at else "busy", True)
