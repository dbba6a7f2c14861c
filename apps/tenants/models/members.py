"""Who may do what in a tenant, and who has been asked to join."""

from django.db import models

from apps.tenants.models.base import TenantModel
from apps.tenants.models.user import User
from apps.tenants.roles import Right, Role, role_has


class Membership(TenantModel):
    """A user in a tenant, with one role."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=[(r.value, r.label) for r in Role])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once_per_user")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def may(self, right: Right) -> bool:
        return role_has(Role(self.role), right)


class Invitation(TenantModel):
    """An invitation by mail; its token is known only by its hash."""

    id = models.BigAutoField(primary_key=True)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=16, choices=[(r.value, r.label) for r in Role])
    token_hash = models.CharField(max_length=64)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=models.Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_open_once_per_email",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"
