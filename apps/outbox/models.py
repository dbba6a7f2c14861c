"""Changes that wait for Salesforce: one folded row per record, and when a tenant's are due."""

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class OutboundChange(TenantModel):
    """What changed in one record since it was last settled with Salesforce.

    ``fields`` maps a local field to the time (ISO 8601, UTC) and origin of its last change; values are read from
    the record when the change is claimed, so that many edits fold into one write.
    """

    id = models.BigAutoField(primary_key=True)
    local_type = models.CharField(max_length=16)
    local_id = models.BigIntegerField()
    fields = models.JSONField(default=dict)
    state = models.CharField(
        max_length=12,
        default="waiting",
        db_default="waiting",
        help_text="waiting, in_flight or held",
    )
    reason = models.TextField(default="", db_default="", help_text="Why it is held, in words.")
    generation = models.BigIntegerField(
        default=1,
        db_default=1,
        help_text="Grows with each fold: what was claimed may have moved.",
    )
    queued_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    attempts = models.IntegerField(default=0, db_default=0)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "local_type", "local_id"], name="outbound_change_once")
        ]
        indexes = [models.Index(fields=["tenant", "state", "due_at", "id"], name="outbound_change_due")]

    def __str__(self) -> str:
        return f"{self.local_type} {self.local_id}"


class OutboxDue(TenantModel):
    """When a tenant's waiting changes are to be looked at: one row a tenant, so that the dispatcher reads few."""

    id = models.BigAutoField(primary_key=True)
    due_at = models.DateTimeField(null=True, help_text="Empty: nothing is due by itself.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="outbox_due_once")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="outbox_due_at")]

    def __str__(self) -> str:
        return f"due {self.due_at}"
