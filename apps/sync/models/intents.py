"""The journal row stored before a foreign write and closed after it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class WriteIntent(TenantModel):
    """What is about to be written to Salesforce. An open one found after a crash is resolved by looking there
    before anything is planned anew."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    run_id = models.BigIntegerField(null=True)
    sobject = models.CharField(max_length=80)
    remote_id = models.CharField(max_length=18, blank=True, default="", db_default="")
    local_type = models.CharField(max_length=16)
    local_id = models.BigIntegerField()
    operation = models.CharField(max_length=8, default="update", help_text="update or create")
    values = models.JSONField(help_text="Canonical values to be written, by remote field.")
    after = models.JSONField(default=dict, help_text="{field key: [remote, local]} once it is written.")
    opted_out = models.BooleanField(null=True, help_text="HasOptedOutOfEmail once it is written; null: not written.")
    set_again = models.BooleanField(default=False, help_text="The opt-out answers an un-tick in Salesforce.")
    flips = models.JSONField(default=list, help_text="Field keys that the org had changed back.")
    changes = models.JSONField(default=dict, help_text="The entry: {field: {before, after, rule, lost}}.")
    seen_stamp = models.DateTimeField(null=True, help_text="SystemModstamp of the row that was judged.")
    local_version = models.BigIntegerField()
    generation = models.BigIntegerField(default=0, help_text="Of the waiting change that this write settles.")
    cause = models.CharField(max_length=40, help_text="user_write, rule or backfill")
    job_id = models.CharField(max_length=18, blank=True, default="", db_default="", help_text="Bulk job.")
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="written, found, refused or abandoned"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["tenant", "local_type", "local_id"],
                condition=Q(closed_at__isnull=True),
                name="write_intent_open",
            ),
            models.Index(fields=["tenant", "run_id", "id"], name="write_intent_of_run"),
        ]

    def __str__(self) -> str:
        return f"{self.sobject} {self.remote_id or 'new'}"
