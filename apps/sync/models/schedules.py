"""When a connection is next due for what happens by itself."""

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class Schedule(TenantModel):
    """One row per connection. Without a full sync no differential one is due: its times are empty until then."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    differential_due_at = models.DateTimeField(null=True, help_text="Empty: manual only, or no full sync yet.")
    sweep_due_at = models.DateTimeField(null=True)
    tidy_due_at = models.DateTimeField(null=True, db_default=Now(), help_text="When old rows of the log go.")
    last_differential_at = models.DateTimeField(null=True)
    last_sweep_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection_id"], name="schedule_once")]
        indexes = [
            models.Index(fields=["differential_due_at"], name="schedule_differential_due"),
            models.Index(fields=["sweep_due_at"], name="schedule_sweep_due"),
            models.Index(fields=["tidy_due_at"], name="schedule_tidy_due"),
        ]

    def __str__(self) -> str:
        return f"schedule of connection {self.connection_id}"
