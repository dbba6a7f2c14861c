"""Downloads as CSV: streamed in short transactions, and harmless to open in a spreadsheet."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse

from apps.core.paging import Order, page_of
from apps.tenants.scope import tenant_transaction

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BATCH = 1000


def safe_cell(value: object) -> str:
    """A cell's text; one that a spreadsheet would take for a formula gets a quote before it (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV text."""
    text = StringIO()
    csv.writer(text).writerows([safe_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def csv_download(
    *,
    filename: str,
    header: Sequence[str],
    tenant_id: int,
    rows: Callable[[], "QuerySet[Any]"],
    order: Order,
    line: Callable[[Any], Sequence[object]],
    keep: Callable[[Any], bool] = lambda row: True,
) -> HttpResponse:
    """All rows that are to be kept, a thousand to a transaction: a long download holds none open, and no more than
    that in memory.

    The stream begins when the request's own transaction has ended.
    """

    def stream() -> Iterator[str]:
        yield "\ufeff" + csv_lines([header])
        cursor = ""
        while True:
            with tenant_transaction(tenant_id):
                page = page_of(rows(), order=order, cursor=cursor, size=_BATCH)
                lines = csv_lines(line(row) for row in page.rows if keep(row))
            yield lines
            if not page.next or page.next == cursor:
                return
            cursor = page.next

    response = StreamingHttpResponse(stream(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return cast(HttpResponse, response)  # the guards of a view hand any answer on
