"""The log of configuration changes: append-only, by the database's own rights."""

from django.db import models

from apps.tenants.models.base import TenantModel


class AuditEntry(TenantModel):
    """Who changed what, when, from what to what. Secrets never enter it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.BigIntegerField(null=True, help_text="The user; empty for the system itself.")
    actor_label = models.CharField(max_length=254)
    action = models.CharField(max_length=64, help_text="A verb in the past: connected, settings_changed, …")
    subject = models.CharField(max_length=120, help_text="What was changed, in words.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label} {self.action} {self.subject}"
