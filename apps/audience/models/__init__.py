"""What syncs on our side: people, companies, opportunities, lists, owners, custom fields."""

from apps.audience.models.changes import ConsentChange, RecordChange
from apps.audience.models.companies import Company
from apps.audience.models.custom_fields import CustomField
from apps.audience.models.lists import List, ListKind, ListMembership
from apps.audience.models.opportunities import Opportunity, OpportunityContactRole
from apps.audience.models.owners import Owner
from apps.audience.models.people import Person, PersonWord
from apps.audience.models.record import Record, Source
from apps.audience.models.saved_filters import SavedFilter

__all__ = [
    "Company",
    "ConsentChange",
    "CustomField",
    "List",
    "ListKind",
    "ListMembership",
    "Opportunity",
    "OpportunityContactRole",
    "Owner",
    "Person",
    "PersonWord",
    "Record",
    "RecordChange",
    "SavedFilter",
    "Source",
]
