"""Sequences: series of e-mails, calls and tasks that people are led through by the marketing platform."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Lower, Now

from apps.audience.models.people import Person
from apps.tenants.models import TenantModel


class EnrolmentStatus(StrEnum):
    """Where a person stands in a sequence."""

    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    REPLIED = "replied"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        return self.value.capitalize()


RUNNING = (EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED)
"""Of somebody who is still in the sequence."""


class Sequence(TenantModel):
    """A named series of steps."""

    id = models.BigAutoField(primary_key=True)
    name = models.TextField()
    description = models.TextField(default="", db_default="")
    is_active = models.BooleanField(default=True, db_default=True, help_text="False: archived.")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    name_key = models.GeneratedField(
        expression=Lower("name"),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )

    class Meta:
        indexes = [models.Index(fields=["tenant", "name_key", "id"], name="sequence_by_name")]

    def __str__(self) -> str:
        return self.name


class SequenceEnrolment(TenantModel):
    """A person in a sequence; enrolling again goes on with the same row."""

    id = models.BigAutoField(primary_key=True)
    sequence = models.ForeignKey(
        Sequence,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="enrolments",
    )
    person = models.ForeignKey(
        Person,
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,
        related_name="enrolments",
    )
    status = models.CharField(max_length=10, default=EnrolmentStatus.ACTIVE, db_default="active")
    origin = models.CharField(max_length=12)
    enrolled_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sequence", "person"], name="enrolment_once")]
        indexes = [models.Index(fields=["tenant", "person"], name="enrolment_of_person")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.sequence_id}: {self.status}"
