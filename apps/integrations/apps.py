"""The hub of integrations and the connection to a Salesforce org."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "apps.integrations"
