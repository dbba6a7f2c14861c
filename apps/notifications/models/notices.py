"""Notices: they wait as rows and become mail."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class NoticeKind(StrEnum):
    """What a notice is about."""

    FULL_SYNC_FINISHED = "full_sync"
    SYNC_ERRORS = "sync_errors"
    NEEDS_YOU = "needs_you"
    RULE = "rule"
    WEBHOOK_OFF = "webhook_off"


class Notice(TenantModel):
    """One mail to be sent. New errors fold into the digest that waits, so that there is one mail an hour at most."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12)
    subject = models.CharField(max_length=200)
    facts = models.JSONField(
        default=list, help_text="Name and value of each line; of a digest, how many errors of each kind."
    )
    path = models.CharField(max_length=200, blank=True, help_text="The page that the mail points to.")
    to = models.JSONField(default=list, db_default=[], help_text="Addresses; empty: the tenant's recipients.")
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, help_text="Empty: done with.")
    attempts = models.IntegerField(default=0, db_default=0)
    sent_at = models.DateTimeField(null=True)
    sent_to = models.JSONField(default=list)
    problem = models.TextField(blank=True, help_text="Why it was not sent, in words.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind"],
                condition=models.Q(kind="sync_errors", due_at__isnull=False),
                name="notice_one_digest_waits",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="notice_due"),
            models.Index(fields=["tenant", "kind", "-sent_at"], name="notice_last_sent"),
        ]

    def __str__(self) -> str:
        return self.subject


class Recipients(TenantModel):
    """Who gets a tenant's notices: one row a tenant, kept by the sync settings."""

    id = models.BigAutoField(primary_key=True)
    addresses = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="recipients_once")]

    def __str__(self) -> str:
        return ", ".join(self.addresses)
