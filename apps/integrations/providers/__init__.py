"""The registry of the hub: a new system is one file here and one line below."""

from apps.integrations.providers.base import Kind, Provider
from apps.integrations.providers.dynamics import DYNAMICS
from apps.integrations.providers.hubspot import HUBSPOT
from apps.integrations.providers.salesforce import SALESFORCE
from apps.integrations.providers.zoho import ZOHO

PROVIDERS: tuple[Provider, ...] = (SALESFORCE, HUBSPOT, DYNAMICS, ZOHO)


def providers_by_kind(words: str = "") -> list[tuple[Kind, list[Provider]]]:
    """Providers that fit a search, by kind and then by name; kinds without any are left out."""
    found = sorted((p for p in PROVIDERS if p.matches(words)), key=lambda p: p.name.lower())
    groups = [(kind, [p for p in found if p.kind is kind]) for kind in Kind]
    return [(kind, members) for kind, members in groups if members]


__all__ = ["PROVIDERS", "Kind", "Provider", "providers_by_kind"]
