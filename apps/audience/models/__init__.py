"""What syncs on our side: people, companies, opportunities, lists, owners, custom fields."""

from apps.audience.models.changes import ConsentChange, RecordChange
from apps.audience.models.companies import Company
from apps.audience.models.custom_fields import CustomField
from apps.audience.models.custom_records import CustomRecord, CustomRecordType
from apps.audience.models.engagements import (
    RECEIVED_KINDS,
    Engagement,
    EventKind,
    Origin,
    RulesState,
    ScoreRule,
    TaskState,
    TaskSwitch,
)
from apps.audience.models.erasures import Erasure, ErasureKey, ErasureState, Tombstone
from apps.audience.models.lists import List, ListKind, ListMembership, OutState
from apps.audience.models.opportunities import Opportunity, OpportunityContactRole
from apps.audience.models.owners import Owner, OwnerPick
from apps.audience.models.people import Person, PersonWord
from apps.audience.models.record import Record, Source
from apps.audience.models.saved_filters import SavedFilter
from apps.audience.models.sequences import RUNNING, EnrolmentStatus, Sequence, SequenceEnrolment

__all__ = [
    "RECEIVED_KINDS",
    "RUNNING",
    "Company",
    "ConsentChange",
    "CustomField",
    "CustomRecord",
    "CustomRecordType",
    "Engagement",
    "EnrolmentStatus",
    "Erasure",
    "ErasureKey",
    "ErasureState",
    "EventKind",
    "List",
    "ListKind",
    "ListMembership",
    "Opportunity",
    "OpportunityContactRole",
    "Origin",
    "OutState",
    "Owner",
    "OwnerPick",
    "Person",
    "PersonWord",
    "Record",
    "RecordChange",
    "RulesState",
    "SavedFilter",
    "ScoreRule",
    "Sequence",
    "SequenceEnrolment",
    "Source",
    "TaskState",
    "TaskSwitch",
    "Tombstone",
]
