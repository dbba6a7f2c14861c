"""One HTTP session for every call: own host only, timeouts, no redirects, usage read, token renewed once.

It closes what simple-salesforce leaves open: https is hard-coded there, calls have no timeout, a token given from
outside is never renewed, and an odd id could send the token to another host.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter

from apps.domain.failures import Category, Internal, Transient
from apps.salesforce.errors import failure_from
from apps.salesforce.hosts import is_loopback

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
_USAGE_HEADER = "Sforce-Limit-Info"


class TokenSource(Protocol):
    """Gives the token in force, and a new one once per expiry, however many ask."""

    def access_token(self) -> str: ...

    def renew(self, stale: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of the org in its rolling 24 hours, as Salesforce counts them."""

    used: int
    allowed: int


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


def _retry_after(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _http_date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


class SalesforceSession(requests.Session):
    """Calls exactly one instance with whatever token is in force."""

    def __init__(
        self, instance_url: str, tokens: TokenSource, on_call: Callable[[CallRecord], None] | None = None
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = 0
        self._base = urlsplit(instance_url)
        self._tokens = tokens
        self._on_call = on_call
        self.org_time: datetime | None = None
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=4, max_retries=0)
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
            failure = failure_from(401, answer.text)
            if failure.category is not Category.SESSION_EXPIRED:
                raise failure
            answer = self._send(method, target, self._tokens.renew(token), options)
        if not 200 <= answer.status_code < 300 and answer.status_code not in {300, 304}:
            raise failure_from(answer.status_code, answer.text, _retry_after(answer))
        return answer

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
        try:
            answer = super().request(method, url, **{**options, "headers": headers})
        except requests.RequestException as error:
            self._record(0, 0, None)
            raise Transient(Category.UNAVAILABLE, f"Salesforce cannot be reached ({type(error).__name__}).") from None
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
