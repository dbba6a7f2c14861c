"""What syncs on our side: people, companies, opportunities, lists."""

from django.apps import AppConfig


class AudienceConfig(AppConfig):
    name = "apps.audience"
