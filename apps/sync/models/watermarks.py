"""Per connection and sObject: org time up to which everything is known to be in."""

from django.db import models

from apps.tenants.models import TenantModel


class Watermark(TenantModel):
    """Set by a full sync to the org time at which it began; moved on by differential ones."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    sobject = models.CharField(max_length=80)
    covered_to = models.DateTimeField()
    run_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection_id", "sobject"], name="watermark_once")]

    def __str__(self) -> str:
        return f"{self.sobject} up to {self.covered_to:%Y-%m-%d %H:%M:%S}"
