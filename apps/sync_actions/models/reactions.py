"""What waits for rules: one row for each rule and event, written in the transaction of the event."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class ReactionState(StrEnum):
    """Where a reaction stands; one that is done with is gone."""

    WAITING = "waiting"
    HELD = "held"


class Reaction(TenantModel):
    """A rule is to look at a person because of an event. Held ones came with a backfill."""

    id = models.BigAutoField(primary_key=True)
    rule_id = models.BigIntegerField()
    person_id = models.BigIntegerField()
    event = models.CharField(max_length=20, help_text="created or updated by a sync, or a marketing trigger.")
    event_key = models.CharField(max_length=80, help_text="Names the event: one rule acts on it once.")
    sobject = models.CharField(max_length=80, default="", db_default="")
    remote_id = models.CharField(max_length=18, default="", db_default="")
    came_in = models.JSONField(null=True, help_text="What the sync has changed, by remote field.")
    details = models.JSONField(default=dict, db_default={}, help_text="Of the event: form, url, campaign, …")
    chain = models.JSONField(default=list, db_default=[], help_text="Rules that led here, the first first.")
    run_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, default=ReactionState.WAITING, db_default="waiting")
    attempts = models.IntegerField(default=0, db_default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], condition=Q(state="waiting"), name="reaction_waiting"),
            models.Index(fields=["tenant", "rule_id", "id"], condition=Q(state="held"), name="reaction_held"),
        ]

    def __str__(self) -> str:
        return f"rule {self.rule_id} on person {self.person_id}: {self.event}"


class RulesDue(TenantModel):
    """When a tenant's reactions are to be looked at, and who does: one row a tenant, so that the dispatcher reads few
    and one worker at a time keeps their order."""

    id = models.BigAutoField(primary_key=True)
    due_at = models.DateTimeField(null=True, help_text="Empty: nothing waits.")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="rules_due_once")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="rules_due_at")]

    def __str__(self) -> str:
        return f"due {self.due_at}"
