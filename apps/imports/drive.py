"""Advancing an import: chunks of some thousand rows, each in one transaction that moves the position, for a few
seconds; then the next look is scheduled."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, transaction
from django.utils import timezone

from apps.audience.services.erasures import erased_among
from apps.core import crash
from apps.core.bulk import insert_rows
from apps.core.leases import claim_due, lock_held, wake_due
from apps.core.queue import wake
from apps.imports.applying import Applied, Chunk
from apps.imports.columns import targets_of
from apps.imports.models import OPEN_STATES, Import, ImportPiece, ImportProblem, ImportState
from apps.imports.reading import BadFile, read_records
from apps.imports.services import ADVANCE_TASK, stored_blocks
from apps.imports.values import ERASED, EXISTS, Batch, Row, Sorter
from apps.notifications.webhooks.emitting import WebhookEvent, emit
from apps.tenants.scope import current_tenant_id, tenant_transaction

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
ROWS = 5_000
_BYTES = 4_000_000
_CHUNK_SECONDS = 5.0
_MOST_ATTEMPTS = 8
_STORED_NOT = "It could not be stored: a value does not fit, or another record has this e-mail address"
_COMPANIES = "Several companies here fit this row"


@dataclass(frozen=True, slots=True)
class Hold:
    """A claimed import; the fence tells whether it still is ours."""

    tenant_id: int
    import_id: int
    fence: int


def advance(tenant_id: int, import_id: int) -> None:
    """Take in chunks for a few seconds; harmless when it is not due, held by another, or over."""
    hold = _claim(tenant_id, import_id)
    if hold is None:
        return
    crash.point("import_claimed")
    until = time.monotonic() + _CHUNK_SECONDS
    try:
        while _chunk(hold):
            crash.point("import_chunk")
            if time.monotonic() > until:
                _release(hold)
                return
    except (DatabaseError, InterfaceError) as error:
        log.warning("import_interrupted", run=import_id, error=type(error).__name__)
        _wait(hold, type(error).__name__)


def wake_due_imports() -> int:
    """Call for the imports that are due and held by nobody; the dispatcher's part."""
    return wake_due(Import._base_manager.all(), ADVANCE_TASK, queue="bulk", most=200)


def _claim(tenant_id: int, import_id: int) -> Hold | None:
    with tenant_transaction(tenant_id):
        row = claim_due(Import.objects.filter(id=import_id, state__in=OPEN_STATES), LEASE)
        if row is None:
            return None
        if row.state == ImportState.QUEUED:
            row.state, row.started_at = ImportState.RUNNING, row.started_at or timezone.now()
            row.save(update_fields=["state", "started_at"])
        return Hold(tenant_id, row.pk, row.fence)


def _chunk(hold: Hold) -> bool:
    """One chunk; False when there is nothing more to do, or another worker holds the import by now."""
    with tenant_transaction(hold.tenant_id):
        row = lock_held(Import.objects.filter(id=hold.import_id), hold.fence)
        if row is None or row.state not in OPEN_STATES:
            return False
        if row.state == ImportState.CANCELLING:
            _end(row, ImportState.CANCELLED)
            return False
        try:
            batch, position = _read(row)
        except BadFile as refusal:
            row.failure = f"Row {row.rows + 2:,} or one after it cannot be read. {refusal}"
            _end(row, ImportState.FAILED)
            return False
        _take(row, batch)
        row.position, row.attempts, row.lease_until = position, 0, timezone.now() + LEASE
        is_over = position >= row.size
        if is_over:
            _end(row, ImportState.COMPLETED)
        else:
            row.save()
        crash.point("import_applied")
        return not is_over


def _read(row: Import) -> tuple[Batch, int]:
    """The next rows, sorted out, and where they end."""
    known = targets_of(row.record_type)
    # A custom field that was removed meanwhile takes nothing in.
    mapping = {int(number): known[name] for number, name in row.mapping.items() if name in known}
    sorter, batch, position = Sorter(row.record_type, row.header, mapping, row.mode), Batch(), row.size
    for record in read_records(stored_blocks(row, row.position), row.delimiter, row.position):
        sorter.take(batch, row.rows + batch.count + 2, record.cells)
        if batch.count >= ROWS or record.end - row.position >= _BYTES:
            position = record.end
            break
    return batch, position


