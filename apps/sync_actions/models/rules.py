"""Rules: trigger → conditions → actions."""

from django.db import models
from django.db.models.functions import Now

from apps.domain.actions import Action, actions_of
from apps.domain.automation import RunsOn, Trigger
from apps.domain.filters import Filter, from_dict
from apps.tenants.models import TenantModel


class Rule(TenantModel):
    """What a marketer wants done by itself. Rules of one event run by their position."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=120)
    position = models.IntegerField()
    is_enabled = models.BooleanField(default=False, db_default=False)
    trigger = models.CharField(max_length=20, help_text="A Trigger of apps.domain.automation.")
    runs_on = models.CharField(max_length=8, default="both", help_text="created, updated or both; of synced rows.")
    sobjects = models.JSONField(default=list, help_text="Which rows start it: Lead, Contact; empty: both.")
    threshold = models.IntegerField(null=True, help_text="The score that has to be reached.")
    conditions = models.JSONField(null=True, help_text="A filter over the record's fields and the event's.")
    actions = models.JSONField(default=list, help_text="[{kind, values}] in order.")
    holds_backfill = models.BooleanField(
        default=True, help_text="Rows of the first full sync wait until somebody releases them."
    )
    release_to = models.BigIntegerField(null=True, help_text="Held reactions up to this id are released.")
    version = models.IntegerField(default=1)
    runs = models.BigIntegerField(default=0, db_default=0, help_text="How often it has acted.")
    last_run_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["tenant", "position", "id"], name="rule_by_position")]

    def __str__(self) -> str:
        return self.name

    @property
    def tree(self) -> Filter | None:
        """Its conditions."""
        return from_dict(self.conditions)

    @property
    def steps(self) -> list[Action]:
        """Its actions, in order."""
        return actions_of(self.actions)

    @property
    def is_synced(self) -> bool:
        """Whether rows that come in from Salesforce start it."""
        return self.trigger == Trigger.SYNCED

    def watches(self, sobject: str, event: str) -> bool:
        """Whether a row of this sObject that was created or updated here starts it."""
        return (
            self.is_synced and sobject in (self.sobjects or ["Lead", "Contact"]) and RunsOn(self.runs_on).admits(event)
        )
