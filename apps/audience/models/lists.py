"""Lists of people; a Campaign is a list of kind *campaign*, a CampaignMember a membership with a remote id."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Lower, Now

from apps.audience.models.people import Person
from apps.tenants.models import TenantModel


class ListKind(StrEnum):
    """What keeps a list."""

    STATIC = "static"
    CAMPAIGN = "campaign"


class OutState(StrEnum):
    """Whether Salesforce is to be told of a list or a membership; blank: both sides are in line."""

    NONE = ""
    WAITING = "waiting"
    REFUSED = "refused"


class List(TenantModel):
    """A named set of people. One of kind *campaign* without a remote id waits for its Campaign to be made."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=12, default=ListKind.STATIC, db_default=ListKind.STATIC)
    name = models.TextField()
    remote_id = models.CharField(max_length=18, default="", db_default="")
    status = models.TextField(default="", db_default="", help_text="Status of the Campaign.")
    campaign_type = models.TextField(default="", db_default="")
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    is_running = models.BooleanField(default=True, db_default=True, help_text="IsActive of the Campaign.")
    is_active = models.BooleanField(default=True, db_default=True)
    is_archived = models.BooleanField(default=False, db_default=False, help_text="Out of the way here; nothing more.")
    out_state = models.CharField(
        max_length=8, default="", db_default="", help_text="waiting: a Campaign is to be made of it; refused; or blank."
    )
    out_note = models.TextField(default="", db_default="", help_text="Why it waits or was refused, in words.")
    out_due_at = models.DateTimeField(null=True, help_text="When a waiting one is tried next; empty: now.")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    name_key = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "remote_id"],
                condition=~models.Q(remote_id=""),
                name="list_once_per_campaign",
            )
        ]
        indexes = [models.Index(fields=["tenant", "name_key", "id"], name="list_by_name")]

    def __str__(self) -> str:
        return self.name


class ListMembership(TenantModel):
    """A person on a list, with the member status of the Campaign."""

    id = models.BigAutoField(primary_key=True)
    list = models.ForeignKey(
        List,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="memberships",
    )
    person = models.ForeignKey(
        Person,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="memberships",
    )
    status = models.TextField(default="", db_default="")
    has_responded = models.BooleanField(default=False, db_default=False)
    remote_id = models.CharField(max_length=18, default="", db_default="")
    is_active = models.BooleanField(default=True, db_default=True)
    out_state = models.CharField(
        max_length=8, default="", db_default="", help_text="waiting: Salesforce is to be told; refused; or blank."
    )
    out_note = models.TextField(default="", db_default="", help_text="Why it waits or was refused, in words.")
    out_due_at = models.DateTimeField(null=True, help_text="When a waiting one is tried next; empty: now.")
    joined_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "list", "person"], name="membership_once"),
        ]
        indexes = [
            models.Index(fields=["tenant", "person"], name="membership_of_person"),
            models.Index(
                fields=["tenant", "remote_id"],
                condition=~models.Q(remote_id=""),
                name="membership_by_remote_id",
            ),
            models.Index(
                fields=["tenant", "id"],
                condition=models.Q(out_state="waiting"),
                name="membership_to_be_told",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.list_id}"
