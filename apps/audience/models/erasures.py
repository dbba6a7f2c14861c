"""Erasures: who is not to come back, known only by marks that nobody can read, and that they were asked for."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class ErasureKey(TenantModel):
    """The tenant's key for marks, sealed. It never changes: a mark that was made stays one."""

    id = models.BigAutoField(primary_key=True)
    key = models.TextField(help_text="Sealed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="erasure_key_once")]

    def __str__(self) -> str:
        return "key"


class ErasureState(StrEnum):
    """How far an erasure is."""

    ERASING = "erasing"
    ERASED = "erased"


class Erasure(TenantModel):
    """That somebody was erased: when, and on whose word. It says nothing of who it was. Their record is gone from the
    first moment on; as long as it is under way, logs may still name them."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.BigIntegerField(help_text="The number that the person had here.")
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=254)
    counts = models.JSONField(default=dict, help_text="Rows that were deleted, by table.")
    at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=8, default=ErasureState.ERASED, db_default=ErasureState.ERASED)
    finished_at = models.DateTimeField(null=True, help_text="When the last trace was gone; empty for old ones.")
    lifted_at = models.DateTimeField(null=True, help_text="They may come back since then.")

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class Tombstone(TenantModel):
    """A keyed mark (HMAC-SHA256) of an e-mail address, a Salesforce id or an external key that must not come back."""

    id = models.BigAutoField(primary_key=True)
    erasure = models.ForeignKey(
        Erasure, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    mark = models.CharField(max_length=64, db_collation="C")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "mark"], name="tombstone_once")]

    def __str__(self) -> str:
        return "tombstone"
