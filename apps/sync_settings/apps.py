"""Sync settings and schedule."""

from django.apps import AppConfig


class SyncSettingsConfig(AppConfig):
    name = "apps.sync_settings"
