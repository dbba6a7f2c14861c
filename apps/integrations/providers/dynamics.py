"""Microsoft Dynamics in the hub: planned."""

from apps.integrations.providers.base import Kind, Provider

DYNAMICS = Provider(
    key="dynamics",
    name="Microsoft Dynamics",
    kind=Kind.CRM,
    summary="Leads, contacts and accounts of Dynamics 365 Sales.",
    icon="layers",
)
