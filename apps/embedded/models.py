"""Signed requests that were taken: each opens the panel once."""

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class SignedRequest(TenantModel):
    """One of them: its digest, and which Salesforce user looked. Kept for a month, for the question who has looked; at
    whom is not kept, so that nothing here names a person who was erased."""

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64, db_collation="C", help_text="SHA-256 of the signed text, in hex.")
    remote_user_id = models.CharField(max_length=18)
    user_name = models.TextField()
    taken_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="When the row may go.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="signed_request_once")]
        indexes = [models.Index(fields=["tenant", "expires_at"], name="signed_request_expiry")]

    def __str__(self) -> str:
        return f"{self.user_name}, {self.taken_at:%Y-%m-%d %H:%M}"
