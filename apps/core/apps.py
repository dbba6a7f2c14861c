"""Django helpers that know nothing of tenants or Salesforce."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "apps.core"
