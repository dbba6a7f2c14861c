"""Cached metadata: pages and plans read it from here, so that they open when Salesforce is down."""

from enum import StrEnum

from django.db import models

from apps.integrations.models.connections import Connection
from apps.tenants.models import TenantModel


class ObjectMetadata(TenantModel):
    """The describe of one sObject as the sync user sees it; ``schema`` is ``ObjectSchema`` as plain data."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    sobject = models.CharField(max_length=80)
    label = models.CharField(max_length=120)
    schema = models.JSONField()
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection", "sobject"], name="object_metadata_once")]

    def __str__(self) -> str:
        return self.sobject


class ReferenceKind(StrEnum):
    """Kinds of reference data kept fresh."""

    OBJECT = "object"
    USER = "user"
    QUEUE = "queue"
    ASSIGNMENT_RULE = "assignment_rule"
    CASE_PRIORITY = "case_priority"
    LEAD_STATUS = "lead_status"


class ReferenceItem(TenantModel):
    """One item of an org's reference data."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=255, help_text="Remote id, or API name or value where there is none.")
    label = models.CharField(max_length=255)
    data = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "kind", "key"],
                name="reference_item_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.label}"
