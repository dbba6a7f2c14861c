"""One request, one transaction; and headers that hold for every page."""

from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from apps.core.db import app_transaction

View = Callable[..., HttpResponse]
GetResponse = Callable[[HttpRequest], HttpResponse]


def own_transactions(view: View) -> View:
    """Mark a view that opens its transactions itself, because it calls a remote system between two of them."""
    view.own_transactions = True  # type: ignore[attr-defined]  # a mark on a function, read below
    return view


def opens_its_own(path: str) -> bool:
    """True for the address of a view marked by ``own_transactions``."""
    try:
        match = resolve(path)
    except Resolver404:
        return False
    return getattr(match.func, "own_transactions", False)


class RequestTransactionMiddleware:
    """Run each request in one transaction of the application's role, rolled back when the answer is an error."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if opens_its_own(request.path_info):
            return self.get_response(request)
        with app_transaction():
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        return response


class WrongMethodMiddleware:
    """Give a page to people who open the address of a form; Django's answer is an empty one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content or request.method != "GET":
            return response
        page = HttpResponse(render_to_string("405.html"), status=405)
        page["Allow"] = response["Allow"]
        return page


class PermissionsPolicyMiddleware:
    """Switch off browser features that no page of ours uses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        return response
