"""Taking one person's rows out of files that wait to be imported, or are being imported."""

from collections.abc import Sequence

from apps.imports.models import Import, ImportPiece
from apps.imports.reading import BadFile, read_records
from apps.imports.services import PIECE, stored_blocks


def blank_rows(identifiers: Sequence[str]) -> int:
    """Overwrite with blanks each row of a stored file in which a cell is, or holds, one of the identifiers; answers how
    many. Blank rows are skipped, and all others stay where they are."""
    wanted = [name.lower() for name in identifiers]
    found = 0
    for row in Import.objects.select_for_update().filter(id__in=ImportPiece.objects.values("source_id")).order_by("id"):
        spans = []
        try:
            for record in read_records(stored_blocks(row, row.data_start), row.delimiter, row.data_start):
                text = "\n".join(record.cells).lower()
                if any(name in text for name in wanted):
                    spans.append((record.start, record.end))
        except BadFile:
            ImportPiece.objects.filter(source_id=row.pk).delete()  # it could not be imported to its end, either
            continue
        for start, end in spans:
            _blank(row, start, end)
        found += len(spans)
    return found


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
