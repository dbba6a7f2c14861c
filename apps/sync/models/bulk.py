"""What is done with many records at once, on behalf of a page."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class BulkKind(StrEnum):
    """What is done with each record."""

    PUSH = "push"
    SYNC = "sync"
    DEACTIVATE = "deactivate"
    ADD_TO_LIST = "add_to_list"


class BulkState(StrEnum):
    """Where it stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


OPEN_BULK_STATES = (BulkState.WAITING, BulkState.RUNNING)


class BulkAction(TenantModel):
    """One such action: a row that a worker advances chunk by chunk, oldest record first, until ``until_id``.

    ``criteria`` names the records: {ids} for chosen ones, else {filter, tree} as the list page had them.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12)
    record_type = models.CharField(max_length=16)
    criteria = models.JSONField()
    list_id = models.BigIntegerField(null=True, help_text="The list to add to.")
    state = models.CharField(max_length=10, default=BulkState.WAITING, db_default=BulkState.WAITING)
    requested_by_id = models.BigIntegerField(null=True)
    requested_by_label = models.CharField(max_length=254, blank=True)
    cursor_id = models.BigIntegerField(default=0, db_default=0, help_text="The last record that was looked at.")
    until_id = models.BigIntegerField(help_text="The last record there was when it began.")
    looked_at = models.BigIntegerField(default=0, db_default=0)
    done = models.BigIntegerField(default=0, db_default=0)
    unchanged = models.BigIntegerField(default=0, db_default=0, help_text="It was so already, or may not be.")
    queued_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, help_text="When a worker is to look; empty: it is over.")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0, db_default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="bulk_action_due")]

    def __str__(self) -> str:
        return f"{self.kind} of many ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_BULK_STATES
