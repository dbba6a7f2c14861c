"""The one table from what Salesforce answers to our failures.

Bodies come as an array of ``{message, errorCode, fields}``, an OAuth object, XML, HTML or nothing at all
(recorded answers: ``recorded/errors``, ``recorded/oauth``).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from apps.domain.failures import (
    AuthorizationLost,
    Category,
    Failure,
    Internal,
    JobLost,
    MappingBroken,
    NotPermitted,
    RowFailure,
    Transient,
)

_C = Category

CODES: dict[str, Category] = {
    "INVALID_SESSION_ID": _C.SESSION_EXPIRED,
    "INVALID_AUTH_HEADER": _C.SESSION_EXPIRED,
    "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": _C.INVALID_GRANT,
    "REQUEST_LIMIT_EXCEEDED": _C.REQUEST_LIMIT,
    "API_DISABLED_FOR_ORG": _C.API_DISABLED,
    "API_CURRENTLY_DISABLED": _C.API_DISABLED,
    "SERVER_UNAVAILABLE": _C.UNAVAILABLE,
    "QUERY_TIMEOUT": _C.QUERY_TOO_SLOW,
    "UNABLE_TO_LOCK_ROW": _C.ROW_LOCKED,
    "TXN_SECURITY_METERING_ERROR": _C.UNAVAILABLE,
    "TXN_SECURITY_NO_ACCESS": _C.INSUFFICIENT_ACCESS,
    "DUPLICATES_DETECTED": _C.DUPLICATE_DETECTED,
    "DUPLICATE_VALUE": _C.DUPLICATE_VALUE,
    "REQUIRED_FIELD_MISSING": _C.REQUIRED_FIELD_MISSING,
    "STRING_TOO_LONG": _C.TOO_LONG,
    "INVALID_EMAIL_ADDRESS": _C.INVALID_EMAIL,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": _C.RESTRICTED_PICKLIST,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": _C.VALIDATION_RULE,
    "FIELD_INTEGRITY_EXCEPTION": _C.INVALID_VALUE,
    "FIELD_FILTER_VALIDATION_EXCEPTION": _C.INVALID_VALUE,
    "JSON_PARSER_ERROR": _C.INVALID_VALUE,
    "NUMBER_OUTSIDE_VALID_RANGE": _C.INVALID_VALUE,
    "INVALID_FIELD": _C.FIELD_GONE,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _C.FIELD_GONE,
    "INVALID_TYPE": _C.OBJECT_GONE,
    "INVALID_TYPE_FOR_OPERATION": _C.OBJECT_GONE,
    "MALFORMED_QUERY": _C.MALFORMED_QUERY,
    "INVALID_QUERY_FILTER_OPERATOR": _C.MALFORMED_QUERY,
    "INSUFFICIENT_ACCESS_OR_READONLY": _C.INSUFFICIENT_ACCESS,
    "INSUFFICIENT_ACCESS": _C.INSUFFICIENT_ACCESS,
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": _C.INSUFFICIENT_ACCESS,
    "ENTITY_IS_LOCKED": _C.RECORD_LOCKED,
    "INVALID_CROSS_REFERENCE_KEY": _C.BAD_REFERENCE,
    "MALFORMED_ID": _C.BAD_REFERENCE,
    "NOT_FOUND": _C.RECORD_DELETED,
    "ENTITY_IS_DELETED": _C.RECORD_DELETED,
    "CANNOT_UPDATE_CONVERTED_LEAD": _C.CONVERTED_LEAD,
    "INACTIVE_OWNER_OR_USER": _C.OWNER_INACTIVE,
    "STORAGE_LIMIT_EXCEEDED": _C.STORAGE_LIMIT,
    "INVALID_QUERY_LOCATOR": _C.CURSOR_EXPIRED,
    "INVALIDJOBSTATE": _C.JOB_FAILED,
    "INVALIDENTITY": _C.BULK_UNSUPPORTED,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": _C.ROW_LOCKED,
    "PROCESSING_HALTED": _C.ROW_LOCKED,
    # OAuth (recorded/oauth/quoted)
    "invalid_grant": _C.INVALID_GRANT,
    "access_denied": _C.ACCESS_DENIED,
    "OAUTH_APP_BLOCKED": _C.APP_NOT_INSTALLED,
    "OAUTH_APPROVAL_ERROR_GENERIC": _C.APP_NOT_INSTALLED,
    "OAUTH_EC_APP_NOT_FOUND": _C.APP_NOT_INSTALLED,
    "invalid_client": _C.CONFIGURATION,
    "invalid_client_id": _C.CONFIGURATION,
    "redirect_uri_mismatch": _C.CONFIGURATION,
    "unsupported_grant_type": _C.CONFIGURATION,
    "inactive_user": _C.INVALID_GRANT,
    "inactive_org": _C.INVALID_GRANT,
}

_TREE: dict[Category, type[Failure]] = {
    _C.SESSION_EXPIRED: AuthorizationLost,
    _C.INVALID_GRANT: AuthorizationLost,
    _C.APP_NOT_INSTALLED: AuthorizationLost,
    _C.ACCESS_DENIED: AuthorizationLost,
    _C.API_DISABLED: NotPermitted,
    _C.INSUFFICIENT_ACCESS: NotPermitted,
    _C.FIELD_GONE: MappingBroken,
    _C.OBJECT_GONE: MappingBroken,
    _C.BULK_UNSUPPORTED: MappingBroken,
    _C.CURSOR_EXPIRED: JobLost,
    _C.JOB_GONE: JobLost,
    _C.JOB_FAILED: JobLost,
    _C.REQUEST_LIMIT: Transient,
    _C.CONCURRENT_LIMIT: Transient,
    _C.UNAVAILABLE: Transient,
    _C.ROW_LOCKED: Transient,
    _C.QUERY_TOO_SLOW: Transient,
}

_TRANSIENT_STATUSES = frozenset({406, 408, 420, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Said:
    code: str
    message: str
    fields: tuple[str, ...] = ()
    matched: tuple[str, ...] = ()


def _matched_ids(item: dict[str, Any]) -> tuple[str, ...]:
    # Salesforce's own spelling is "duplicateResut" (three captures, v50 to v56).
    result = item.get("duplicateResut") or item.get("duplicateResult") or {}
    return tuple(
        match["record"]["Id"]
        for matches in result.get("matchResults", [])
        for match in matches.get("matchRecords", [])
        if "Id" in match.get("record", {})
    )


def _said(body: str) -> _Said | None:
    """Code and message of an answer's first error; None where the body tells none."""
    try:
        data = json.loads(body)
    except ValueError:
        found = re.search(r"<errorCode>([^<]+)</errorCode>\s*<message>([^<]*)</message>", body)
        return _Said(found.group(1), found.group(2)) if found else None
    if isinstance(data, list) and data and isinstance(data[0], dict):
        data = data[0]
    if not isinstance(data, dict):
        return None
    code = data.get("errorCode") or data.get("statusCode") or data.get("error")
    if not isinstance(code, str):
        return None
    message = data.get("message") or data.get("error_description") or code
    return _Said(code, str(message), tuple(data.get("fields") or ()), _matched_ids(data))


