"""Salesforce Canvas' signed request: who is looking, in which org, at which record (Canvas guide, "Verifying and
Decoding a Signed Request").

The text is base64 of a MAC, a dot, and base64 of JSON. The MAC is over the second part as it was sent.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from apps.domain.values import Unreadable, normalize_id

LONGEST = 64 * 1024
"""Characters of a signed request; Salesforce's have about five thousand."""
BELIEVED_FOR = timedelta(minutes=5)
AHEAD = timedelta(minutes=1)
"""How far Salesforce's clock may be ahead of ours."""
_ALGORITHM = "HMACSHA256"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Reason(StrEnum):
    """Why a request is not believed, or shows nothing."""

    MALFORMED = "malformed"
    FORGED = "forged"
    STALE = "stale"
    REPLAYED = "replayed"
    NOT_CONNECTED = "not_connected"
    NO_RECORD = "no_record"
    NOT_APPROVED = "not_approved"
    NOT_FRAMED = "not_framed"


class Refused(Exception):
    """The request opens nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Claims:
    """What a believed request says. Ids have 18 characters; ``digest`` names the text that was signed,
    however its MAC was written."""

    org_id: str
    user_id: str
    user_name: str
    remote_id: str
    digest: str


def read_signed_request(text: str, *, secrets: Sequence[bytes], now: datetime) -> Claims:
    """Believe a signed request, or raise Refused: its MAC first, on the bytes as sent and in constant time, then the
    algorithm's name, its age, and what it says."""
    mac, dot, payload = text.partition(".")
    if not dot or not text.isascii() or len(text) > LONGEST:
        raise Refused(Reason.MALFORMED)
    given, signed = _decoded(mac), payload.encode()
    expected = [hmac.new(one, signed, hashlib.sha256).digest() for one in secrets]
    if sum(hmac.compare_digest(one, given) for one in expected) == 0:
        raise Refused(Reason.FORGED)
    said = _object(signed)
    if str(said.get("algorithm")).upper() != _ALGORITHM:
        raise Refused(Reason.MALFORMED)
    _check_age(said, now)
    return _claims(said, hashlib.sha256(signed).hexdigest())


def _decoded(text: str) -> bytes:
    """Base64 in either alphabet, padded or not."""
    data = text.encode().translate(_URL_SAFE)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except binascii.Error:
        raise Refused(Reason.MALFORMED) from None


def _object(signed: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(_decoded(signed.decode()))
    except (ValueError, RecursionError):
        raise Refused(Reason.MALFORMED) from None
    return _part({"all": said}, "all")


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    if not isinstance(found, dict):
        raise Refused(Reason.MALFORMED)
    return found


def _optional(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _check_age(said: Mapping[str, Any], now: datetime) -> None:
    """The age is told by our Visualforce page, which puts the moment at which it was rendered among the parameters:
    ``issuedAt`` is "for internal use only" by the guide, and in older editions the time of the OAuth token. Where the
    page says nothing, ``issuedAt`` counts."""
    environment = _optional(_optional(said, "context"), "environment")
    at = _moment(_optional(environment, "parameters").get("renderedAt")) or _moment(said.get("issuedAt"))
    if at is None or not now - BELIEVED_FOR <= at <= now + AHEAD:
        raise Refused(Reason.STALE)


def _moment(raw: Any) -> datetime | None:
    """Milliseconds since 1970, as a number or as text."""
    text = str(raw)
    if isinstance(raw, bool) or not text.isascii() or not text.isdecimal() or len(text) > 14:
        return None
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def _claims(said: Mapping[str, Any], digest: str) -> Claims:
    context = _part(said, "context")
    user = _part(context, "user")
    org_id = _id(_part(context, "organization").get("organizationId"), "00D")
    user_id = _id(user.get("userId"), "005")
    environment = _optional(context, "environment")
    named = [
        _id(raw)
        for raw in (
            _optional(environment, "record").get("Id"),
            _optional(environment, "parameters").get("recordId"),
        )
        if raw
    ]
    if not named:
        raise Refused(Reason.NO_RECORD)
    if len(set(named)) > 1:
        raise Refused(Reason.MALFORMED)
    name = str(user.get("fullName") or user.get("userName") or user_id)
    return Claims(org_id, user_id, name.replace("\0", "")[:200], named[0], digest)


def _id(raw: Any, prefix: str = "") -> str:
    """An id of 18 characters; of one kind, where the prefix is named."""
    try:
        text = normalize_id(str(raw))
    except Unreadable:
        raise Refused(Reason.MALFORMED) from None
    if not text.startswith(prefix):
        raise Refused(Reason.MALFORMED)
    return text
