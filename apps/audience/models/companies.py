"""Companies."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.audience.models.record import Record


class Company(Record):
    """A company. Its domain, made from its website, finds it while it has no link yet."""

    name = models.TextField()
    website = models.TextField(blank=True, default="", db_default="")
    domain = models.CharField(
        max_length=253,
        blank=True,
        default="",
        db_default="",
        db_collation="C",
        help_text="Lower case, no www.",
    )
    phone = models.TextField(blank=True, default="", db_default="")
    industry = models.TextField(blank=True, default="", db_default="")
    company_type = models.TextField(blank=True, default="", db_default="")
    employees = models.BigIntegerField(null=True, blank=True)
    annual_revenue = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    billing_street = models.TextField(blank=True, default="", db_default="")
    billing_city = models.TextField(blank=True, default="", db_default="")
    billing_state = models.TextField(blank=True, default="", db_default="")
    billing_postal_code = models.TextField(blank=True, default="", db_default="")
    billing_country = models.TextField(blank=True, default="", db_default="")
    description = models.TextField(blank=True, default="", db_default="")
    name_key = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        verbose_name_plural = "companies"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "external_key"], condition=~Q(external_key=""), name="company_external_key_once"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "name_key", "id"], name="company_by_name"),
            models.Index(
                fields=["tenant", "domain"],
                condition=~Q(domain=""),
                name="company_by_domain",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(is_active=False),
                name="company_inactive",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=Q(leading_sobject=""),
                name="company_unlinked",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def display_name(self) -> str:
        return self.name
