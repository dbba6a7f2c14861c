"""The one shape of an error, and the one place where exceptions become it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from apps.audience.services.custom_fields import BadField
from apps.audience.services.names import BadName
from apps.audience.services.people import EmailTaken, SourceMissing
from apps.audience.services.records import ExternalKeyTaken, RecordMoved
from apps.audience.services.sequences import IsArchived
from apps.audience.services.values import BadValues
from apps.sync.services import CannotStart

WHOLE = "*"
"""Under this name ``fields`` holds what is wrong with the request as a whole."""


class ErrorOutput(serializers.Serializer[Any]):
    """Why a request was refused. Nothing of it took effect."""

    code = serializers.CharField(help_text="A word for programs; it never changes its meaning.")
    message = serializers.CharField(help_text="What happened, in words for a person.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the name is the API's
        child=serializers.ListField(child=serializers.CharField()),
        help_text=f"What is wrong with which field, by its path; `{WHOLE}` is the request as a whole. Mostly empty.",
    )


class ApiError(exceptions.APIException):
    """A refusal with its own code."""

    def __init__(
        self, status: int, code: str, message: str, *, fields: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        super().__init__(detail=message, code=code)
        self.status_code = status
        self.code = code
        self.fields = {name: list(words) for name, words in (fields or {}).items()}


def invalid(fields: Mapping[str, str]) -> ApiError:
    """A request whose fields cannot be used, with words for each."""
    return ApiError(400, "invalid", _INVALID, fields={name: [words] for name, words in fields.items()})


_INVALID = "Some fields cannot be used. `fields` says which, and why."
_CODES = {
    400: "unreadable",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
}
_WORDS = {
    404: "There is nothing at this address. Addresses end with a slash.",
    415: "Send JSON, with the header Content-Type: application/json.",
}


def answer_to(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to an exception of a view; None for what nobody foresaw, which Django answers with 500."""
    refusal = _as_refusal(error)
    if refusal is None:
        return None
    headers = {}
    if challenge := getattr(refusal, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(refusal, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    return Response(_body(refusal), status=refusal.status_code, headers=headers)


def _as_refusal(error: Exception) -> exceptions.APIException | None:
    """What the API says to an exception of Django, or of a service."""
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return ApiError(404, "not_found", "There is no such thing, or it is another account's.")
    if isinstance(error, PermissionDenied):
        return ApiError(403, "not_allowed", str(error) or "This is not allowed.")
    if isinstance(error, RequestDataTooBig):
        return ApiError(413, "too_large", "The body is too large. Send less at a time.")
    if isinstance(error, OperationalError):
        refusal = ApiError(503, "busy", "Somebody else is changing the same data. Try again in a moment.")
        refusal.wait = 1  # type: ignore[attr-defined]  # as DRF's Throttled has it
        return refusal
    return _from_service(error)


def _from_service(error: Exception) -> ApiError | None:
    if isinstance(error, BadValues):
        return invalid({field_path(name): words for name, words in error.errors.items()})
    if isinstance(error, SourceMissing):
        return invalid({"source": str(error)})
    if isinstance(error, BadName):
        return invalid({"name": str(error)})
    if isinstance(error, BadField):
        return invalid(error.errors)
    return _conflict(error)


def _conflict(error: Exception) -> ApiError | None:
    if isinstance(error, RecordMoved):
        return ApiError(409, "overtaken", f"{error} Read it again, and send the change with its new version.")
    if isinstance(error, EmailTaken):
        return ApiError(409, "email_taken", f"{error} Its id is {error.person.pk}.", fields={"email": [str(error)]})
    if isinstance(error, ExternalKeyTaken):
        words = f"{error} Its id is {error.record.pk}."
        return ApiError(409, "external_key_taken", words, fields={"external_key": [words]})
    if isinstance(error, IsArchived):
        return ApiError(409, "archived", str(error))
    if isinstance(error, CannotStart):
        return ApiError(409, "cannot_start", str(error))
    return None


def field_path(name: str) -> str:
    """A field of the services as the API names it: ``custom:key`` is ``custom.key``."""
    return name.replace("custom:", "custom.", 1) if name.startswith("custom:") else name


def _body(refusal: exceptions.APIException) -> dict[str, Any]:
    if isinstance(refusal, exceptions.ValidationError):
        return {"code": "invalid", "message": _INVALID, "fields": flat(refusal.detail)}
    if isinstance(refusal, ApiError):
        return {"code": refusal.code, "message": str(refusal.detail), "fields": refusal.fields}
    status = refusal.status_code
    return {"code": _CODES.get(status, "error"), "message": _WORDS.get(status, str(refusal.detail)), "fields": {}}


def flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """The words of a ValidationError by the path of the field that they are about."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            own = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            for place, words in flat(inner, own).items():
                found.setdefault(place, []).extend(words)
        return found
    words = detail if isinstance(detail, list) else [detail]
    if any(isinstance(word, Mapping | list) for word in words):
        return flat({str(number): word for number, word in enumerate(words) if word}, path)
    return {path or WHOLE: [str(word) for word in words]}


def server_error(request: HttpRequest) -> HttpResponseBase:
    """The answer where something of ours broke: in the API's shape for its addresses, a page for all others."""
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    message = "Something went wrong here. Nothing was changed. It has been written down; try again later."
    return JsonResponse({"code": "internal", "message": message, "fields": {}}, status=500)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The answer at an address that there is not."""
    if not request.path.startswith("/api/"):
        return defaults.page_not_found(request, exception)
    return JsonResponse({"code": "not_found", "message": _WORDS[404], "fields": {}}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """The answer to what cannot be a request, such as one for another host."""
    if not request.path.startswith("/api/"):
        return defaults.bad_request(request, exception)
    return JsonResponse({"code": "unreadable", "message": "This request cannot be read.", "fields": {}}, status=400)
