"""What a run did to one row, with the reason."""

from enum import StrEnum

from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class EntryAction(StrEnum):
    """What was done."""

    CREATED = "created"
    UPDATED = "updated"
    LINKED = "linked"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    MOVED = "moved"
    MERGED = "merged"
    WRITTEN = "written"
    SKIPPED = "skipped"
    FAILED = "failed"


class RunEntry(TenantModel):
    """A created row's entry holds no values; an update's holds the changed fields, before and after, with the rule
    that decided. An unchanged row has a counter and no entry."""

    pk = models.CompositePrimaryKey("tenant", "run_id", "number")
    run_id = models.BigIntegerField()
    number = models.BigIntegerField(
        db_default=Func(Value("sync_runentry_number"), function="nextval"),
        help_text="Grows within the table.",
    )
    sobject = models.CharField(max_length=80)
    remote_id = models.CharField(max_length=18, db_collation="C")
    local_type = models.CharField(max_length=16)
    local_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=12)
    way = models.CharField(max_length=4, default="in", db_default="in")
    reason = models.CharField(max_length=40, default="", db_default="")
    changes = models.JSONField(null=True, help_text="{field: {before, after, rule, lost}}")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # The creation of a record is found through its link; the rest of its history through this.
            models.Index(
                fields=["tenant", "local_type", "local_id", "number"],
                condition=~Q(action=EntryAction.CREATED.value),
                name="run_entry_of_record",
            ),
            # Few rows of many: costs a sync nothing, and lists what was merged.
            models.Index(
                fields=["tenant", "number"], condition=Q(action=EntryAction.MERGED.value), name="run_entry_merged"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.sobject} {self.remote_id}"
