"""What stopped a row or a run, in a marketer's words, with the remedy."""

from django.apps import AppConfig


class SyncErrorsConfig(AppConfig):
    name = "apps.sync_errors"