def category_of(code: str, message: str = "") -> Category:
    """The category of a code; lock errors inside a trigger's text count as locks, unknown codes as invalid values."""
    if "UNABLE_TO_LOCK_ROW" in message:
        return Category.ROW_LOCKED
    if code == "REQUEST_LIMIT_EXCEEDED" and "Concurrent" in message:
        return Category.CONCURRENT_LIMIT
    return CODES.get(code, Category.INVALID_VALUE)


def failure_from(status: int, body: str, retry_after: float | None = None) -> Failure:
    """The failure that an answer with an error status means."""
    said = _said(body)
    if said is None:
        if status in _TRANSIENT_STATUSES or status < 400:
            return Transient(
                Category.UNAVAILABLE,
                f"Salesforce answered with status {status} and no words.",
                raw=body,
                retry_after=retry_after,
            )
        return Internal(Category.INTERNAL, f"Salesforce answered with status {status}.", raw=body)
    known = said.code in CODES
    category = category_of(said.code, said.message)
    if not known and status in _TRANSIENT_STATUSES:
        category = Category.UNAVAILABLE
    kind = _TREE.get(category, Internal)
    return kind(category, said.message, fields=said.fields, raw=body, retry_after=retry_after)


def row_failure(error: dict[str, Any]) -> RowFailure:
    """The failure of one row, from an element of ``errors`` of a save result."""
    code = str(error.get("statusCode") or error.get("errorCode") or "")
    message = str(error.get("message") or code)
    return RowFailure(
        category_of(code, message),
        message,
        tuple(error.get("fields") or ()),
        _matched_ids(error),
        json.dumps(error)[:4000],
    )


def oauth_failure(error: str, description: str = "") -> Failure:
    """The failure that an OAuth error code means, from a token answer or a callback's query."""
    category = CODES.get(error, Category.CONFIGURATION)
    return _TREE.get(category, Internal)(category, description or error)
