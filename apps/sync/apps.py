"""The engine: runs, links, baselines, pull, activity log."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "apps.sync"
