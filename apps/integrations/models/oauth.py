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


class PasswordAttempt(TenantModel):
    """One attempt to connect by user name and password, made by a worker, once: wrong passwords lock users out.

    What was typed waits here, sealed, until the worker takes it.
    """

    id = models.BigAutoField(primary_key=True)
    login_url = models.CharField(max_length=255)
    credentials = models.TextField(blank=True, help_text="Sealed; bound to this row; gone once they were used.")
    expected_org_id = models.CharField(max_length=18, blank=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, default="waiting", help_text="waiting, taken, done or refused")
    code = models.CharField(max_length=32, blank=True, help_text="The page that explains a refusal.")
    words = models.TextField(blank=True, help_text="Why it was refused, and what helps.")
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(null=True, help_text="When a worker is to take it; empty: taken.")
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="password_attempt_due")
        ]

    def __str__(self) -> str:
        return f"password {self.created_at:%Y-%m-%d %H:%M}"
