"""What every page's shell shows."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.integrations.models import Connection, ConnectionState, Health
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.tenants.directory import tenants_of
from apps.tenants.models import DirectoryKind, Membership, Tenant

_MOST_COUNTED = 99
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A line of the navigation."""

    label: str
    url: str
    icon: str
    is_current: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """What is wrong with the connection, on every page until it is mended."""

    kind: str
    title: str
    words: str


_PAGES = (
    ("Overview", "overview", "layout-dashboard"),
    ("People", "people-list", "users"),
    ("Companies", "companies-list", "building-2"),
    ("Opportunities", "opportunities-list", "handshake"),
    ("Lists", "lists-list", "list"),
    ("Integrations", "hub", "plug"),
    ("Activity log", "log-list", "activity"),
    ("Sync errors", "errors-list", "triangle-alert"),
    ("Sync settings", "sync-settings", "settings"),
)
_NEEDS_CONNECTION = {"opportunities-list", "log-list", "errors-list", "sync-settings"}


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation, accounts to switch to, and the banner; empty for a stranger."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None:
        return {"themes": THEMES}
    connection = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).first()
    own = tenants_of(DirectoryKind.MEMBER, str(request.user.pk))
    return {
        "membership": membership,
        "tenant": getattr(request, "tenant", None),
        "tenants": Tenant.objects.filter(pk__in=own).order_by("name"),
        "navigation": _navigation(request.path, connection),
        "health_banner": _banner(connection),
        "themes": THEMES,
    }


def _navigation(path: str, connection: Connection | None) -> list[NavigationItem]:
    items = []
    for label, name, icon in _PAGES:
        if connection is None and name in _NEEDS_CONNECTION:
            continue
        url = reverse(f"console:{name}")
        count = _open_errors() if name == "errors-list" else ""
        items.append(NavigationItem(label, url, icon, False, count))
    current = max((item.url for item in items if path.startswith(item.url)), key=len, default="")
    return [NavigationItem(i.label, i.url, i.icon, i.url == current, i.count) for i in items]


def _open_errors() -> str:
    live = SyncError.objects.filter(state__in=LIVE_STATES).values("id")[: _MOST_COUNTED + 1]
    count = len(live)
    return f"{_MOST_COUNTED}+" if count > _MOST_COUNTED else (str(count) if count else "")


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
