"""How a connection's health changed, so that each change is told once and a page can show them."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from apps.integrations.models.connections import Connection
from apps.tenants.models import TenantModel


class HealthCause(StrEnum):
    """What is behind a state other than healthy; it decides what ends it."""

    NONE = ""
    OUTAGE = "outage"
    LOAD = "load"
    SHARE = "share"
    ORG_LIMIT = "org_limit"
    MAINTENANCE = "maintenance"
    GRANT = "grant"
    RIGHTS = "rights"
    OTHER = "other"


class HealthChange(TenantModel):
    """One change of a connection's health; rows are added, never changed."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    at = models.DateTimeField(db_default=Now())
    before = models.CharField(max_length=12)
    health = models.CharField(max_length=12)
    cause = models.CharField(max_length=12, blank=True)
    reason = models.TextField(blank=True)
    resumes_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "connection", "-id"], name="health_change_latest")]

    def __str__(self) -> str:
        return f"{self.before} → {self.health}"
