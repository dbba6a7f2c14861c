"""What rules did, to whom and why; kept like the activity log."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class RuleOutcome(StrEnum):
    """What became of a rule whose trigger came and whose conditions held."""

    DONE = "done"
    FAILED = "failed"
    CUT = "cut"


class RuleRun(TenantModel):
    """One rule on one record because of one event. ``effects`` are [{kind, words, before, after, failed}]."""

    id = models.BigAutoField(primary_key=True)
    rule_id = models.BigIntegerField()
    rule_name = models.CharField(max_length=120)
    person_id = models.BigIntegerField()
    record_label = models.TextField(default="", db_default="")
    event = models.CharField(max_length=20)
    event_key = models.CharField(max_length=80)
    why = models.TextField(default="", db_default="", help_text="The event in words.")
    outcome = models.CharField(max_length=8, default=RuleOutcome.DONE)
    effects = models.JSONField(default=list, db_default=[])
    note = models.TextField(default="", db_default="", help_text="Why it was cut or failed, in words.")
    run_id = models.BigIntegerField(null=True, help_text="The sync that brought the event.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "rule_id", "person_id", "event_key"], name="rule_run_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "rule_id", "id"], name="rule_run_of_rule"),
            models.Index(fields=["tenant", "person_id", "id"], name="rule_run_of_person"),
            models.Index(fields=["tenant", "run_id", "id"], name="rule_run_of_sync"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_name} on {self.record_label}"
