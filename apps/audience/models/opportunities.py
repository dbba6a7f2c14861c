"""Opportunities and who plays which part in them. Read-only here: sales work is done in Salesforce."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.audience.models.companies import Company
from apps.audience.models.people import Person
from apps.audience.models.record import Record
from apps.tenants.models import TenantModel


class Opportunity(Record):
    """A deal of the sales team."""

    name = models.TextField()
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    stage = models.TextField(blank=True, default="", db_default="")
    close_date = models.DateField(null=True, blank=True)
    probability = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    opportunity_type = models.TextField(blank=True, default="", db_default="")
    lead_source = models.TextField(blank=True, default="", db_default="")
    next_step = models.TextField(blank=True, default="", db_default="")
    description = models.TextField(blank=True, default="", db_default="")
    is_closed = models.BooleanField(default=False, db_default=False)
    is_won = models.BooleanField(default=False, db_default=False)
    company = models.ForeignKey(
        Company,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="opportunities",
    )
    name_key = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        verbose_name_plural = "opportunities"
        indexes = [
            models.Index(fields=["tenant", "name_key", "id"], name="opportunity_by_name"),
            models.Index(fields=["tenant", "close_date", "id"], name="opportunity_by_close_date"),
            models.Index(fields=["tenant", "stage"], name="opportunity_by_stage"),
            models.Index(
                fields=["tenant", "company"],
                condition=Q(company__isnull=False),
                name="opportunity_of_company",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        return self.name


class OpportunityContactRole(TenantModel):
    """A person's part in an opportunity."""

    id = models.BigAutoField(primary_key=True)
    opportunity = models.ForeignKey(
        Opportunity,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="roles",
    )
    person = models.ForeignKey(
        Person,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="roles",
    )
    role = models.TextField(blank=True, default="", db_default="")
    is_primary = models.BooleanField(default=False, db_default=False)
    is_active = models.BooleanField(default=True, db_default=True)
    remote_id = models.CharField(max_length=18)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "remote_id"], name="contact_role_once")]
        indexes = [
            models.Index(fields=["tenant", "opportunity"], name="contact_role_of_opportunity"),
            models.Index(fields=["tenant", "person"], name="contact_role_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.opportunity_id}"
