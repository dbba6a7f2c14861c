"""Webhooks: where events go, what waits to go there, and what came back."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class EndpointKind(StrEnum):
    """In which form an endpoint is told."""

    WEBHOOK = "webhook"
    SLACK = "slack"

    @property
    def label(self) -> str:
        return {"webhook": "Webhook (signed JSON)", "slack": "Slack (a message)"}[self.value]


class WebhookEndpoint(TenantModel):
    """An address that is told of events. Address and secret are sealed: an incoming webhook's address is a key."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(help_text="Binds what is sealed to this row.")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, default=EndpointKind.WEBHOOK.value)
    url = models.TextField(help_text="Sealed.")
    shown_url = models.CharField(max_length=300, help_text="What pages show: without what may be secret.")
    secret = models.TextField(help_text="Sealed.")
    previous_secret = models.TextField(blank=True, default="", help_text="Sealed; signs, too, until it ends.")
    previous_until = models.DateTimeField(null=True)
    events = models.JSONField(default=list)
    with_bulk = models.BooleanField(
        default=False, help_text="Each record of full syncs and imports, too; otherwise only that they finished."
    )
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.TextField(blank=True, default="", help_text="Why Syncline switched it off, in words.")
    failures = models.IntegerField(default=0, help_text="Failed attempts in a row.")
    failing_since = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True, help_text="Left alone until then, after failures.")
    last_success_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(TenantModel):
    """One event on its way to one endpoint, or to the address that a rule names."""

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    url = models.TextField(blank=True, default="", db_default="", help_text="Sealed; of a delivery without endpoint.")
    event_id = models.UUIDField(help_text="The same however often it is tried: receivers know a repeat by it.")
    event = models.CharField(max_length=24)
    key = models.CharField(max_length=200, help_text="What happened; the same again is not delivered again.")
    payload = models.JSONField(default=dict)
    record_type = models.CharField(max_length=16, blank=True, default="", db_default="")
    record_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, default=DeliveryState.WAITING.value, db_default=DeliveryState.WAITING.value)
    attempts = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, db_default=Now(), help_text="Empty: done with.")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0, db_default=0)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "endpoint", "key"], nulls_distinct=False, name="delivery_once_per_endpoint"
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="delivery_due"),
            models.Index(
                fields=["tenant", "due_at", "id"], condition=Q(due_at__isnull=False), name="delivery_due_of_tenant"
            ),
            models.Index(fields=["tenant", "endpoint", "id"], name="delivery_of_endpoint"),
            models.Index(
                fields=["tenant", "record_type", "record_id"],
                condition=Q(record_id__isnull=False),
                name="delivery_about_record",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"


class Attempt(TenantModel):
    """One try to deliver, and what came back."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="tries"
    )
    at = models.DateTimeField(db_default=Now())
    status = models.IntegerField(null=True, help_text="HTTP status; empty: no answer.")
    milliseconds = models.IntegerField(default=0)
    response = models.TextField(blank=True, help_text="The beginning of the answer.")
    problem = models.TextField(blank=True, help_text="What went wrong, in words.")

    class Meta:
        indexes = [models.Index(fields=["tenant", "delivery", "id"], name="attempt_of_delivery")]

    def __str__(self) -> str:
        return f"{self.status or self.problem}"
