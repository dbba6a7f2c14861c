"""Custom fields of people, companies and opportunities: the definition; values are in ``Record.custom``."""

from django.db import models

from apps.tenants.models import TenantModel


class CustomField(TenantModel):
    """A field that a tenant added to one kind of record."""

    id = models.BigAutoField(primary_key=True)
    record_type = models.CharField(max_length=16, help_text="person, company or opportunity")
    key = models.CharField(max_length=80, help_text="Name in the API and in mappings; never changes.")
    label = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, help_text="A kind of apps.domain.local_types.")
    options = models.JSONField(default=list, help_text="Values of a picklist.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "record_type", "key"], name="custom_field_once")]

    def __str__(self) -> str:
        return self.label
