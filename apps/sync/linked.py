"""The links of many records at once."""

from collections.abc import Collection

from apps.audience.fields import RECORD_COLUMNS
from apps.sync.models import RecordLink


def links_of(connection_id: int, local_type: str, record_ids: Collection[int]) -> list[RecordLink]:
    """The links of these records with rows of one connection, closed ones, too, in the order of the rows' ids.

    The database is asked for the records alone: of a table that a first sync is filling it knows no statistics, and
    takes the key, whose beginning is the connection, for the better way to a few rows than the index of the records.
    A record has a handful of links.
    """
    found = RecordLink.objects.filter(**{f"{RECORD_COLUMNS[local_type]}__in": list(record_ids)})
    return sorted((link for link in found if link.connection_id == connection_id), key=lambda link: link.remote_id)
