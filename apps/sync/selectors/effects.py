"""What a step is about, in numbers from our own rows: nothing here asks Salesforce."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from apps.audience.fields import RECORD_COLUMNS
from apps.audience.models import CustomRecord, Record
from apps.core.paging import count_up_to
from apps.core.search import begins_with
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.sync.local import MODELS
from apps.sync.models import RecordLink
from apps.sync_errors.models import LIVE_STATES, SyncError


@dataclass(frozen=True, slots=True)
class Count:
    """A number that is counted no further than needed."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"

    def __bool__(self) -> bool:
        return self.number > 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with one sObject: rows that are linked, records here without a row, errors that wait."""

    linked: Count
    here_only: Count
    errors: Count


def standing_of(connection: Connection, sobject: str, local_type: str) -> Standing:
    """The numbers of one sObject."""
    errors = SyncError.objects.filter(connection_id=connection.pk, sobject=sobject, state__in=LIVE_STATES)
    return Standing(
        linked_rows(connection, sobject, local_type), records_without_row(local_type), Count(*count_up_to(errors))
    )


def linked_rows(connection: Connection, sobject: str, local_type: str) -> Count:
    """Rows of an sObject that are linked with a record here. Their ids begin alike, which the primary key answers."""
    links = RecordLink.objects.filter(
        connection_id=connection.pk, sobject=sobject, is_live=True, **{f"{RECORD_COLUMNS[local_type]}__isnull": False}
    )
    schema = cached_schema(connection, sobject)
    if schema is not None and schema.key_prefix:
        links = links.filter(Q(begins_with("remote_id", schema.key_prefix)))
    return Count(*count_up_to(links))


def records_without_row(local_type: str) -> Count:
    """Active records here that have no row in Salesforce."""
    return Count(*count_up_to(records_of(local_type).filter(leading_sobject="", is_active=True)))


def records_of(local_type: str) -> "QuerySet[Any]":
    """The records of a local type; of a custom one those of its own type only."""
    model: type[Record] = MODELS[local_type]
    rows = model._default_manager.all()
    if model is CustomRecord:
        rows = rows.filter(record_type_id=int(local_type.partition(":")[2] or 0))
    return rows
