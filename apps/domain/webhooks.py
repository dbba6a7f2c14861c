"""Webhooks: what they are about, how they are signed, when they are tried again, and where they may go."""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

SIGNATURE_HEADER = "Syncline-Signature"
EVENT_HEADER = "Syncline-Event"
EVENT_ID_HEADER = "Syncline-Event-Id"
TOLERANCE = timedelta(minutes=5)
"""A receiver refuses what was signed longer ago: it may be somebody else's replay."""


class WebhookEvent(StrEnum):
    """What an endpoint can be told of."""

    RECORD_CREATED = "record.created"
    RECORD_UPDATED = "record.updated"
    RECORD_DEACTIVATED = "record.deactivated"
    RUN_FINISHED = "run.finished"
    ERROR_OPENED = "error.opened"
    HEALTH_CHANGED = "health.changed"
    RULE_CALLED = "rule.called"
    TEST = "test"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    WebhookEvent.RECORD_CREATED: "A person or company was added",
    WebhookEvent.RECORD_UPDATED: "A person or company was changed",
    WebhookEvent.RECORD_DEACTIVATED: "A person or company was deactivated",
    WebhookEvent.RUN_FINISHED: "A sync finished or failed",
    WebhookEvent.ERROR_OPENED: "New sync errors",
    WebhookEvent.HEALTH_CHANGED: "The connection needs somebody, pauses, or is healthy again",
    WebhookEvent.RULE_CALLED: "A rule calls it",
    WebhookEvent.TEST: "A test",
}
RECORD_EVENTS = frozenset({WebhookEvent.RECORD_CREATED, WebhookEvent.RECORD_UPDATED, WebhookEvent.RECORD_DEACTIVATED})


def signature(secret: str, body: bytes, at: datetime) -> str:
    """The signature header: ``t=<unix time>,v1=<HMAC-SHA256 of "t.body" in hex>``."""
    moment = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


_DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 900, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600, 24 * 3_600)
)
MOST_ATTEMPTS = len(_DELAYS) + 1
GIVE_UP_AFTER = timedelta(days=3)
"""An endpoint that has answered nothing well for so long is switched off."""


def next_delay(attempts: int, jitter: float) -> timedelta | None:
    """How long to wait after so many failed attempts; None: no more. ``jitter`` from 0 to 1 spreads them by a fifth
    each way, so that an endpoint that comes back is not hit by all at once."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return _DELAYS[attempts - 1] * (0.8 + 0.4 * jitter)


def rest_after(failures: int) -> timedelta:
    """How long an endpoint that failed so many times in a row is left alone, so that it does not hold up others."""
    return timedelta(seconds=min(300, 2**failures))


_EMBEDDING = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def is_public(address: str) -> bool:
    """True for an address of the public internet: not private, loopback, link-local (where clouds keep their
    metadata), shared, reserved or multicast, nor an IPv6 form of one of these."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found.sixtofour is not None or found.teredo is not None or any(found in net for net in _EMBEDDING):
            return False  # tunnels to IPv4 that may end anywhere
        if found.is_site_local or found in ipaddress.ip_network("::/96"):
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def slack_text(event: WebhookEvent, data: Mapping[str, Any], base_url: str) -> str:
    """One message for a chat channel."""
    lines = [f"*{_slack(str(data.get('title') or event.label))}*"]
    lines += [_slack(str(data["text"]))] if data.get("text") else []
    if data.get("path"):
        lines.append(f"<{base_url}{data['path']}|Open in Syncline>")
    return "\n".join(lines)


def _slack(text: str) -> str:
    """Text in which nothing is a link or a mention (Slack: "Formatting text", escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
