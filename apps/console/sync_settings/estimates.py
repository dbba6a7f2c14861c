"""What syncs cost, from what is known without asking Salesforce: a full one, and each frequency of the others."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from apps.domain.forecast import Forecast, RecentUse, forecasts
from apps.field_mappings.models import SyncStep
from apps.integrations.models import Connection, ObjectMetadata
from apps.integrations.selectors import calls_by_purpose, first_call_at
from apps.sync.models import RunObject, SyncRun
from apps.sync.pull.plan import RELATIONS
from apps.sync_settings.models import SyncSettings

_CALLS_PER_OBJECT = 6
_ROWS_PER_PAGE = 10_000
_METADATA_CALLS = 20
_ROWS_PER_SECOND = 2_000
_LATELY = timedelta(days=7)
_OUTBOUND = ("push", "record")
_NOT_REGULAR = frozenset({"fetch", "apply", "pull", *_OUTBOUND})
"""Full syncs are started by hand, and polling is what is forecast."""


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


def frequency_forecasts(connection: Connection, settings: SyncSettings, allowance: int | None) -> dict[int, Forecast]:
    """Calls a day by frequency: questions of the objects that are synced, and what else was used lately."""
    frequencies = [minutes for minutes, _ in SyncSettings.FREQUENCIES]
    asked = asked_objects(connection, settings)
    found = forecasts(frequencies, sobjects=asked, recent=_recent_use(connection), allowance=allowance)
    return {forecast.frequency: forecast for forecast in found}


def asked_objects(connection: Connection, settings: SyncSettings) -> int:
    """How many sObjects each sync asks for: what is mapped, and what belongs to it; of these what the org has."""
    steps = SyncStep.objects.filter(profile__connection=connection, profile__is_active=True, is_enabled=True)
    asked = set(steps.exclude(direction="push").values_list("sobject", flat=True)) | RELATIONS.keys()
    if settings.group_edition or not settings.sync_members:
        asked = {sobject for sobject in asked if not sobject.startswith("Campaign")}
    shown = set(ObjectMetadata.objects.filter(connection=connection).values_list("sobject", flat=True))
    return len(asked & shown if shown else asked)


def _recent_use(connection: Connection) -> RecentUse:
    now = timezone.now()
    since = max(now - _LATELY, first_call_at(connection) or now)
    days = max((now - since) / timedelta(days=1), 1.0)
    calls = calls_by_purpose(connection, since=since)
    outbound = sum(calls.get(purpose, 0) for purpose in _OUTBOUND)
    other = sum(count for purpose, count in calls.items() if purpose not in _NOT_REGULAR)
    return RecentUse(days, outbound, other)
