"""Commands of rules for Salesforce: queue and journal in one row."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel

COMMAND_WAY = "rule"
"""The way of errors of commands: they are no errors of the record's own changes."""


class CommandState(StrEnum):
    """Where a command stands. Held ones wait for a person; refused ones are given up."""

    WAITING = "waiting"
    IN_FLIGHT = "in_flight"
    HELD = "held"
    DONE = "done"
    CANCELLED = "cancelled"


class CrmAction(TenantModel):
    """A command with its own values and cause. ``intent`` is what was about to be written when it was last tried:
    one found after a crash is looked for in Salesforce before anything is written again."""

    id = models.BigAutoField(primary_key=True)
    rule_id = models.BigIntegerField(null=True)
    rule_name = models.CharField(max_length=120)
    action = models.CharField(max_length=32, help_text="An ActionKind of apps.domain.actions.")
    person_id = models.BigIntegerField()
    company_id = models.BigIntegerField(null=True)
    record_label = models.TextField(default="", db_default="")
    values = models.JSONField(default=dict, help_text="What the action is told, its templates filled in.")
    cause = models.TextField(help_text="The rule and the event, in words.")
    key = models.CharField(max_length=120, help_text="One command for each rule, event and action.")
    state = models.CharField(max_length=10, default=CommandState.WAITING, db_default="waiting")
    reason = models.TextField(default="", db_default="", help_text="Why it is held, or what came of it, in words.")
    attempts = models.IntegerField(default=0, db_default=0)
    queued_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    intent = models.JSONField(null=True, help_text="{sobject, operation, remote_id, values}")
    intended_at = models.DateTimeField(null=True)
    sobject = models.CharField(max_length=80, default="", db_default="")
    result_id = models.CharField(max_length=18, default="", db_default="")
    written = models.JSONField(default=dict, db_default={}, help_text="What was written, by remote field.")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="crm_action_once")]
        indexes = [
            models.Index(
                fields=["tenant", "due_at", "id"],
                condition=Q(state__in=["waiting", "in_flight"]),
                name="crm_action_due",
            ),
            models.Index(fields=["tenant", "state", "id"], name="crm_action_by_state"),
            models.Index(fields=["tenant", "person_id", "id"], name="crm_action_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.action} for {self.record_label}"
