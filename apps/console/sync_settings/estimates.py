"""How long a full sync will take and how many calls it needs, from what is known without asking Salesforce."""

from dataclasses import dataclass

from apps.integrations.models import Connection, ObjectMetadata
from apps.sync.models import RunObject, SyncRun

_CALLS_PER_OBJECT = 6
_ROWS_PER_PAGE = 10_000
_METADATA_CALLS = 20
_ROWS_PER_SECOND = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """Calls at least; rows and minutes only where an earlier full sync told how many rows there are."""

    calls: int
    rows: int | None
    minutes: int | None


def full_sync_estimate(connection: Connection, last: SyncRun | None) -> Estimate:
    """The estimate that the confirmation shows."""
    objects = ObjectMetadata.objects.filter(connection=connection).count()
    calls = _METADATA_CALLS + _CALLS_PER_OBJECT * objects
    if last is None:
        return Estimate(calls, None, None)
    rows = sum(RunObject.objects.filter(run=last).values_list("fetched", flat=True))
    return Estimate(calls + rows // _ROWS_PER_PAGE, rows, max(1, rows // _ROWS_PER_SECOND // 60))
