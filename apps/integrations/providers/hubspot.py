"""HubSpot in the hub: planned."""

from apps.integrations.providers.base import Kind, Provider

HUBSPOT = Provider(
    key="hubspot",
    name="HubSpot",
    kind=Kind.CRM,
    summary="Contacts, companies and deals of HubSpot CRM.",
    icon="orbit",
)
