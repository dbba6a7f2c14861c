"""What a marketer edits: profiles, their steps, the steps' field mappings."""

from enum import StrEnum

from django.db import models

from apps.integrations.models import Connection
from apps.tenants.models import TenantModel


class ProfileKind(StrEnum):
    """The locked default profile, or the editable custom one."""

    DEFAULT = "default"
    CUSTOM = "custom"


class StepKind(StrEnum):
    """What a step carries: fields of records, a state into a status, or activities into tasks."""

    RECORD = "record"
    STATUS = "status"
    ACTIVITY = "activity"


class Profile(TenantModel):
    """An ordered set of steps; a connection uses the one that is active. ``version`` grows with each change of the
    order or number of its steps."""

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    kind = models.CharField(max_length=8, default=ProfileKind.CUSTOM)
    is_active = models.BooleanField(default=True)
    version = models.IntegerField(default=1, db_default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection", "kind"], name="profile_once_per_kind"),
            models.UniqueConstraint(
                fields=["tenant", "connection"],
                condition=models.Q(is_active=True),
                name="profile_one_active",
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class SyncStep(TenantModel):
    """One sObject bound to one local type; a filter says which record types. Values are those of ``apps.domain``.

    The engine carries out steps of the kind *record*. In the others ``local_type`` names the source: sequence_status
    or inbox_state (kind *status*, into the status of ``sobject``), email, task or call (kind *activity*, into tasks
    of rows of ``sobject``). ``version`` grows with each change of the step, its filters and its mappings.
    """

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey(
        Profile,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="steps",
    )
    position = models.IntegerField()
    kind = models.CharField(max_length=8, default=StepKind.RECORD, db_default=StepKind.RECORD)
    version = models.IntegerField(default=1, db_default=1)
    sobject = models.CharField(max_length=80)
    local_type = models.CharField(max_length=96)
    direction = models.CharField(max_length=8, default="pull", help_text="pull, push or two_way")
    create_local = models.BooleanField(default=True)
    update_local = models.BooleanField(default=True)
    create_remote = models.BooleanField(default=False)
    update_remote = models.BooleanField(default=False)
    inbound_filter = models.JSONField(null=True)
    outbound_filter = models.JSONField(null=True)
    excludes_updates = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Records that this step updates start no sync actions; those that it creates do.",
    )
    value_map = models.JSONField(
        default=dict, help_text="Our state → status in Salesforce; steps of the kind status only."
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "profile", "position"],
                name="sync_step_position",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]

    def __str__(self) -> str:
        return f"{self.sobject} → {self.local_type}"


class FieldMapping(TenantModel):
    """One field pair of a step, with a way in and a way out."""

    id = models.BigAutoField(primary_key=True)
    step = models.ForeignKey(
        SyncStep,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="mappings",
    )
    position = models.IntegerField(default=0)
    remote_field = models.CharField(max_length=120)
    local_field = models.CharField(max_length=80, help_text="A field of the record, or custom:<key>.")
    way_in = models.CharField(max_length=12, default="overwrite", help_text="off, fill or overwrite")
    way_out = models.CharField(max_length=12, default="off", help_text="off, fill or overwrite")
    winner = models.CharField(max_length=8, default="remote", help_text="remote, local or latest")
    value_map = models.JSONField(default=dict, help_text="Remote value → local value.")
    is_key = models.BooleanField(default=False)
    is_required = models.BooleanField(default=False, help_text="Cannot be removed.")
    paused_reason = models.TextField(blank=True, help_text="Why it is out of use: field gone, hidden, retyped.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "step", "remote_field", "local_field"],
                name="field_mapping_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.remote_field} ↔ {self.local_field}"
