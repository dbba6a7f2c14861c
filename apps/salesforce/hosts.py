"""Which hosts may see a token."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from apps.domain.failures import Category, Internal

_OWN_DOMAINS = ("salesforce.com", "force.com", "cloudforce.com", "salesforce.mil")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def _refuse(url: str) -> Internal:
    shown = url.rpartition("@")[2][:100]  # what stands before "@" may be a password
    return Internal(Category.UNTRUSTED_HOST, f"{shown!r} is not an address of Salesforce.")


def is_loopback(host: str) -> bool:
    """True for ``host`` or ``host:port`` of this machine."""
    return host in _LOOPBACK or host.rsplit(":", 1)[0] in _LOOPBACK


def checked_base(url: str, trusted: Sequence[str]) -> str:
    """``scheme://host[:port]`` of an address that may see a token; raises Internal for any other.

    Salesforce's own domains by https on the usual port, and ``trusted`` hosts (``host:port``, or ``host`` for any
    port of it). Plain http only where every trusted host is loopback.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise _refuse(url) from None
    if parts.username is not None or parts.password is not None or parts.scheme not in {"http", "https"}:
        raise _refuse(url)
    netloc = parts.netloc.lower()
    host = netloc.rsplit(":", 1)[0] if re.search(r":\d+$", netloc) else netloc
    if {netloc, host} & {entry.lower() for entry in trusted}:
        if parts.scheme == "http" and not all(map(is_loopback, trusted)):
            raise _refuse(url)
        return f"{parts.scheme}://{netloc}"
    own = any(host == domain or host.endswith("." + domain) for domain in _OWN_DOMAINS)
    if parts.scheme != "https" or not own or netloc not in {host, f"{host}:443"} or not _HOST.fullmatch(host):
        raise _refuse(url)
    return f"https://{host}"
