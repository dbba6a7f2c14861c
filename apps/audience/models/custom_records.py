"""Records of types that a tenant added: each mirrors one custom object of the CRM, or is kept here alone."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.audience.fields import CUSTOM_TYPE
from apps.audience.models.companies import Company
from apps.audience.models.people import Person
from apps.audience.models.record import Record
from apps.tenants.models import TenantModel


class CustomRecordType(TenantModel):
    """A type of record that a tenant added. Its fields are the ``CustomField`` rows of its local type."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=40, help_text="Name in addresses and in the API; never changes.")
    label = models.CharField(max_length=80, help_text="One of them: Project.")
    label_plural = models.CharField(max_length=80, help_text="Many of them: Projects.")
    sobject = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="The custom object that it was made for."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="custom_record_type_once"),
            models.UniqueConstraint(
                fields=["tenant", "sobject"], condition=~Q(sobject=""), name="custom_record_type_once_per_object"
            ),
        ]

    def __str__(self) -> str:
        return self.label_plural

    @property
    def local_type(self) -> str:
        """What steps, links, errors and waiting changes call it."""
        return f"{CUSTOM_TYPE}:{self.pk}"


class CustomRecord(Record):
    """A record of such a type. It may belong to a person and to a company; all other values are in ``custom``."""

    record_type = models.ForeignKey(
        CustomRecordType,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="records",
    )
    name = models.TextField(blank=True, default="", db_default="")
    person = models.ForeignKey(
        Person,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="custom_records",
    )
    company = models.ForeignKey(
        Company,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="custom_records",
    )
    name_key = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "record_type", "external_key"],
                condition=~Q(external_key=""),
                name="custom_record_external_key_once",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "record_type", "name_key", "id"], name="custom_record_by_name"),
            models.Index(fields=["tenant", "record_type", "id"], name="custom_record_by_type"),
            models.Index(
                fields=["tenant", "person"],
                condition=Q(person__isnull=False),
                name="custom_record_of_person",
            ),
            models.Index(
                fields=["tenant", "company"],
                condition=Q(company__isnull=False),
                name="custom_record_of_company",
            ),
            # Serves matching: only what is not linked yet is a candidate.
            models.Index(
                fields=["tenant", "record_type", "id"],
                condition=Q(leading_sobject=""),
                name="custom_record_unlinked",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def local_type(self) -> str:
        return f"{CUSTOM_TYPE}:{self.record_type_id}"

    @property
    def display_name(self) -> str:
        return self.name or "No name"
