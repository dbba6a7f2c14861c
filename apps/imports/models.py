"""Imports: the file in pieces, what its columns mean, how far it is, and the rows that could not be taken."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class ImportState(StrEnum):
    """Where an import stands."""

    UPLOADED = "uploaded"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"


OPEN_STATES = (ImportState.QUEUED, ImportState.RUNNING, ImportState.CANCELLING)


class Mode(StrEnum):
    """What happens to a record that is here already."""

    UPDATE = "update"
    FILL = "fill"
    SKIP = "skip"

    @property
    def label(self) -> str:
        return {
            "update": "Update: what the file says replaces what is here",
            "fill": "Fill: only empty fields are filled",
            "skip": "Leave as it is",
        }[self.value]


class Import(TenantModel):
    """One file. It is applied in chunks: ``position`` moves in the transaction of each, so that a worker that dies
    loses nothing and does nothing twice.

    rows = created + updated + unchanged + skipped + failed, at any moment.
    """

    id = models.BigAutoField(primary_key=True)
    record_type = models.CharField(max_length=16, help_text="person or company")
    filename = models.CharField(max_length=200)
    size = models.BigIntegerField(default=0, help_text="Bytes, as stored: UTF-8 with line feeds.")
    encoding = models.CharField(max_length=16, blank=True, help_text="As it came.")
    delimiter = models.CharField(max_length=1, default=",")
    data_start = models.BigIntegerField(default=0, help_text="Where the first row after the header begins.")
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=dict, help_text="Field by the number of its column.")
    mode = models.CharField(max_length=8, default=Mode.UPDATE.value)
    reactivates = models.BooleanField(default=True)
    list_id = models.BigIntegerField(null=True, help_text="Everybody in the file is put on this list.")
    state = models.CharField(max_length=12, default=ImportState.UPLOADED.value)
    position = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    skip_reasons = models.JSONField(default=dict)
    failure = models.TextField(blank=True, default="", help_text="Why it stopped, in words.")
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="When a worker is to look at it; empty: not by itself.")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0, help_text="Failures in a row.")

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="import_due"),
            models.Index(fields=["tenant", "-id"], name="import_newest"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class ImportPiece(TenantModel):
    """A piece of a file: web and worker may be on different machines. Gone when the import has ended."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Import, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "source", "number"], name="import_piece_once")]

    def __str__(self) -> str:
        return f"piece {self.number}"


class ImportProblem(TenantModel):
    """A row that could not be taken, as it stands in the file, with the reason in words."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Import, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    row = models.BigIntegerField(help_text="As a spreadsheet counts: the header is row 1.")
    reason = models.TextField()
    cells = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["tenant", "source", "id"], name="import_problem_of_import")]

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason}"
