"""The pairing of one record with one remote row, and what both held when last judged in agreement."""

from functools import reduce
from operator import or_

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.audience.fields import RECORD_COLUMNS
from apps.tenants.models import TenantModel


def _belongs_to_one() -> Q:
    """Exactly one of the columns names a record."""
    columns = list(RECORD_COLUMNS.values())
    return reduce(or_, (Q(**{f"{one}__isnull": one != chosen for one in columns}) for chosen in columns))


class RecordLink(TenantModel):
    """A link. ``base_remote`` is packed in the order of its layout (NULL: unknown, '': blank); ``base_local`` holds
    only the fields whose local value differs from the remote one, and is NULL where none does."""

    pk = models.CompositePrimaryKey("tenant", "connection_id", "remote_id")
    connection_id = models.BigIntegerField()
    remote_id = models.CharField(max_length=18, db_collation="C")
    sobject = models.CharField(max_length=80)
    person_id = models.BigIntegerField(null=True)
    company_id = models.BigIntegerField(null=True)
    opportunity_id = models.BigIntegerField(null=True)
    custom_record_id = models.BigIntegerField(null=True)
    is_leading = models.BooleanField(default=True, db_default=True)
    is_live = models.BooleanField(
        default=True,
        db_default=True,
        help_text="False after the remote row was deleted or merged away.",
    )
    layout_id = models.BigIntegerField(null=True)
    base_remote = ArrayField(models.TextField(null=True), null=True)
    base_local = models.JSONField(null=True)
    local_version = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Version of the record when last judged in agreement.",
    )
    remote_stamp = models.DateTimeField(null=True, help_text="SystemModstamp of the row last applied.")
    remote_created_at = models.DateTimeField(null=True, help_text="CreatedDate: the oldest link leads.")
    pulled_at = models.DateTimeField(null=True)
    pushed_at = models.DateTimeField(null=True)
    opted_out = models.BooleanField(null=True, help_text="HasOptedOutOfEmail when last judged in agreement.")
    notes = models.JSONField(
        null=True,
        help_text="{flips: {field key: how often the org changed our value back}, set_again: an un-tick was answered, "
        "apart: a person unlinked it}",
    )
    created_run_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=_belongs_to_one(),
                name="record_link_to_one_record",
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "person_id"],
                condition=Q(person_id__isnull=False),
                name="record_link_of_person",
            ),
            models.Index(
                fields=["tenant", "company_id"],
                condition=Q(company_id__isnull=False),
                name="record_link_of_company",
            ),
            models.Index(
                fields=["tenant", "opportunity_id"],
                condition=Q(opportunity_id__isnull=False),
                name="record_link_of_opportunity",
            ),
            models.Index(
                fields=["tenant", "custom_record_id"],
                condition=Q(custom_record_id__isnull=False),
                name="record_link_of_custom",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sobject} {self.remote_id}"

    @property
    def is_apart(self) -> bool:
        """Unlinked by hand: no sync takes the row for this record again, or for another."""
        return bool((self.notes or {}).get("apart"))
