"""The hub of integrations (A01): a card for each system, connected or planned."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from apps.integrations.models import Connection, ConnectionState
from apps.integrations.providers import Provider, providers_by_kind
from apps.integrations.services.oauth import live_connection
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right


@dataclass(frozen=True, slots=True)
class Card:
    """A system with its state in words; ``tone`` names the badge's colour."""

    provider: Provider
    state: str
    tone: str
    action: str


def card_for(provider: Provider, connection: Connection | None) -> Card:
    """The card of one system. A planned one has no action."""
    if not provider.is_available:
        return Card(provider, "Planned", "off", "")
    if connection is None:
        return Card(provider, "Not connected", "off", "Connect")
    if connection.state == ConnectionState.NEEDS_RECONNECT:
        return Card(provider, "Needs you", "bad", "Configure")
    return Card(provider, "Connected", "ok", "Configure")


@member_page(Right.VIEW)
def hub(request: MemberRequest) -> HttpResponse:
    """All systems by kind, or those that fit the search."""
    words = request.GET.get("q", "").strip()[:100]
    connection = live_connection()
    groups = [
        (kind, [card_for(p, connection if connection and connection.provider == p.key else None) for p in providers])
        for kind, providers in providers_by_kind(words)
    ]
    return render(request, "console/hub/hub.html", {"groups": groups, "words": words})
