"""The OpenAPI document: what every operation has in common is said here once."""

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

from apps.api import idempotency, keys
from apps.api.errors import ErrorOutput
from apps.api.fields import LARGEST_ID, Input

_REFUSALS = {
    "400": "The request cannot be used; `fields` says why.",
    "401": "There is no such key, or it was revoked, or it has expired.",
    "403": "The key lacks the scope.",
    "404": "There is no such thing in the account.",
    "409": "It cannot be done as things are: the record moved, somebody has this e-mail address, syncs are off, …",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "429": "Too many calls with this key in this minute; `Retry-After` says how many seconds to wait.",
    "503": "Somebody else is changing the same data; try again after `Retry-After` seconds.",
}
_ID_WORDS = "Id of the {}."
_IDEMPOTENCY = {
    "name": idempotency.HEADER,
    "in": "header",
    "required": False,
    "description": (
        "A word that you draw for this request. Sent again within 24 hours with the same body, the request takes no "
        "effect and is answered as before, with the header `Idempotency-Replayed: true`; with another body it is 409."
    ),
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[ -~]*$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": 'The version that you have seen, such as `"3"`; another way to send the field `version`.',
    "schema": {"type": "string", "pattern": r'^((W/)?"?[0-9]{1,18}"?|\*)$'},
}


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself when it is defined
    """How a key is sent."""

    target_class = keys.KeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A key that an admin of the account made at /settings/api-keys/.",
        }


class ApiSchema(AutoSchema):
    """An operation with its scope, its headers, its refusals, and words for the ids in its address."""

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return type(serializer).__name__.removesuffix("Output")

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        kind = serializer if isinstance(serializer, type) else type(serializer)
        if issubclass(kind, Input) and "properties" in schema:
            schema["additionalProperties"] = False
        return schema

    def get_operation(self, *arguments: Any, **named: Any) -> Any:
        operation = super().get_operation(*arguments, **named)
        if operation is None:
            return None
        self._say_scope(operation)
        parameters = operation.setdefault("parameters", [])
        for parameter in parameters:
            if parameter["in"] == "path":
                parameter["description"] = _ID_WORDS.format(parameter["name"].removesuffix("_id").replace("_", " "))
                parameter["schema"] = {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}
        if self.method == "POST":
            parameters.append(_IDEMPOTENCY)
        if self.method == "PATCH" and getattr(self.view, "has_versions", False):
            parameters.append(_IF_MATCH)
        for response in operation["responses"].values():
            response["description"] = response.get("description") or "What was asked for."
        self._add_refusals(operation)
        return operation

    def _say_scope(self, operation: dict[str, Any]) -> None:
        scope = getattr(self.view, "scopes", {}).get(self.method)
        if scope is not None:
            operation["description"] = f"{operation.get('description', '')}\n\nNeeds the scope `{scope}`.".strip()

    def _add_refusals(self, operation: dict[str, Any]) -> None:
        error = self.resolve_serializer(ErrorOutput, "response").ref
        for status in self._refusals(operation):
            operation["responses"].setdefault(
                status, {"description": _REFUSALS[status], "content": {"application/json": {"schema": error}}}
            )
        operation["responses"] = dict(sorted(operation["responses"].items()))

    def _refusals(self, operation: dict[str, Any]) -> list[str]:
        found = ["400", "401", "403", "429", "503"]
        if any(parameter["in"] == "path" for parameter in operation["parameters"]):
            found.append("404")
        if self.method not in {"GET", "HEAD"}:
            found += ["409", "413", "415"]
        return found


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; it is the same for everybody."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found
