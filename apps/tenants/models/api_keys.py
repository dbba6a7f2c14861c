"""Keys of the REST API: what each may do, and what is known of it."""

from datetime import datetime
from enum import StrEnum

from django.db import models

from apps.tenants.actors import KeyActor
from apps.tenants.models.base import TenantModel
from apps.tenants.models.user import User


class Scope(StrEnum):
    """What a key may be allowed to do."""

    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    COMPANIES_READ = "companies:read"
    COMPANIES_WRITE = "companies:write"
    OPPORTUNITIES_READ = "opportunities:read"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    EVENTS_READ = "events:read"
    EVENTS_WRITE = "events:write"
    SEQUENCES_READ = "sequences:read"
    SEQUENCES_WRITE = "sequences:write"
    RECORDS_READ = "records:read"
    RECORDS_WRITE = "records:write"
    FIELDS_READ = "fields:read"
    FIELDS_WRITE = "fields:write"
    SYNC_READ = "sync:read"
    SYNC_RUN = "sync:run"
    ERRORS_READ = "errors:read"
    ERRORS_WRITE = "errors:write"

    @property
    def words(self) -> str:
        """The scope as the page of keys names it."""
        return _WORDS[self]


_WORDS = {
    Scope.PEOPLE_READ: "Read people",
    Scope.PEOPLE_WRITE: "Add and change people, their consent and score",
    Scope.COMPANIES_READ: "Read companies",
    Scope.COMPANIES_WRITE: "Add and change companies",
    Scope.OPPORTUNITIES_READ: "Read opportunities",
    Scope.LISTS_READ: "Read lists and who is on them",
    Scope.LISTS_WRITE: "Make lists, add people and take them off",
    Scope.EVENTS_READ: "Read the events of people",
    Scope.EVENTS_WRITE: "Report events, such as forms and visits",
    Scope.SEQUENCES_READ: "Read sequences and who is in them",
    Scope.SEQUENCES_WRITE: "Enrol people, pause and remove them",
    Scope.RECORDS_READ: "Read custom records",
    Scope.RECORDS_WRITE: "Add and change custom records",
    Scope.FIELDS_READ: "Read the definitions of custom fields",
    Scope.FIELDS_WRITE: "Define custom fields",
    Scope.SYNC_READ: "See how the sync does, and its runs",
    Scope.SYNC_RUN: "Start syncs",
    Scope.ERRORS_READ: "Read sync errors",
    Scope.ERRORS_WRITE: "Clear and retry sync errors",
}


class ApiKey(TenantModel):
    """A key of the API. Its secret is shown once and known here only by its hash."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=80, help_text="What it is for, in the words of whoever made it.")
    prefix = models.CharField(max_length=20, help_text="How the secret begins, so that it can be told from others.")
    key_hash = models.CharField(max_length=64, help_text="The hash under which the directory knows it.")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_by_label = models.CharField(max_length=254)
    last_used_at = models.DateTimeField(null=True, help_text="To within some minutes.")
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key_hash"], name="api_key_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> KeyActor:
        """Who acts when the key is used."""
        return KeyActor(f"API key {self.name}")

    def may(self, scope: Scope) -> bool:
        return scope.value in self.scopes

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
