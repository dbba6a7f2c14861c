"""One HTTP session for every call: own host only, timeouts, no redirects, usage read, token renewed once.

It closes what simple-salesforce leaves open: https is hard-coded there, calls have no timeout, a token given from
outside is never renewed, headers are lost on the way, and an odd id could send the token to another host.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from apps.domain.failures import Category, Failure, Internal, Transient
from apps.domain.ports import Usage
from apps.salesforce.errors import failure_from
from apps.salesforce.hosts import is_loopback

__all__ = [
    "BoundedAdapter",
    "CallRecord",
    "SalesforceSession",
    "TokenSource",
    "Usage",
    "broken_off",
    "parse_usage",
    "whole_answer",
]

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
CALL_SECONDS = 60.0
"""What one call may take from first to last byte, whatever drips in between."""
_CHUNK = 1 << 16
_USAGE_HEADER = "Sforce-Limit-Info"
_MOVED = frozenset({301, 302, 303, 307, 308})


class TokenSource(Protocol):
    """Gives the token in force, and a new one once per expiry, however many ask."""

    def access_token(self) -> str:
        """The token in force."""

    def renew(self, stale: str) -> str:
        """A token other than ``stale``; raises AuthorizationLost where only a person can help."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, for the ledger; it names no record."""

    status: int
    bytes_in: int
    usage: Usage | None


def parse_usage(header: str | None) -> Usage | None:
    """``api-usage=24/15000`` (recorded on all data answers)."""
    for part in (header or "").split(";"):
        name, _, value = part.strip().partition("=")
        used, _, allowed = value.partition("/")
        if name == "api-usage" and used.isdigit() and allowed.isdigit():
            return Usage(int(used), int(allowed))
    return None


@contextmanager
def whole_answer() -> Iterator[None]:
    """Turn an answer that is no JSON into an outage: it is never data, nor "no rows" (fault F17)."""
    try:
        yield
    except requests.exceptions.JSONDecodeError:
        raise Transient(Category.UNAVAILABLE, "Salesforce answered with something else than data.") from None


def broken_off(error: Exception) -> Transient:
    """The failure of a connection; the error's own text is left out, for it may quote an address."""
    return Transient(Category.UNAVAILABLE, f"Salesforce cannot be reached ({type(error).__name__}).")


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds, or the time until a date."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    moment, now = _http_date(value), _http_date(answer.headers.get("Date"))
    return max(0.0, (moment - now).total_seconds()) if moment and now else None


def _http_date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


class BoundedAdapter(HTTPAdapter):
    """Leaves a server that drips at the deadline of the call (fault F18).

    requests itself reads until a whole chunk is there, and each drop begins its time limit anew.
    """

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """The answer, read to its end unless it is wanted as a stream."""
        deadline = time.monotonic() + CALL_SECONDS
        answer = super().send(request, *args, **{**options, "stream": True})
        try:
            if not options.get("stream"):
                _read_body(answer, deadline)
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(type(error).__name__) from None
        return answer


def _read_body(answer: requests.Response, deadline: float) -> None:
    parts: list[bytes] = []
    while part := answer.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        if time.monotonic() > deadline:
            answer.close()
            raise requests.ReadTimeout
    answer.raw.release_conn()
    answer._content = b"".join(parts)
    answer._content_consumed = True  # type: ignore[attr-defined]  # as requests marks a body that is read


class SalesforceSession(requests.Session):
    """Calls exactly one instance with whatever token is in force. One object per task."""

    def __init__(
        self, instance_url: str, tokens: TokenSource, on_call: Callable[[CallRecord], None] | None = None
    ) -> None:
        super().__init__()
        self.trust_env = False
        self._base = urlsplit(instance_url)
        self._tokens = tokens
        self._on_call = on_call
        self.org_time: datetime | None = None
        adapter = BoundedAdapter(pool_connections=4, pool_maxsize=4, max_retries=0)
        self.mount("https://", adapter)
        if self._base.scheme == "http":
            self.mount("http://", adapter)
        else:
            del self.adapters["http://"]

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send, renew the token once where it had expired, and raise a Failure for an error status."""
        target = self._own(str(url))
        options["allow_redirects"] = False
        options["timeout"] = (CONNECT_TIMEOUT, READ_TIMEOUT)
        token = self._tokens.access_token()
        answer = self._send(method, target, token, options)
        if answer.status_code == 401:
            failure = self._failure(answer)
            if failure.category is not Category.SESSION_EXPIRED:
                raise failure
            if hasattr(options.get("data"), "seek"):
                options["data"].seek(0)
            answer = self._send(method, target, self._tokens.renew(token), options)
        if self._has_moved(answer):
            # Another host is believed only from a token answer (fault F11): the next task starts from there.
            answer.close()
            self._tokens.renew(token)
            raise Transient(Category.UNAVAILABLE, "The org seems to have moved; its new address was asked for.")
        if not 200 <= answer.status_code < 300 and answer.status_code not in {300, 304}:
            raise self._failure(answer)
        return answer

    def _failure(self, answer: requests.Response) -> Failure:
        try:
            return failure_from(answer.status_code, answer.text, _retry_after(answer))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            return broken_off(error)
        finally:
            answer.close()

    def _has_moved(self, answer: requests.Response) -> bool:
        """An old host redirects, or answers with a page of its own: API answers are never HTML with 404."""
        is_page = "html" in answer.headers.get("Content-Type", "")
        return answer.status_code in _MOVED or (answer.status_code == 404 and is_page)

    def _own(self, url: str) -> str:
        parts = urlsplit(url)
        scheme = self._base.scheme if is_loopback(self._base.netloc) else parts.scheme
        if parts.netloc != self._base.netloc or scheme != self._base.scheme:
            raise Internal(Category.UNTRUSTED_HOST, "A call was about to leave the connection's own host.")
        return urlunsplit(parts._replace(scheme=scheme))

    def _send(self, method: str, url: str, token: str, options: dict[str, Any]) -> requests.Response:
        headers = dict(options.get("headers") or {})
        headers["Authorization"] = f"Bearer {token}"
        headers.setdefault("Sforce-Call-Options", "client=Syncline")
        headers.pop("X-PrettyPrint", None)  # simple-salesforce asks for blanks that nobody reads
        try:
            answer = super().request(method, url, **{**options, "headers": headers})
        except requests.RequestException as error:
            self._record(0, 0, None)
            raise broken_off(error) from None
        self.org_time = _http_date(answer.headers.get("Date")) or self.org_time
        length = answer.headers.get("Content-Length", "0")
        self._record(
            answer.status_code,
            int(length) if length.isdigit() else 0,
            parse_usage(answer.headers.get(_USAGE_HEADER)),
        )
        return answer

    def _record(self, status: int, size: int, usage: Usage | None) -> None:
        if self._on_call is not None:
            self._on_call(CallRecord(status, size, usage))
