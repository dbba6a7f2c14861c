"""Custom fields of people, companies, opportunities and custom records: the definition; values are in ``custom``."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.tenants.models import TenantManager, TenantModel
from apps.tenants.models.base import TenantQuerySet


class LiveFieldManager(TenantManager):
    """Fields that were not removed."""

    def get_queryset(self) -> TenantQuerySet:
        return super().get_queryset().filter(removed_at__isnull=True)


class CustomField(TenantModel):
    """A field that a tenant added to one kind of record. A removed one keeps its key, and its values are kept with
    the records: made again with the same key and type it comes back with them."""

    id = models.BigAutoField(primary_key=True)
    record_type = models.CharField(max_length=96, help_text="person, company, opportunity or custom:<id>")
    key = models.CharField(max_length=80, help_text="Name in the API and in mappings; never changes.")
    label = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, help_text="A Kind of apps.audience.fields.")
    options = models.JSONField(default=list, help_text="Values of a picklist.")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)

    objects: ClassVar[TenantManager] = LiveFieldManager()
    with_removed: ClassVar[TenantManager] = TenantManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "record_type", "key"], name="custom_field_once")]
        indexes = [
            models.Index(
                fields=["tenant", "record_type"], condition=Q(removed_at__isnull=True), name="custom_field_live"
            )
        ]

    def __str__(self) -> str:
        return self.label
