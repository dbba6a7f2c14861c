"""From what Salesforce answers to our failures, whatever shape the answer has; the codes are in ``codes.py``.

Bodies come as an array of ``{message, errorCode, fields}``, an OAuth object, a save result, XML, HTML or nothing at
all (recorded answers: ``recorded/errors``, ``recorded/oauth``, ``recorded/collections``).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from apps.domain.failures import Category, Failure, Internal, RowFailure, Transient
from apps.salesforce.codes import CODES, PHRASES, TREE

__all__ = ["CODES", "bulk_row_failure", "category_of", "failure_from", "oauth_failure", "row_failure", "scrubbed"]

_TRANSIENT_STATUSES = frozenset({406, 408, 420, 429})
_RAW = 4000
_SECRETS = re.compile(
    r"00D[A-Za-z0-9]{12,15}(?:!|%21)[A-Za-z0-9._-]+"  # a session id: org id, "!", secret
    r"|5Aep861[A-Za-z0-9._-]+"  # a refresh token
    r"|(?<=Bearer )\S+"
    r'|(?<="access_token":")[^"]+|(?<="refresh_token":")[^"]+|(?<="id_token":")[^"]+'
)
_XML = re.compile(r"<errorCode>([^<]+)</errorCode>\s*<message>([^<]*)</message>")
_XML_TURNED = re.compile(
    r"<(?:exceptionCode|faultcode)>([^<]+)</\S+?>.*?<(?:exceptionMessage|faultstring)>([^<]*)<", re.S
)
_CODE = re.compile(r"[A-Z][A-Z0-9_]+")
_NAMES = re.compile(r"\s*(?:[\w.]+(?:[,;]\s*[\w.]+)*)?\s*")


@dataclass(frozen=True, slots=True)
class _Said:
    code: str
    message: str
    fields: tuple[str, ...] = ()


def scrubbed(text: str) -> str:
    """At most 4 kB of an answer, without anything that opens a door."""
    return _SECRETS.sub("…", text[: 2 * _RAW])[:_RAW]


def _matched_ids(item: dict[str, Any]) -> tuple[str, ...]:
    # Salesforce's own spelling is "duplicateResut" (three captures, v50 to v56).
    result = item.get("duplicateResut") or item.get("duplicateResult") or {}
    return tuple(
        match["record"]["Id"]
        for matches in result.get("matchResults", [])
        for match in matches.get("matchRecords", [])
        if "Id" in match.get("record", {})
    )


def _one(item: dict[str, Any]) -> _Said | None:
    code = item.get("errorCode") or item.get("statusCode") or item.get("error") or ""
    message = item.get("message") or item.get("error_description") or code
    if not isinstance(code, str) or not message:
        return None
    return _Said(code, str(message), tuple(item.get("fields") or ()))


def _said(body: str) -> list[_Said]:
    """Codes and messages of an answer, the first one leading; nothing where the body tells none."""
    try:
        data = json.loads(body)
    except ValueError:
        found = _XML.search(body) or _XML_TURNED.search(body)
        return [_Said(found.group(1).rpartition(":")[2], found.group(2))] if found else []
    items = data if isinstance(data, list) else [data]
    return [said for item in items if isinstance(item, dict) and (said := _one(item)) is not None]


def category_of(code: str, message: str = "", unknown: Category = Category.INVALID_VALUE) -> Category:
    """The category of a code; words of the message that tell more go first."""
    for phrase, category in PHRASES:
        if phrase in message:
            return category
    return CODES.get(code, unknown)


def failure_from(status: int, body: str, retry_after: float | None = None) -> Failure:
    """The failure that an answer with an error status means."""
    said = _said(body)
    busy = status >= 500 or status in _TRANSIENT_STATUSES
    raw = scrubbed(body)
    if not said:
        if busy or status < 400:
            words = f"Salesforce answered with status {status} and no words."
            return Transient(Category.UNAVAILABLE, words, raw=raw, retry_after=retry_after)
        category = Category.SESSION_EXPIRED if status == 401 else Category.INTERNAL
        kind = TREE.get(category, Internal)
        return kind(category, f"Salesforce answered with status {status}.", raw=raw)
    first = said[0]
    unknown = Category.JOB_GONE if status == 409 else Category.UNAVAILABLE if busy else Category.INTERNAL
    category = category_of(first.code, first.message, unknown)
    return TREE.get(category, Internal)(
        category,
        " ".join(dict.fromkeys(item.message for item in said)),
        fields=tuple(dict.fromkeys(name for item in said for name in item.fields)),
        raw=raw,
        retry_after=retry_after,
    )


def row_failure(error: dict[str, Any]) -> RowFailure:
    """The failure of one row, from an element of ``errors`` of a save result."""
    code = str(error.get("statusCode") or error.get("errorCode") or "")
    message = str(error.get("message") or code)
    return RowFailure(
        category_of(code, message),
        message,
        tuple(error.get("fields") or ()),
        _matched_ids(error),
        scrubbed(json.dumps(error, ensure_ascii=False)),
    )


def bulk_row_failure(text: str) -> RowFailure:
    """The failure of one row of a Bulk job, from its cell ``sf__Error``: ``CODE:message:FIELDS --``.

    The message may hold colons, the fields may be missing (bulk2/ingest-failedResults, quoted-failedResults-lock).
    """
    code, _, rest = text.partition(":")
    if not _CODE.fullmatch(code):
        return RowFailure(category_of("", text), text or "Salesforce gave no reason.", raw=scrubbed(text))
    rest = rest.rstrip().removesuffix("--").rstrip()
    message, colon, listed = rest.rpartition(":")
    if not colon or not _NAMES.fullmatch(listed):
        message, listed = rest, ""
    names = tuple(name.strip() for name in re.split("[,;]", listed) if name.strip())
    return RowFailure(category_of(code, message), message.strip(), names, raw=scrubbed(text))


def oauth_failure(error: str, description: str = "") -> Failure:
    """The failure that an OAuth error code means, from a token answer or a callback's query."""
    category = CODES.get(error, Category.CONFIGURATION)
    return TREE.get(category, Internal)(category, scrubbed(description or error))
