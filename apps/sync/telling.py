"""What a run's end is told of by mail and by webhooks: a full sync that finished, and new errors as a digest (B05)."""

from django.db.models import Count, Sum

from apps.integrations.models import Connection
from apps.notifications.services import NoticeKind, notify
from apps.sync.announcing import announce_end, announce_errors
from apps.sync.models import RunKind, RunObject, RunState, SyncRun
from apps.sync_errors.models import ErrorState, SyncError

_LOG, _ERRORS = "/integrations/salesforce/log/", "/integrations/salesforce/errors/"
_COUNTS = ("created", "updated", "unchanged", "skipped", "failed")


def tell_end(run: SyncRun) -> None:
    """Write the notices of a run that has just ended, last in its transaction: the digest's row is shared by all
    runs of the tenant."""
    if run.kind == RunKind.FULL and run.state in {RunState.COMPLETED, RunState.FAILED}:
        _tell_full_sync(run)
    announce_end(run, f"{_LOG}{run.pk}/")
    _tell_errors(run)


def _tell_full_sync(run: SyncRun) -> None:
    org = Connection.objects.get(id=run.connection_id)
    sums = RunObject.objects.filter(run=run).aggregate(**{name: Sum(name) for name in _COUNTS})
    facts = {name.capitalize(): f"{sums[name] or 0:,}" for name in _COUNTS}
    has_failed = run.state == RunState.FAILED
    if has_failed:
        facts = {"Why": run.failure} | facts
    subject = f"The full sync of {org} {'did not come to its end' if has_failed else 'has finished'}"
    notify(kind=NoticeKind.FULL_SYNC_FINISHED, subject=subject, facts=facts, path=f"{_LOG}{run.pk}/")


def _tell_errors(run: SyncRun) -> None:
    """Errors that this run was the first to see and that do not pass by themselves."""
    if run.started_at is None:
        return
    new = SyncError.objects.filter(
        run_id=run.pk,
        state__in=[ErrorState.OPEN, ErrorState.BLOCKED],
        last_seen__gte=run.started_at,
        first_seen__gte=run.started_at,
    )
    announce_errors(run, new, _ERRORS)
    counts = dict(new.values_list("category").annotate(n=Count("id")).order_by("category"))
    if counts:
        notify(kind=NoticeKind.SYNC_ERRORS, subject="New sync errors", facts=counts, path=_ERRORS)
