"""What Salesforce users see of Syncline inside Salesforce."""

from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    name = "apps.embedded"