def _take(row: Import, batch: Batch) -> None:
    known = targets_of(row.record_type)
    targets = [known[name] for name in row.mapping.values() if name in known]
    gone = erased_among(one.values.get("email", "") for one in batch.rows) if row.record_type == "person" else set()
    if gone:
        kept = [one for one in batch.rows if one.values.get("email", "") not in gone]
        batch.skip(ERASED, len(batch.rows) - len(kept))
        batch.rows = kept
    chunk = Chunk(row, targets, timezone.now())
    applied = Applied()
    _apply(chunk, batch.rows, applied, batch)
    refused = {one.number: one for one in batch.rows if one.number in set(applied.ambiguous)}
    batch.problems += [(number, _COMPANIES, list(one.values.values())) for number, one in refused.items()]
    batch.skip(EXISTS, applied.left_alone)
    tenant_id = current_tenant_id()
    insert_rows(
        [
            ImportProblem(tenant_id=tenant_id, source_id=row.pk, row=number, reason=reason, cells=cells)
            for number, reason, cells in sorted(batch.problems, key=lambda problem: problem[0])
        ],
        ("tenant_id", "source_id", "row", "reason", "cells"),
    )
    row.rows += batch.count
    row.created += applied.created
    row.updated += applied.updated
    row.unchanged += applied.unchanged
    row.failed += len(batch.problems)
    row.skipped += sum(batch.skipped.values())
    for reason, count in batch.skipped.items():
        row.skip_reasons[reason] = row.skip_reasons.get(reason, 0) + count


def _apply(chunk: Chunk, rows: Sequence[Row], applied: Applied, batch: Batch) -> None:
    """Apply rows; where they cannot be stored together, halves, until the one that cannot stands alone."""
    if not rows:
        return
    for last in (False, True):
        try:
            with transaction.atomic():
                part = chunk.apply(rows)
        except (IntegrityError, DataError):
            if len(rows) == 1 and last:
                batch.problems.append((rows[0].number, _STORED_NOT, list(rows[0].values.values())))
                return
            if len(rows) > 1:
                half = len(rows) // 2
                _apply(chunk, rows[:half], applied, batch)
                _apply(chunk, rows[half:], applied, batch)
                return
            continue
        applied.created += part.created
        applied.updated += part.updated
        applied.unchanged += part.unchanged
        applied.left_alone += part.left_alone
        applied.ambiguous += part.ambiguous
        waiting = set(part.again)
        _apply(chunk, [row for row in rows if row.number in waiting], applied, batch)
        return


def _end(row: Import, state: ImportState) -> None:
    row.state, row.finished_at, row.due_at, row.lease_until = state, timezone.now(), None, None
    row.save()
    ImportPiece.objects.filter(source_id=row.pk).delete()
    words = {"completed": "has finished", "failed": "has failed", "cancelled": "was stopped"}[state.value]
    names = ("created", "updated", "unchanged", "skipped", "failed")
    counts = {name: getattr(row, name) for name in names}
    payload = {
        "title": f"The import of {row.filename} {words}",
        "text": row.failure or ", ".join(f"{name} {count:,}" for name, count in counts.items() if count),
        "kind": "import",
        "run": row.pk,
        "state": state.value,
        "counts": counts,
        "failure": row.failure,
        "path": f"/imports/{row.pk}/",
    }
    emit(WebhookEvent.RUN_FINISHED, payload, key=f"import:{row.pk}")


def _release(hold: Hold) -> None:
    with tenant_transaction(hold.tenant_id):
        Import.objects.filter(id=hold.import_id, fence=hold.fence).update(lease_until=None, due_at=timezone.now())
        wake(ADVANCE_TASK, hold.tenant_id, hold.import_id, queue="bulk")


def _wait(hold: Hold, what: str) -> None:
    """Try again later, each time later; after too many failures in a row the import has failed."""
    with tenant_transaction(hold.tenant_id):
        row = lock_held(Import.objects.filter(id=hold.import_id), hold.fence)
        if row is None:
            return
        row.attempts += 1
        if row.attempts >= _MOST_ATTEMPTS:
            row.failure = f"A fault of ours ({what}) came again and again. What was taken in stays."
            _end(row, ImportState.FAILED)
            return
        row.lease_until, row.due_at = None, timezone.now() + timedelta(seconds=2**row.attempts)
        row.save(update_fields=["attempts", "lease_until", "due_at"])
