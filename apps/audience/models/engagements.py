"""What people do and what is done with them: one row an event. Rules and Tasks of Salesforce are made of these rows."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.tenants.models import TenantModel


class EventKind(StrEnum):
    """What happened. Those of ``RECEIVED_KINDS`` come from outside; the others are noted by the services here."""

    FORM_SUBMITTED = "form_submitted"
    EMAIL_SENT = "email_sent"
    EMAIL_OPENED = "email_opened"
    EMAIL_CLICKED = "email_clicked"
    EMAIL_BOUNCED = "email_bounced"
    UNSUBSCRIBED = "unsubscribed"
    PAGE_VISITED = "page_visited"
    CALL_LOGGED = "call_logged"
    TASK_LOGGED = "task_logged"
    REPLIED = "replied"
    LIST_JOINED = "list_joined"
    LIST_LEFT = "list_left"
    SCORE_CHANGED = "score_changed"
    SEQUENCE_CHANGED = "sequence_changed"
    PERSON_CREATED = "person_created"

    @property
    def label(self) -> str:
        """The kind in words."""
        return _LABELS[self]


_LABELS = {
    EventKind.FORM_SUBMITTED: "Form submitted",
    EventKind.EMAIL_SENT: "E-mail sent",
    EventKind.EMAIL_OPENED: "E-mail opened",
    EventKind.EMAIL_CLICKED: "E-mail clicked",
    EventKind.EMAIL_BOUNCED: "E-mail bounced",
    EventKind.UNSUBSCRIBED: "Unsubscribed",
    EventKind.PAGE_VISITED: "Page visited",
    EventKind.CALL_LOGGED: "Call logged",
    EventKind.TASK_LOGGED: "Task logged",
    EventKind.REPLIED: "Replied",
    EventKind.LIST_JOINED: "Joined a list",
    EventKind.LIST_LEFT: "Left a list",
    EventKind.SCORE_CHANGED: "Score changed",
    EventKind.SEQUENCE_CHANGED: "Sequence changed",
    EventKind.PERSON_CREATED: "Person created",
}

RECEIVED_KINDS = (
    EventKind.FORM_SUBMITTED,
    EventKind.EMAIL_SENT,
    EventKind.EMAIL_OPENED,
    EventKind.EMAIL_CLICKED,
    EventKind.EMAIL_BOUNCED,
    EventKind.UNSUBSCRIBED,
    EventKind.PAGE_VISITED,
    EventKind.CALL_LOGGED,
    EventKind.TASK_LOGGED,
    EventKind.REPLIED,
)
"""Events that a marketing platform sends (I02)."""


class Origin(StrEnum):
    """Where an event or a change came from."""

    API = "api"
    IMPORT = "import"
    MANUAL = "manual"
    PANEL = "panel"
    RULE = "rule"
    SYNC = "sync"


class RulesState(StrEnum):
    """Whether rules have looked at an event."""

    WAITING = "waiting"
    DONE = "done"


class TaskState(StrEnum):
    """Whether an event becomes a Task in Salesforce."""

    NONE = "none"
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    SKIPPED = "skipped"


class Engagement(TenantModel):
    """One event of one person. ``points`` is what it really added to the score, and ``score`` what came of it."""

    id = models.BigAutoField(primary_key=True)
    person_id = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())
    subject = models.CharField(max_length=255, default="", db_default="")
    details = models.JSONField(default=dict, db_default={}, help_text="url, form, email, link, channel, source, …")
    external_id = models.CharField(
        max_length=200, default="", db_default="", db_collation="C", help_text="The sender's own id: the event is one."
    )
    origin = models.CharField(max_length=12)
    points = models.IntegerField(default=0, db_default=0)
    score = models.IntegerField(default=0, db_default=0, help_text="Of the person, after the event.")
    is_first_click = models.BooleanField(default=False, db_default=False)
    rules_state = models.CharField(max_length=8, default=RulesState.WAITING, db_default="waiting")
    task_state = models.CharField(max_length=8, default=TaskState.NONE, db_default="none")
    task_due_at = models.DateTimeField(db_default=Now(), help_text="When a waiting one is tried next.")
    task_attempts = models.IntegerField(default=0, db_default=0)
    task_id = models.CharField(max_length=18, default="", db_default="", help_text="Of the Task in Salesforce.")
    task_note = models.TextField(default="", db_default="", help_text="Why it was refused or skipped, in words.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "external_id"], condition=~Q(external_id=""), name="engagement_once"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "person_id", "happened_at", "id"], name="engagement_of_person"),
            # Claimed in the order of their arrival; a row that is done with leaves the index.
            models.Index(fields=["tenant", "id"], condition=Q(rules_state="waiting"), name="engagement_for_rules"),
            models.Index(
                fields=["tenant", "task_due_at", "id"], condition=Q(task_state="waiting"), name="engagement_for_tasks"
            ),
            models.Index(
                fields=["tenant", "person_id"], condition=Q(is_first_click=True), name="engagement_first_click"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.person_id}"


class ScoreRule(TenantModel):
    """How many points an event of one kind adds to the score; a kind without a row has its default."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    points = models.IntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "kind"], name="score_rule_once")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.points:+}"


class TaskSwitch(TenantModel):
    """A kind of event that becomes a Task in Salesforce, from the moment it was switched on."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=20)
    by = models.CharField(max_length=8, default="settings", db_default="settings", help_text="settings or profile")
    since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "by", "kind"], name="task_switch_once")]

    def __str__(self) -> str:
        return f"{self.kind} since {self.since}"
