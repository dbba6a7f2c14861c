"""The authorised tie between a tenant and one Salesforce org."""

from enum import StrEnum

from django.db import models

from apps.tenants.models import TenantModel, User


class ConnectionState(StrEnum):
    """Where the tie stands."""

    CONNECTED = "connected"
    NEEDS_RECONNECT = "needs_reconnect"
    DISCONNECTED = "disconnected"


class Health(StrEnum):
    """The words a user sees."""

    HEALTHY = "healthy"
    DELAYED = "delayed"
    PAUSED = "paused"
    NEEDS_YOU = "needs_you"


class AuthKind(StrEnum):
    """How we come by a session."""

    OAUTH = "oauth"
    PASSWORD = "password"  # noqa: S105  # the name of a way, not a password


class Connection(TenantModel):
    """Org, sync user, sealed tokens, edition, allowance and health. A tenant has at most one live connection."""

    id = models.BigAutoField(primary_key=True)
    provider = models.CharField(max_length=20, default="salesforce")
    state = models.CharField(max_length=16, default=ConnectionState.CONNECTED)
    login_url = models.CharField(max_length=255)
    instance_url = models.CharField(max_length=255, help_text="From the token answer, believed after a check.")
    org_id = models.CharField(max_length=18)
    org_name = models.CharField(max_length=255, blank=True)
    edition = models.CharField(max_length=80, blank=True, help_text="OrganizationType, as Salesforce names it.")
    is_sandbox = models.BooleanField(default=False)
    username = models.CharField(max_length=255, blank=True)
    user_remote_id = models.CharField(max_length=18, blank=True)
    user_name = models.CharField(max_length=255, blank=True)
    scopes = models.CharField(max_length=255, blank=True)
    api_version = models.CharField(max_length=8)
    auth_kind = models.CharField(max_length=8, default=AuthKind.OAUTH, db_default=AuthKind.OAUTH)
    credentials = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="User name, password and security token of the second way to connect: sealed, bound to this row.",
    )
    access_token = models.TextField(blank=True, help_text="Sealed; bound to this row.")
    refresh_token = models.TextField(blank=True, help_text="Sealed; bound to this row.")
    token_generation = models.BigIntegerField(default=0, help_text="Grows with each refresh.")
    refresh_lease_until = models.DateTimeField(null=True)
    api_used = models.IntegerField(null=True, help_text="Calls of the org in the last 24 h, as Salesforce says.")
    api_allowed = models.IntegerField(null=True)
    api_seen_at = models.DateTimeField(null=True)
    has_person_accounts = models.BooleanField(default=False)
    has_campaigns = models.BooleanField(default=True)
    has_package = models.BooleanField(default=False)
    health = models.CharField(max_length=12, default=Health.HEALTHY)
    health_reason = models.TextField(blank=True)
    health_cause = models.CharField(max_length=12, blank=True, default="", db_default="")
    health_since = models.DateTimeField(null=True)
    health_seen_at = models.DateTimeField(null=True, help_text="When something last showed that it is still so.")
    resumes_at = models.DateTimeField(null=True)
    probe_due_at = models.DateTimeField(null=True, help_text="When a paused org is asked whether it answers again.")
    needed_fields = models.JSONField(
        default=dict, help_text="sObject → fields that the mappings use, written by field_mappings for the checks."
    )
    extra_objects = models.JSONField(
        default=list,
        db_default=[],
        help_text="sObjects that are read beside the usual ones: custom objects that are synced, or looked at.",
    )
    needed_writes = models.JSONField(
        default=dict,
        db_default={},
        help_text="sObject → {create, update, fields}: what the steps write there, for the checks.",
    )
    metadata_at = models.DateTimeField(null=True, help_text="When describe and reference data were last read.")
    metadata_due_at = models.DateTimeField(null=True, help_text="When they are to be read again.")
    connected_at = models.DateTimeField(auto_now_add=True)
    connected_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    disconnected_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider"],
                condition=~models.Q(state=ConnectionState.DISCONNECTED.value),
                name="connection_one_live",
            )
        ]

    def __str__(self) -> str:
        return self.org_name or self.org_id

    @property
    def is_live(self) -> bool:
        return self.state != ConnectionState.DISCONNECTED

    @property
    def is_usable(self) -> bool:
        return self.state == ConnectionState.CONNECTED
