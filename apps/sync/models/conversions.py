"""Conversions of leads: what a lead became, kept until all of it is here."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class Conversion(TenantModel):
    """A lead that Salesforce turned into a contact, an account and perhaps an opportunity. Account and opportunity
    may come in later than the lead, in the same run or another; the person is joined with them when they do."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    lead_id = models.CharField(max_length=18, db_collation="C")
    account_id = models.CharField(max_length=18, blank=True)
    opportunity_id = models.CharField(max_length=18, blank=True)
    has_company = models.BooleanField(default=False, help_text="The person is joined with the account's company.")
    has_opportunity = models.BooleanField(default=False, help_text="The person has a part in the opportunity.")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection_id", "lead_id"], name="conversion_once_per_lead")
        ]
        indexes = [
            models.Index(
                fields=["tenant", "connection_id"],
                condition=Q(has_company=False) | Q(has_opportunity=False),
                name="conversion_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"conversion of {self.lead_id}"
