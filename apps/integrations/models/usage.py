"""Our own use of an org's API, by hour."""

from django.db import models

from apps.integrations.models.connections import Connection
from apps.tenants.models import TenantModel


class ApiUsage(TenantModel):
    """Calls that Syncline made for one connection in one hour (UTC), by what they were for."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    hour = models.DateTimeField()
    purpose = models.CharField(
        max_length=8,
        blank=True,
        default="",
        db_default="",
        help_text="The lane of the run that made the calls, or none.",
    )
    calls = models.IntegerField(default=0, db_default=0)
    failures = models.IntegerField(default=0, db_default=0)
    bytes_in = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "hour", "purpose"], name="api_usage_once_per_purpose"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.calls}"
