"""What people, companies and opportunities have in common."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from apps.audience.models.owners import Owner
from apps.tenants.models import TenantModel


class Source(StrEnum):
    """Where a record came from first."""

    SALESFORCE = "salesforce"
    FORM = "form"
    IMPORT = "import"
    API = "api"
    MANUAL = "manual"


class Record(TenantModel):
    """A record of ours. ``version`` grows with each change, so that a reader can tell that it moved."""

    id = models.BigAutoField(primary_key=True)
    is_active = models.BooleanField(
        default=True,
        db_default=True,
        help_text="False after it was deleted in Salesforce, or deactivated here.",
    )
    source = models.CharField(max_length=12, default=Source.MANUAL, db_default=Source.MANUAL)
    version = models.BigIntegerField(default=1, db_default=1)
    owner = models.ForeignKey(
        Owner,
        on_delete=models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    custom = models.JSONField(
        default=dict,
        db_default={},
        help_text="Custom fields by key, each in the canonical text of its type.",
    )
    leading_sobject = models.CharField(
        max_length=80,
        default="",
        db_default="",
        help_text="sObject of the leading link; empty: not linked.",
    )
    leading_remote_id = models.CharField(max_length=18, default="", db_default="")
    external_key = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        db_collation="C",
        help_text="What the tenant's own systems call the record; unique where there is one.",
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    @property
    def local_type(self) -> str:
        """What steps, links, errors and waiting changes call its kind."""
        return str(self._meta.model_name)

    @property
    def is_linked(self) -> bool:
        return bool(self.leading_sobject)
