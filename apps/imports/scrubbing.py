"""Taking one person's rows out of files that wait to be imported, or are being imported."""

from collections.abc import Sequence
from itertools import islice

from apps.imports.models import Import, ImportPiece
from apps.imports.reading import BadFile, read_records
from apps.imports.services import PIECE, stored_blocks


def stored_files() -> list[tuple[int, int, int]]:
    """Files that are still stored: number of the import, where its rows begin, and where they end."""
    rows = Import.objects.filter(id__in=ImportPiece.objects.values("source_id")).order_by("id")
    return list(rows.values_list("id", "data_start", "size"))


def blank_rows(import_id: int, identifiers: Sequence[str], *, position: int, most: int) -> tuple[int | None, int]:
    """Overwrite with blanks each of the next ``most`` rows in which a cell is, or holds, one of the identifiers.

    Answers where to go on (None: that was the end), and how many there were. Blank rows are skipped by an import, and
    all others stay where they are.
    """
    row = Import.objects.select_for_update().filter(id=import_id).first()
    if row is None or not ImportPiece.objects.filter(source_id=import_id).exists():
        return None, 0
    wanted = [name.lower() for name in identifiers]
    try:
        records = list(islice(read_records(stored_blocks(row, position), row.delimiter, position), most))
    except BadFile:
        ImportPiece.objects.filter(source_id=row.pk).delete()  # it could not be imported to its end, either
        return None, 0
    named = [record for record in records if any(name in "\n".join(record.cells).lower() for name in wanted)]
    for record in named:
        _blank(row, record.start, record.end)
    return (records[-1].end if len(records) == most else None), len(named)


def _blank(row: Import, start: int, end: int) -> None:
    for number in range(start // PIECE, (end - 1) // PIECE + 1):
        piece = ImportPiece.objects.select_for_update().get(source_id=row.pk, number=number)
        data = bytearray(piece.data)
        first, last = max(start - number * PIECE, 0), min(end - number * PIECE, len(data))
        data[first:last] = b" " * (last - first)
        if end - number * PIECE == last:
            data[last - 1 : last] = b"\n"
        piece.data = bytes(data)
        piece.save(update_fields=["data"])
