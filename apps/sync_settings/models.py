"""Sync settings of a connection (requirements B01 to B15)."""

from typing import ClassVar

from django.db import models

from apps.integrations.models import Connection
from apps.tenants.models import TenantModel

ACTIVITY = "activity_"
ACTIVITY_SWITCHES = tuple(
    ACTIVITY + kind
    for kind in (
        "form_submitted",
        "email_sent",
        "email_opened",
        "email_clicked",
        "page_visited",
        "call_logged",
        "task_logged",
    )
)
"""One switch for each kind of event that can become a Task (B08)."""


class SyncSettings(TenantModel):
    """One row per connection. ``version`` grows with each save; a run uses the version it began with."""

    FREQUENCIES: ClassVar[tuple[tuple[int, str], ...]] = (
        (5, "Every 5 minutes"),
        (15, "Every 15 minutes"),
        (30, "Every 30 minutes"),
        (60, "Every hour"),
        (360, "Every 6 hours"),
        (720, "Every 12 hours"),
        (1440, "Every 24 hours"),
        (0, "Manual only"),
    )

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    version = models.IntegerField(default=1)
    syncs_enabled = models.BooleanField("Syncs Enabled", default=False)
    group_edition = models.BooleanField("Using Salesforce Group/Essentials Edition", default=False)
    person_accounts = models.BooleanField("Using Salesforce Person Accounts", default=False)
    notification_recipients = models.TextField("Full Sync & Error Notification Recipient", blank=True)
    score_only = models.BooleanField("Sync Only The Lead Score On A Lead Score Change", default=True)
    blank_in = models.BooleanField("Allow Salesforce to Write Empty Fields to Syncline", default=True)
    blank_out = models.BooleanField("Allow Syncline to Write Empty Fields to Salesforce", default=False)
    sync_members = models.BooleanField("Sync Salesforce Campaign Members to Corresponding Lists", default=True)
    email_activities = models.BooleanField("Sync Email Event Activities to Salesforce", default=False)
    activity_email_sent = models.BooleanField("E-mail sends", default=True)
    activity_email_opened = models.BooleanField("E-mail opens", default=True)
    activity_email_clicked = models.BooleanField("E-mail clicks", default=True)
    activity_form_submitted = models.BooleanField("Form submissions", default=False)
    activity_page_visited = models.BooleanField("Page visits", default=False)
    activity_call_logged = models.BooleanField("Calls", default=False)
    activity_task_logged = models.BooleanField("Tasks", default=False)
    default_account_name = models.CharField("Default Account Name", max_length=255, default="Unknown company")
    default_last_name = models.CharField("Default Last Name", max_length=80, default="Unknown")
    frequency_minutes = models.IntegerField("Frequency", choices=FREQUENCIES, default=60)
    push_automatically = models.BooleanField("Automatically push changes to Salesforce", default=True)
    api_share_percent = models.IntegerField("Share of the org's daily API calls", default=50)
    opt_out_in = models.BooleanField("Salesforce's Email Opt Out unsubscribes here", default=True)
    opt_out_out = models.BooleanField("Unsubscribes here opt out in Salesforce", default=True)
    save_duplicates = models.BooleanField(
        "Save records that a Salesforce duplicate rule warns about",
        default=False,
        help_text="Off: such a record is held, and the one that Salesforce names is offered.",
    )
    fallback_owner = models.CharField(
        max_length=18,
        blank=True,
        default="",
        db_default="",
        help_text="Id of the user or queue that owns what nobody can own. Blank: such a record is held with an error.",
    )
    lead_assignment = models.CharField(
        max_length=18,
        blank=True,
        default="",
        db_default="",
        help_text="Id of the assignment rule or queue for new leads without an owner. Blank: the fallback owner.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "connection"], name="sync_settings_once"),
            models.CheckConstraint(
                condition=models.Q(api_share_percent__gte=1, api_share_percent__lte=100),
                name="sync_settings_share_is_percent",
            ),
        ]

    def __str__(self) -> str:
        return f"settings, version {self.version}"

    @property
    def task_kinds(self) -> list[str]:
        """The kinds of events that become Tasks; those of e-mails only under their common switch."""
        kinds = [name.removeprefix(ACTIVITY) for name in ACTIVITY_SWITCHES if getattr(self, name)]
        return [kind for kind in kinds if self.email_activities or not kind.startswith("email_")]

    @property
    def recipients(self) -> list[str]:
        """The addresses that are told, one each."""
        return list(dict.fromkeys(self.notification_recipients.replace(",", " ").replace(";", " ").split()))
