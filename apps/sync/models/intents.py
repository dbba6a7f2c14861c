"""The journal row stored before a foreign write and closed after it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class WriteIntent(TenantModel):
    """What is about to be written to Salesforce. An open one found after a crash is resolved by looking there
    before anything is planned anew."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    run_id = models.BigIntegerField(null=True)
    sobject = models.CharField(max_length=80)
    remote_id = models.CharField(max_length=18, blank=True, default="", db_default="")
    local_type = models.CharField(max_length=16)
    local_id = models.BigIntegerField()
    values = models.JSONField(help_text="Fields and canonical values to be written.")
    local_version = models.BigIntegerField()
    fence = models.BigIntegerField(default=0)
    cause = models.CharField(max_length=40, help_text="user_write, rule or backfill")
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant", "local_type", "local_id"],
                condition=Q(closed_at__isnull=True),
                name="write_intent_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.sobject} {self.remote_id or 'new'}"
