"""What somebody decided about a row that could not be matched."""

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class MatchChoice(TenantModel):
    """Which record a row of Salesforce is, said by hand: it goes before external id and key field. Once the row is
    linked, the link is what counts."""

    id = models.BigAutoField(primary_key=True)
    connection_id = models.BigIntegerField()
    remote_id = models.CharField(max_length=18, db_collation="C")
    local_type = models.CharField(max_length=80)
    local_id = models.BigIntegerField(null=True, help_text="Empty: a record of its own is made.")
    actor_label = models.CharField(max_length=254)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection_id", "remote_id"], name="match_choice_once")
        ]

    def __str__(self) -> str:
        return f"{self.remote_id} is {self.local_type} {self.local_id or 'of its own'}"
