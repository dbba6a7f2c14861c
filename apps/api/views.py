"""What every view of the API does: find the tenant by the key, ask for the scope, take effect once or not at all."""

from typing import Any, ClassVar, NoReturn

import structlog
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.errors import ApiError
from apps.api.idempotency import Claim, claim, keep
from apps.api.keys import presented_secret
from apps.api.parsing import check_text
from apps.tenants.models import ApiKey, Scope
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.api_keys import recognise, tenant_of_key

_WITH_BODY = frozenset({"POST", "PATCH", "DELETE"})


class KeyRequest(Request):
    """A request in the transaction of its key's tenant."""

    auth: ApiKey
    user: Any


class AlwaysJson(BaseContentNegotiation):
    """There is one format, so nobody needs to ask for it."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        wanted = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == wanted), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class ApiView(APIView):
    """A view for whoever has a key with the scope that ``scopes`` names for the method.

    It runs in one transaction of the key's tenant. A refusal undoes all that the request did; so does a failure.
    """

    scopes: ClassVar[dict[str, Scope]] = {}
    has_versions: ClassVar[bool] = False
    content_negotiation_class = AlwaysJson
    _claim: Claim | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        secret = presented_secret(request)
        tenant_id = tenant_of_key(secret) if secret else None
        if tenant_id is None:
            return super().dispatch(request, *args, **kwargs)
        with tenant_transaction(tenant_id):
            key = recognise(secret)
            if key is not None:
                request.api_key = key  # type: ignore[attr-defined]  # read by KeyAuthentication
                structlog.contextvars.bind_contextvars(tenant=tenant_id, api_key=key.pk)
            with transaction.atomic():
                response = super().dispatch(request, *args, **kwargs)
                if response.status_code >= 400:
                    transaction.set_rollback(True)
                elif self._claim is not None and self._claim.replay is None:
                    assert isinstance(response, Response)
                    keep(self._claim, response)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After key, scope and throttle: what the address says must be text, and a POST may have been done before."""
        super().initial(request, *args, **kwargs)
        for name, value in request.query_params.items():
            check_text(f"{name}{value}")
        if request.method in _WITH_BODY:
            _ = request._request.body  # Django holds it to DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.method == "POST":
            self._claim = claim(request)
            if self._claim is not None and self._claim.replay is not None:
                raise Replayed(self._claim.replay)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Records of people stay in no cache."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"
        return answer

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Replayed):
            return exc.response
        return super().handle_exception(exc)


class Replayed(Exception):
    """The request was done before: this is what it was answered."""

    def __init__(self, response: Response) -> None:
        super().__init__("replayed")
        self.response = response


class NothingHere(ApiView):
    """Every address below /api/v1/ that there is not."""

    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise exceptions.NotFound

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        raise exceptions.NotFound


def seen_version(request: Request, given: int | None) -> int | None:
    """The version that an update is based on: of the body, or of the header If-Match; None: whatever there is."""
    header = request.headers.get("If-Match", "*")
    if header == "*":
        return given
    text = header.removeprefix("W/").removeprefix('"').removesuffix('"')
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ApiError(400, "bad_if_match", 'The header If-Match holds a version, such as "3".')
    if given is not None and given != int(text):
        raise ApiError(400, "bad_if_match", "The header If-Match and the field version differ.")
    return int(text)


def with_etag(body: Any, version: int, *, status: int = 200, location: str = "") -> Response:
    """An answer with one record and its version."""
    headers = {"ETag": f'"{version}"'} | ({"Location": location} if location else {})
    return Response(body, status=status, headers=headers)
