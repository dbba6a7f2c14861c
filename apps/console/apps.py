"""The web pages."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "apps.console"
