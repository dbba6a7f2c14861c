"""One attempt to connect: from the click to the callback."""

from django.db import models

from apps.tenants.models import TenantModel, User


class OAuthAttempt(TenantModel):
    """A state parameter given out, used at most once; the PKCE verifier waits here, sealed."""

    id = models.BigAutoField(primary_key=True)
    state_hash = models.CharField(max_length=64)
    verifier = models.TextField(help_text="Sealed; bound to this row's state hash.")
    login_url = models.CharField(max_length=255)
    purpose = models.CharField(max_length=12, default="connect", help_text="connect or reconnect")
    expected_org_id = models.CharField(max_length=18, blank=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    in_popup = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "state_hash"], name="oauth_attempt_once")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.created_at:%Y-%m-%d %H:%M}"
