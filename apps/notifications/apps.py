"""Mail on finished full syncs, new sync errors and a connection that needs somebody."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "apps.notifications"
