"""Uploading a file, saying what its columns mean, starting and cancelling."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import IO

from django.utils import timezone

from apps.audience.models import List
from apps.core.queue import wake
from apps.imports.columns import OPT_OUT, targets_of
from apps.imports.models import OPEN_STATES, Import, ImportPiece, ImportProblem, ImportState, Mode
from apps.imports.reading import BadFile, Record, as_utf8, encoding_of, layout_of, read_records
from apps.tenants.audit import audit
from apps.tenants.models import User
from apps.tenants.scope import current_tenant_id

ADVANCE_TASK = "apps.imports.tasks.advance"
PIECE = 1024 * 1024
LARGEST_FILE = 200 * 1024 * 1024
MOST_OPEN = 5
_UNSTARTED_FOR = timedelta(days=1)
_PROBLEMS_FOR = timedelta(days=30)
_KNOWN_BY = {"person": {"email", "first_name", "last_name"}, "company": {"name"}}


class BadMapping(Exception):
    """Columns that mean nothing, or one thing twice; the message says so in words."""


def upload(*, record_type: str, filename: str, source: IO[bytes], size: int, user: User) -> Import:
    """Store a file in pieces and read its header. Raises BadFile."""
    if size > LARGEST_FILE:
        raise BadFile(f"The file is too large: at most {LARGEST_FILE // 1024 // 1024} MB. Split it in two.")
    if Import.objects.filter(state__in=OPEN_STATES).count() >= MOST_OPEN:
        raise BadFile(f"{MOST_OPEN} imports are under way. Wait until one has finished.")
    _forget_old()
    encoding = encoding_of(source)
    row: Import = Import.objects.create(
        record_type=record_type,
        filename=filename.replace("\0", "")[-200:] or "file.csv",
        encoding=encoding,
        actor_id=user.pk,
        actor_label=user.display_name[:254],
    )
    row.size = _store(row, as_utf8(source, encoding))
    _read_layout(row, "")
    row.save()
    return row


def _forget_old() -> None:
    """Files that were never started are thrown away after a day, rows that could not be taken after a month."""
    now = timezone.now()
    stale = Import.objects.filter(state=ImportState.UPLOADED, created_at__lt=now - _UNSTARTED_FOR)
    ImportPiece.objects.filter(source_id__in=stale.values("id")).delete()
    stale.update(state=ImportState.CANCELLED, finished_at=now)
    done = Import.objects.filter(finished_at__lt=now - _PROBLEMS_FOR)
    ImportProblem.objects.filter(source_id__in=done.values("id")).delete()


def _store(row: Import, blocks: Iterator[bytes]) -> int:
    waiting, number, size = bytearray(), 0, 0
    for block in blocks:
        waiting += block
        size += len(block)
        if size > 2 * LARGEST_FILE:
            raise BadFile("The file is too large.")
        while len(waiting) >= PIECE:
            ImportPiece.objects.create(source=row, number=number, data=bytes(waiting[:PIECE]))
            del waiting[:PIECE]
            number += 1
    if waiting:
        ImportPiece.objects.create(source=row, number=number, data=bytes(waiting))
    return size


def _read_layout(row: Import, delimiter: str) -> None:
    beginning = b""
    for block in stored_blocks(row, 0):
        beginning += block
        if len(beginning) >= 5 * PIECE:
            break
    layout = layout_of(beginning, is_whole=len(beginning) == row.size, delimiter=delimiter)
    row.delimiter, row.header, row.data_start = layout.delimiter, layout.header, layout.data_start


def choose_delimiter(*, row: Import, delimiter: str) -> None:
    """Read the file with another delimiter than was guessed. Raises BadFile."""
    _read_layout(row, delimiter)
    row.save(update_fields=["delimiter", "header", "data_start"])


def stored_blocks(row: Import, position: int) -> Iterator[bytes]:
    """The file from a position on, one piece at a time in memory."""
    number, offset = divmod(position, PIECE)
    while True:
        piece = ImportPiece.objects.filter(source_id=row.pk, number=number).first()
        if piece is None:
            return
        yield bytes(piece.data)[offset:]
        number, offset = number + 1, 0


def first_records(row: Import, count: int) -> list[Record]:
    """The first rows, for the preview. Raises BadFile."""
    found: list[Record] = []
    for record in read_records(stored_blocks(row, row.data_start), row.delimiter, row.data_start):
        if not record.is_blank:
            found.append(record)
        if len(found) == count:
            break
    return found


def start(
    *, row: Import, mapping: Mapping[int, str], mode: Mode, reactivates: bool, to: List | None, user: User
) -> None:
    """Queue an import under these columns. Raises BadMapping; one that was started already stays as it is."""
    fresh = Import.objects.select_for_update().get(id=row.pk)
    if fresh.state != ImportState.UPLOADED:
        return
    _check(fresh, mapping)
    now = timezone.now()
    fresh.mapping = {str(number): name for number, name in sorted(mapping.items())}
    fresh.mode, fresh.reactivates, fresh.list_id = mode.value, reactivates, to.pk if to is not None else None
    fresh.state, fresh.position, fresh.due_at = ImportState.QUEUED, fresh.data_start, now
    fresh.save()
    facts = {"columns": ", ".join(fresh.mapping.values()), "existing": mode.value}
    audit(actor=user, action="import_started", subject=f"Import {fresh.pk}: {fresh.filename}"[:120], after=facts)
    wake(ADVANCE_TASK, current_tenant_id(), fresh.pk, queue="bulk")


def _check(row: Import, mapping: Mapping[int, str]) -> None:
    targets = targets_of(row.record_type)
    names = list(mapping.values())
    for number, name in mapping.items():
        if name not in targets or not 0 <= number < len(row.header):
            raise BadMapping("One of the columns or fields is not there any more.")
        if names.count(name) > 1:
            raise BadMapping(f"“{targets[name].label}” is chosen for two columns.")
    if not _KNOWN_BY[row.record_type] & set(names):
        wanted = "an e-mail address or a name" if row.record_type == "person" else "a name"
        raise BadMapping(f"Choose a column for {wanted}: nobody would know who the rows are about.")
    if set(names) == {OPT_OUT}:
        raise BadMapping("Choose a column for the e-mail address.")


def cancel(*, row: Import, user: User) -> None:
    """Stop an import; what it has taken stays. One that has not begun is over at once."""
    now = timezone.now()
    stopped = Import.objects.filter(id=row.pk, state__in=[ImportState.QUEUED, ImportState.RUNNING]).update(
        state=ImportState.CANCELLING, due_at=now
    )
    if Import.objects.filter(id=row.pk, state=ImportState.UPLOADED).update(
        state=ImportState.CANCELLED, finished_at=now
    ):
        ImportPiece.objects.filter(source_id=row.pk).delete()
    if stopped:
        audit(actor=user, action="import_cancelled", subject=f"Import {row.pk}")
        wake(ADVANCE_TASK, current_tenant_id(), row.pk, queue="bulk")
