"""Filters of people and companies that somebody gave a name."""

from django.db import models
from django.db.models.functions import Lower, Now

from apps.tenants.models import TenantModel


class SavedFilter(TenantModel):
    """A named filter over the fields of one record type; ``tree`` is what ``apps.domain.filters`` reads."""

    id = models.BigAutoField(primary_key=True)
    record_type = models.CharField(max_length=16, help_text="person or company")
    name = models.CharField(max_length=80)
    tree = models.JSONField()
    actor_label = models.CharField(max_length=254, blank=True, help_text="Who saved it last.")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    name_key = models.GeneratedField(
        expression=Lower("name"), output_field=models.CharField(max_length=80, db_collation="C"), db_persist=True
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "record_type", "name_key"], name="saved_filter_name_once")
        ]

    def __str__(self) -> str:
        return self.name
