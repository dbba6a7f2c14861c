"""What every page's shell shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.audience.selectors.types import custom_types
from apps.integrations.models import Connection, ConnectionState, Health
from apps.notifications.inbox import MOST_COUNTED, unread_count
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.tenants.directory import tenants_of
from apps.tenants.models import DirectoryKind, Membership, Tenant, User
from apps.tenants.roles import Right

_MOST_COUNTED = 99
THEMES = (("system", "monitor"), ("light", "sun"), ("dark", "moon"))
"""The themes to choose from, with their icons."""


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A line of the navigation."""

    label: str
    url: str
    icon: str
    is_current: bool
    counts_errors: bool


@dataclass(frozen=True, slots=True)
class NavigationGroup:
    """Lines that belong together."""

    title: str
    items: list[NavigationItem]


@dataclass(frozen=True, slots=True)
class Banner:
    """What is wrong with the connection, on every page until it is mended."""

    kind: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class ConnectionLine:
    """The connection in one line, at the foot of the navigation."""

    kind: str
    words: str


_GROUPS = (
    ("", (("Overview", "overview", "layout-dashboard"),)),
    (
        "Audience",
        (
            ("People", "people-list", "users"),
            ("Companies", "companies-list", "building-2"),
            ("Opportunities", "opportunities-list", "handshake"),
            ("Lists", "lists-list", "list"),
            ("Sequences", "sequences-list", "list-ordered"),
        ),
    ),
    (
        "Salesforce",
        (
            ("Integrations", "hub", "plug"),
            ("What syncs", "profiles", "arrow-left-right"),
            ("Rules", "actions-list", "workflow"),
            ("Activity log", "log-list", "activity"),
            ("Outbound queue", "queue-list", "send"),
            ("Sync errors", "errors-list", "triangle-alert"),
            ("Sync settings", "sync-settings", "settings"),
        ),
    ),
    (
        "Data",
        (
            ("Imports", "imports-list", "file-up"),
            ("Custom fields", "custom-fields", "text-cursor-input"),
            ("Score points", "scores", "trending-up"),
            ("Webhooks", "webhooks-list", "webhook"),
            ("Privacy", "privacy", "shield-check"),
        ),
    ),
)
_NEEDS_RIGHT = {
    "imports-list": Right.EDIT_RECORDS,
    "webhooks-list": Right.EDIT_SETTINGS,
    "privacy": Right.EDIT_SETTINGS,
}
_NEEDS_CONNECTION = {"opportunities-list", "profiles", "log-list", "queue-list", "errors-list", "sync-settings"}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation, accounts to switch to, and the banner; empty for a stranger."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {"themes": THEMES}
    connection = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).first()
    own = tenants_of(DirectoryKind.MEMBER, str(request.user.pk))
    return {
        "membership": membership,
        "may_manage_keys": membership.may(Right.MANAGE_API_KEYS),
        "tenant": getattr(request, "tenant", None),
        "tenants": Tenant.objects.filter(pk__in=own).order_by("name"),
        "navigation": _navigation(request.path, connection, membership),
        "open_errors": open_errors() if connection else "",
        "unread_notices": _unread(request),
        "health_banner": _banner(connection),
        "connection_line": _line(connection),
        "themes": THEMES,
    }


def _navigation(path: str, connection: Connection | None, membership: Membership) -> list[NavigationGroup]:
    urls = {name: reverse(f"console:{name}") for _, pages in _GROUPS for _, name, _ in pages}
    overview = urls["overview"]
    current = max(
        (url for url in urls.values() if path == url or (url != overview and path.startswith(url))), key=len, default=""
    )
    groups = [
        NavigationGroup(
            title,
            [
                NavigationItem(label, urls[name], icon, urls[name] == current, name == "errors-list")
                for label, name, icon in pages
                if (connection is not None or name not in _NEEDS_CONNECTION)
                and membership.may(_NEEDS_RIGHT.get(name, Right.VIEW))
            ],
        )
        for title, pages in _GROUPS
    ]
    for group in groups:
        if group.title == "Audience":
            group.items.extend(_own_types(path))
    return [group for group in groups if group.items]


def _own_types(path: str) -> list[NavigationItem]:
    """The record types that the tenant added."""
    shown = [(one, reverse("console:records-list", args=[one.key])) for one in custom_types()]
    return [NavigationItem(one.label_plural, url, "box", path.startswith(url), False) for one, url in shown]


def open_errors() -> str:
    """How many errors wait for somebody; "" for none, and no more than two digits."""
    count = len(SyncError.objects.filter(state__in=LIVE_STATES).values("id")[: _MOST_COUNTED + 1])
    return f"{_MOST_COUNTED}+" if count > _MOST_COUNTED else (str(count) if count else "")


def _unread(request: HttpRequest) -> str:
    count = unread_count(request.user) if isinstance(request.user, User) else 0
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else (str(count) if count else "")


def _line(connection: Connection | None) -> ConnectionLine | None:
    if connection is None:
        return None
    kinds = {Health.HEALTHY: "ok", Health.DELAYED: "warn", Health.PAUSED: "warn", Health.NEEDS_YOU: "bad"}
    words = {
        Health.HEALTHY: "connected",
        Health.DELAYED: "delayed",
        Health.PAUSED: "paused",
        Health.NEEDS_YOU: "needs you",
    }
    health = Health(connection.health)
    return ConnectionLine(kinds[health], f"{connection}: {words[health]}")


def _banner(connection: Connection | None) -> Banner | None:
    if connection is None or connection.health == Health.HEALTHY:
        return None
    titles = {
        Health.DELAYED: ("warn", "Salesforce is delayed"),
        Health.PAUSED: ("warn", "Syncing is paused"),
        Health.NEEDS_YOU: ("bad", "Salesforce needs you"),
    }
    kind, title = titles[Health(connection.health)]
    return Banner(kind, title, connection.health_reason)
