"""Work that asks Salesforce on behalf of a page: the page writes a row and shows its progress."""

from enum import StrEnum

from django.db import models

from apps.integrations.models.connections import Connection
from apps.tenants.models import TenantModel, User


class JobKind(StrEnum):
    """What a connection job does."""

    PREFLIGHT = "preflight"
    METADATA = "metadata"
    DESCRIBE = "describe"
    REVOKE = "revoke"
    FORGET = "forget"
    UNLINK = "unlink"
    PUSH_ALL = "push_all"
    LIST_VIEWS = "list_views"
    PACKAGE = "package"


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ConnectionJob(TenantModel):
    """One such piece of work, claimed by lease and safe to run twice."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=8, default=JobState.QUEUED)
    step = models.CharField(max_length=120, blank=True, help_text="What it is doing, in words.")
    done_steps = models.IntegerField(default=0)
    total_steps = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    subject = models.JSONField(default=dict, db_default={}, help_text="What it is about, where the kind does not say.")
    result = models.JSONField(default=dict, db_default={}, help_text="What it found, or how far it is.")
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    queued_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "kind"],
                condition=models.Q(state__in=["queued", "running"]),
                name="connection_job_one_open",
            )
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["queued", "running"]),
                name="connection_job_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class ConnectionCheck(TenantModel):
    """The latest answer to one pre-flight question."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    key = models.CharField(max_length=80)
    title = models.CharField(max_length=160)
    outcome = models.CharField(max_length=12, help_text="pass, warning, blocker or not_checked")
    finding = models.TextField(help_text="What was found, in words.")
    fix = models.TextField(blank=True)
    position = models.IntegerField(default=0)
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "connection", "key"], name="connection_check_once")]

    def __str__(self) -> str:
        return f"{self.key}: {self.outcome}"
