"""What a push carries beside changes of records: what it works with, and how its outcome is written down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from apps.domain.failures import Category, RowFailure
from apps.domain.ports import ObjectSchema
from apps.integrations.gateways import Gateway
from apps.integrations.health import note_refusal
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.sync.lanes import Hold
from apps.sync.models import RunEntry, RunObject, SyncRun
from apps.sync.storing import insert_entries
from apps.sync_errors.models import LIVE_STATES, ErrorState, SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.sync_settings.models import SyncSettings

ORG_WIDE = frozenset(
    {
        Category.INSUFFICIENT_ACCESS,
        Category.FIELD_GONE,
        Category.OBJECT_GONE,
        Category.STORAGE_LIMIT,
        Category.REQUIRED_FIELD_MISSING,
    }
)
"""Refusals that every row of an sObject meets until somebody changes the org: what waits goes on waiting."""


@dataclass
class Errand:
    """The hands of one part of a push."""

    hold: Hold
    gateway: Gateway
    run: SyncRun
    connection: Connection
    settings: SyncSettings

    def schema(self, sobject: str) -> ObjectSchema | None:
        """The cached describe; in the open transaction."""
        return cached_schema(self.connection, sobject)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one row, for the log; ``action`` is an EntryAction."""

    sobject: str
    remote_id: str
    person_id: int | None
    action: str
    reason: str = ""


def write_down(errand: Errand, sobject: str, label: str, fates: Sequence[Fate]) -> None:
    """Lines of the log and the run's counters, in the open transaction."""
    now = timezone.now()
    insert_entries(
        [
            RunEntry(
                run_id=errand.run.pk,
                sobject=one.sobject,
                remote_id=one.remote_id,
                local_type="person",
                local_id=one.person_id,
                action=one.action,
                way="out",
                reason=one.reason,
                changes=None,
                at=now,
            )
            for one in fates
        ]
    )
    part, _ = RunObject.objects.select_for_update().get_or_create(
        run=errand.run, sobject=sobject, defaults={"position": 50, "label": label, "started_at": now}
    )
    tally = {action: sum(one.action == action for one in fates) for action in {one.action for one in fates}}
    part.stage, part.is_done, part.finished_at = "fetched", True, now
    part.fetched += len(fates)
    part.created += tally.get("created", 0)
    part.updated += tally.get("written", 0)
    part.failed += tally.get("failed", 0)
    part.skipped += tally.get("skipped", 0)
    for one in fates:
        if one.action == "skipped":
            part.skip_reasons[one.reason] = part.skip_reasons.get(one.reason, 0) + 1
    part.save()


def note_failures(errand: Errand, sobject: str, failures: Iterable[RowFailure]) -> None:
    """Open one error for each kind of failure, however many rows met it: in the open transaction."""
    unique = {(failure.category, failure.fields): failure for failure in failures}
    for failure in unique.values():
        note_refusal(connection_id=errand.connection.pk, category=failure.category)
    facts = [
        ErrorFact(
            category=failure.category,
            message=failure.message,
            sobject=sobject,
            field=", ".join(failure.fields)[:120],
            raw=failure.raw,
        )
        for failure in unique.values()
    ]
    record_errors(facts, connection_id=errand.connection.pk, run_id=errand.run.pk, at=timezone.now(), way="out")


def close_errors(errand: Errand, sobject: str) -> None:
    """Rows of the sObject go through: what held all of them is over. In the open transaction."""
    SyncError.objects.filter(
        connection_id=errand.connection.pk,
        sobject=sobject,
        remote_id="",
        local_id__isnull=True,
        way="out",
        state__in=LIVE_STATES,
        category__in=[category.value for category in ORG_WIDE],
    ).update(state=ErrorState.RESOLVED, closed_at=timezone.now(), next_attempt_at=None)
