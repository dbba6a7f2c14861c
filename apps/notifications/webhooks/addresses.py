"""Addresses that a member may name, and the connection to them: only to the public internet, and only to the very
address that was checked, so that a name that changes its mind (DNS rebinding) leads nowhere."""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from django.conf import settings

from apps.domain.webhooks import is_public

DEADLINE = 10.0
"""Seconds for one delivery, from connecting to the last byte that is read."""
_CONNECT = 5.0
_MOST_READ = 2_000
_LONGEST = 2_000
_SAFE = "/%:@!$&'()*+,;=~-._"
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")


class BadAddress(ValueError):
    """An address that nothing is sent to; the message says why, in words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``status`` is None where nothing did."""

    status: int | None
    head: str
    problem: str
    milliseconds: int
    retry_after: int = 0

    @property
    def is_good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_down(self) -> bool:
        """The endpoint itself is in trouble, whatever it was sent."""
        return self.status is None or self.status >= 500 or self.status == 429


def checked_url(typed: str) -> str:
    """The address as it is kept. Raises BadAddress for what can be seen without asking the network."""
    url = typed.strip()
    _parts(url)
    return url


def _parts(url: str) -> SplitResult:
    if len(url) > _LONGEST:
        raise BadAddress(f"The address is too long: at most {_LONGEST:,} characters.")
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise BadAddress("The address must not contain spaces or line breaks.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise BadAddress("This is no address. One looks like https://example.com/hook.") from None
    if not host:
        raise BadAddress("This is no address. One looks like https://example.com/hook.")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("The address must not contain a user name or a password.")
    is_local = _is_local(host)
    if is_local and not settings.WEBHOOKS_MAY_BE_LOCAL:
        raise BadAddress("Only addresses on the public internet can be called.")
    if parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        raise BadAddress("The address has to begin with https://.")
    return parts


def _is_local(host: str) -> bool:
    """True for a host that is this machine or this network by its very name."""
    if host in _LOCAL_NAMES or host.endswith(_LOCAL_NAMES) or host.rstrip(".").isdecimal():
        return True
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return False


def _resolved(host: str, port: int) -> str:
    """The one address that is connected to. A name with any address that is not public is refused whole."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise BadAddress("The name of the host was not found.") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses:
        raise BadAddress("The name of the host was not found.")
    for address in addresses:
        if not is_public(address) and not (settings.WEBHOOKS_MAY_BE_LOCAL and _is_loopback(address)):
            raise BadAddress("Not called: the host leads into a private network.")
    return addresses[0]


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST a body; never follows a redirect, never waits longer than the deadline, reads the beginning of the answer.

    Whatever goes wrong is an answer, too.
    """
    began = time.monotonic()
    try:
        status, head, retry_after = _exchange(_parts(url), body, headers)
        problem = "" if 200 <= status < 300 else _words(status)
        return Answer(status, head, problem, _since(began), retry_after)
    except BadAddress as refusal:
        return Answer(None, "", str(refusal), _since(began))
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "no agreement on encryption"
        return Answer(None, "", f"The connection is not secure: {reason}.", _since(began))
    except TimeoutError:
        return Answer(None, "", "It did not answer in time.", _since(began))
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = time.monotonic() - began >= DEADLINE
        words = "It did not answer in time." if late else f"The connection failed ({type(error).__name__})."
        return Answer(None, "", words, _since(began))


def _exchange(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, int]:
    host = (parts.hostname or "").encode("idna").decode()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    plain = socket.create_connection((_resolved(host, port), port), timeout=_CONNECT)
    # A timeout of a socket is for each read; one that is fed a byte at a time is ended from beside.
    ending = threading.Timer(DEADLINE, _shut, [plain])
    ending.daemon = True
    ending.start()
    link = plain
    try:
        link.settimeout(DEADLINE)
        if parts.scheme == "https":
            link = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        speaker = http.client.HTTPConnection(host, port)
        speaker.default_port = 443 if parts.scheme == "https" else 80  # left out of the Host header
        speaker.sock = link
        path = quote(parts.path or "/", safe=_SAFE)
        query = "?" + quote(parts.query, safe=_SAFE + "?") if parts.query else ""
        speaker.request("POST", path + query, body, dict(headers))
        answer = speaker.getresponse()
        head = answer.read(_MOST_READ).decode("utf-8", "replace").replace("\0", "")
        again = answer.headers.get("Retry-After", "")
        return answer.status, head, int(again) if again.isascii() and again.isdecimal() and len(again) < 7 else 0
    finally:
        ending.cancel()
        link.close()


def _shut(link: socket.socket) -> None:
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:
        link.close()


def _words(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}, a redirect, which is not followed."
    return f"It answered {status}."


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
