"""Rules: what is done by itself when records come in from Salesforce or marketing events happen."""

from django.apps import AppConfig


class SyncActionsConfig(AppConfig):
    name = "apps.sync_actions"
