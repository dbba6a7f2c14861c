"""Who owns a record: users and queues of the CRM, and the member of ours that each one is."""

from django.db import models

from apps.tenants.models import TenantModel


class Owner(TenantModel):
    """A user or queue of the CRM that may own records."""

    id = models.BigAutoField(primary_key=True)
    remote_id = models.CharField(max_length=18)
    kind = models.CharField(max_length=8, default="user", help_text="user or queue")
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=254, blank=True)
    is_active = models.BooleanField(default=True)
    member_id = models.BigIntegerField(null=True, help_text="The membership that this user is, if any.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "remote_id"], name="owner_once")]

    def __str__(self) -> str:
        return self.name


class OwnerPick(TenantModel):
    """Which user of the CRM a member is, as somebody said; without such a row the e-mail address tells."""

    id = models.BigAutoField(primary_key=True)
    member_id = models.BigIntegerField()
    remote_id = models.CharField(max_length=18, blank=True, help_text="Blank: the member has no user there.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "member_id"], name="owner_pick_once_per_member"),
            models.UniqueConstraint(
                fields=["tenant", "remote_id"], condition=~models.Q(remote_id=""), name="owner_pick_once_per_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} is {self.remote_id or 'nobody'}"
