"""Changes that wait for Salesforce."""

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "apps.outbox"
