"""Salesforce in the hub."""

from apps.integrations.providers.base import Kind, Provider

SALESFORCE = Provider(
    key="salesforce",
    name="Salesforce",
    kind=Kind.CRM,
    summary="Leads, contacts, accounts, opportunities and campaigns, kept in line with your people and companies.",
    icon="cloud",
    url_name="console:salesforce",
)
