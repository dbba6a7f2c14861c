"""One execution of the sync, what it works on, and how far it got."""

from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class RunKind(StrEnum):
    """What a run covers."""

    FULL = "full"
    OBJECT = "object"
    DIFFERENTIAL = "differential"
    SWEEP = "sweep"
    RECORD = "record"
    OUTBOUND = "outbound"


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


OPEN_RUN_STATES = (RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING)


class SyncRun(TenantModel):
    """A run is a row, advanced in short chunks by whoever holds its lease.

    ``fence`` grows with each claim and is checked in the transaction of each effect, so that a worker that was
    frozen and comes back changes nothing.
    """

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    kind = models.CharField(max_length=12)
    trigger = models.CharField(max_length=12, default="manual", help_text="manual, schedule or system")
    requested_by_id = models.BigIntegerField(null=True)
    requested_by_label = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=12, default=RunState.QUEUED)
    mapping_version_id = models.BigIntegerField(null=True)
    settings_version = models.IntegerField(default=0)
    sobjects = models.JSONField(default=list, help_text="Which sObjects an object run covers; empty: all.")
    local_type = models.CharField(max_length=16, blank=True, default="", db_default="")
    local_id = models.BigIntegerField(null=True, help_text="The one record of a record run.")
    remote_sobject = models.CharField(max_length=80, blank=True, default="", db_default="")
    remote_id = models.CharField(
        max_length=18,
        blank=True,
        default="",
        db_default="",
        help_text="The row of a record run that was asked for by its id there, before a record here was known.",
    )
    org_started_at = models.DateTimeField(null=True, help_text="Org time when it began: the later watermark.")
    clock_offset = models.FloatField(default=0.0, db_default=0.0, help_text="Org time minus ours, in seconds.")
    step = models.CharField(max_length=160, blank=True, help_text="What it is doing, in words.")
    waiting_reason = models.TextField(blank=True, help_text="Why it waits, in words: limit, outage.")
    warnings = models.JSONField(default=list)
    failure = models.TextField(blank=True, help_text="Why it failed, in words.")
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, help_text="Failures in a row; a success sets it back.")
    is_tidied = models.BooleanField(default=False, db_default=False, help_text="Its entries are gone: they were old.")

    class Meta:
        constraints = [
            # Pulls of one connection never run together.
            models.UniqueConstraint(
                fields=["tenant", "connection_id"],
                condition=Q(
                    state__in=[s.value for s in OPEN_RUN_STATES],
                    kind__in=["full", "object", "differential", "sweep"],
                ),
                name="sync_run_one_open_pull",
            ),
            models.UniqueConstraint(
                fields=["tenant", "connection_id"],
                condition=Q(state__in=[s.value for s in OPEN_RUN_STATES], kind="outbound"),
                name="sync_run_one_open_push",
            ),
            models.UniqueConstraint(
                fields=["tenant", "connection_id", "local_type", "local_id"],
                condition=Q(state__in=[s.value for s in OPEN_RUN_STATES], kind="record"),
                name="sync_run_one_open_of_record",
            ),
            models.UniqueConstraint(
                fields=["tenant", "connection_id", "remote_id"],
                condition=Q(state__in=[s.value for s in OPEN_RUN_STATES], kind="record") & ~Q(remote_id=""),
                name="sync_run_one_open_of_row",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "queued_at", "id"], name="sync_run_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} sync {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_RUN_STATES


class RunLane(TenantModel):
    """The right to advance one side of a run: fetching and applying go on beside each other."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        SyncRun,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="lanes",
    )
    name = models.CharField(max_length=8, help_text="fetch, apply, assist, pull, sweep, push or record")
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(db_default=Now(), help_text="When to look next.")
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "run", "name"], name="run_lane_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(is_done=False), name="run_lane_due")]

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id}"


class ObjectStage(StrEnum):
    """Where the fetching of one sObject stands."""

    WAITING = "waiting"
    ASKED = "asked"
    FETCHING = "fetching"
    FETCHED = "fetched"
    SKIPPED = "skipped"


class RunObject(TenantModel):
    """One sObject of a run: its Bulk job or window, its staging table, its counters.

    read = created + updated + unchanged + skipped + failed, when it is done.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        SyncRun,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="parts",
    )
    position = models.IntegerField()
    sobject = models.CharField(max_length=80)
    label = models.CharField(max_length=120)
    stage = models.CharField(max_length=10, default=ObjectStage.WAITING)
    is_done = models.BooleanField(default=False, help_text="Every fetched row has been applied.")
    columns = models.JSONField(default=list, help_text="Fields in the order of the query.")
    soql = models.TextField(blank=True)
    job_id = models.CharField(max_length=18, blank=True)
    job_generation = models.IntegerField(default=0, help_text="Grows when a lost job is asked anew.")
    expected = models.BigIntegerField(null=True, help_text="Rows that Salesforce says there are.")
    fetched = models.BigIntegerField(default=0)
    window_from = models.DateTimeField(null=True, help_text="Org time; differential runs only.")
    window_to = models.DateTimeField(null=True)
    cursor_stamp = models.DateTimeField(null=True, help_text="The last row that is in: pages follow it.")
    cursor_id = models.CharField(max_length=18, blank=True, default="", db_default="")
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    skip_reasons = models.JSONField(default=dict)
    note = models.TextField(blank=True, help_text="Why it was skipped or cut short, in words.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "run", "sobject"], name="run_object_once")]

    def __str__(self) -> str:
        return f"{self.sobject} of run {self.run_id}"

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.skipped + self.failed


class RunPage(TenantModel):
    """The ledger of fetched pages. Each page waits in an UNLOGGED table of its own until it is applied; a table that
    a crash of the server emptied is noticed by its row count, and its page is fetched again.

    A large page is applied in pieces: SQL decides each half, then the decider the rows that were left (``pieces``)."""

    id = models.BigAutoField(primary_key=True)
    run_object = models.ForeignKey(
        RunObject, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="pages"
    )
    number = models.IntegerField()
    locator = models.TextField(blank=True)
    next_locator = models.TextField(blank=True, help_text="Empty: this was the last page.")
    table = models.CharField(max_length=63, blank=True, help_text="Empty: it is to be fetched again.")
    rows = models.IntegerField()
    halves_done = models.SmallIntegerField(default=0, db_default=0, help_text="Bit 0: one half; bit 1: the other.")
    created = models.IntegerField(default=0, db_default=0, help_text="Rows of these halves that SQL created.")
    unchanged = models.IntegerField(default=0, db_default=0)
    left_rows = ArrayField(models.CharField(max_length=18), default=list, help_text="What these leave to the decider.")
    left_keys = ArrayField(models.IntegerField(), default=list, help_text="Hashes of their keys (addresses).")
    is_applied = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "run_object", "number"], name="run_page_once")]

    def __str__(self) -> str:
        return f"page {self.number}"
