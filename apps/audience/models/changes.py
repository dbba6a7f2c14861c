"""What members did to records: edits with before and after, and consent with its source. Both only grow,
until the person is erased."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class RecordChange(TenantModel):
    """An edit of a record by a member: who, what, and the version that it made. Versions without such a row were made
    by a sync."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.BigIntegerField(null=True)
    company_id = models.BigIntegerField(null=True)
    custom_record_id = models.BigIntegerField(null=True)
    version = models.BigIntegerField(help_text="Of the record, after the change.")
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=254)
    changes = models.JSONField(help_text="{field: {before, after}}; empty for a record that was made.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person_id__isnull=False, company_id__isnull=True, custom_record_id__isnull=True)
                | Q(person_id__isnull=True, company_id__isnull=False, custom_record_id__isnull=True)
                | Q(person_id__isnull=True, company_id__isnull=True, custom_record_id__isnull=False),
                name="record_change_of_one_record",
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "person_id", "id"],
                condition=Q(person_id__isnull=False),
                name="record_change_of_person",
            ),
            models.Index(
                fields=["tenant", "company_id", "id"],
                condition=Q(company_id__isnull=False),
                name="record_change_of_company",
            ),
            models.Index(
                fields=["tenant", "custom_record_id", "id"],
                condition=Q(custom_record_id__isnull=False),
                name="record_change_of_custom",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version} by {self.actor_label}"


class ConsentChange(TenantModel):
    """An opt-out or opt-in that was written down here, with who said so and where."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.BigIntegerField()
    opted_out = models.BooleanField()
    source = models.TextField(help_text="Who said so, and where; never blank for an opt-in.")
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=254)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(opted_out=True) | ~Q(source=""), name="consent_opt_in_has_source")
        ]
        indexes = [models.Index(fields=["tenant", "person_id", "id"], name="consent_change_of_person")]

    def __str__(self) -> str:
        return f"{'out' if self.opted_out else 'in'}: {self.source}"
