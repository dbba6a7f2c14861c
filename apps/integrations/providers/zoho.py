"""Zoho in the hub: planned."""

from apps.integrations.providers.base import Kind, Provider

ZOHO = Provider(
    key="zoho",
    name="Zoho",
    kind=Kind.CRM,
    summary="Leads, contacts and accounts of Zoho CRM.",
    icon="blocks",
)
