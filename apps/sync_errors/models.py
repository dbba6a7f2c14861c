"""What stopped a row or a run, in a marketer's words, with the remedy."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from apps.tenants.models import TenantModel


class ErrorState(StrEnum):
    """Where an error stands; open ones with a next attempt are the retry ledger."""

    OPEN = "open"
    RETRYING = "retrying"
    BLOCKED = "blocked"
    RESOLVED = "resolved"
    CLEARED = "cleared"


LIVE_STATES = (ErrorState.OPEN, ErrorState.RETRYING, ErrorState.BLOCKED)
_LIVE = Q(state__in=[state.value for state in LIVE_STATES])


class SyncError(TenantModel):
    """One cause at one record (or one run). A repeat counts up; success closes it."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    fingerprint = models.CharField(max_length=64, help_text="Hash of object, record, category and field.")
    state = models.CharField(max_length=10, default=ErrorState.OPEN, db_default=ErrorState.OPEN)
    category = models.CharField(max_length=40, help_text="A Category of apps.domain.failures.")
    way = models.CharField(max_length=4, default="in", db_default="in", help_text="in or out")
    sobject = models.CharField(max_length=80, blank=True, default="", db_default="")
    remote_id = models.CharField(max_length=18, blank=True, default="", db_default="", db_collation="C")
    local_type = models.CharField(max_length=16, blank=True, default="", db_default="")
    local_id = models.BigIntegerField(null=True)
    record_label = models.TextField(default="", db_default="", help_text="Name or e-mail of the record.")
    field = models.CharField(max_length=120, blank=True, default="", db_default="")
    message = models.TextField(help_text="What happened, in words.")
    raw = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Salesforce's answer, scrubbed.",
    )
    details = models.JSONField(default=dict, db_default={}, help_text="Candidates, values, matched ids.")
    run_id = models.BigIntegerField(null=True)
    occurrences = models.IntegerField(default=1, db_default=1)
    first_seen = models.DateTimeField(db_default=Now())
    last_seen = models.DateTimeField(db_default=Now())
    next_attempt_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, db_default=0)
    closed_at = models.DateTimeField(null=True)
    closed_by_id = models.BigIntegerField(null=True)
    label_key = models.GeneratedField(
        expression=Lower("record_label"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "fingerprint"],
                condition=_LIVE,
                name="sync_error_live_once",
            )
        ]
        indexes = [
            # The table of live errors, by each of its sorts; the oldest first seen is the one with the lowest id.
            models.Index(fields=["tenant", "last_seen", "id"], condition=_LIVE, name="sync_error_by_last_seen"),
            models.Index(fields=["tenant", "id"], condition=_LIVE, name="sync_error_by_first_seen"),
            models.Index(fields=["tenant", "label_key", "id"], condition=_LIVE, name="sync_error_by_record"),
            # Counts by category, and the errors of one.
            models.Index(
                fields=["tenant", "category", "last_seen", "id"], condition=_LIVE, name="sync_error_by_category"
            ),
            # Closed ones, and search.
            models.Index(fields=["tenant", "state", "last_seen", "id"], name="sync_error_by_state"),
            models.Index(fields=["tenant", "label_key"], name="sync_error_by_label"),
            models.Index(fields=["tenant", "remote_id"], name="sync_error_by_remote_id"),
            models.Index(fields=["tenant", "local_type", "local_id"], name="sync_error_of_record"),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.record_label or self.remote_id}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES
