"""Answers that are kept, so that a request sent twice takes effect once."""

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class KeptAnswer(TenantModel):
    """What a request with an idempotency key was answered. The row is written first, in the transaction of the
    request: one with the same key waits for it at the unique index."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=255, help_text="The Idempotency-Key header.")
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of method, address and body, in hex.")
    status = models.IntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(default="", help_text="JSON, as it was sent.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="kept_answer_once")]
        indexes = [models.Index(fields=["tenant", "created_at"], name="kept_answer_by_age")]

    def __str__(self) -> str:
        return self.key
