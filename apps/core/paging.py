"""Paging by key: a page begins after (or before) a row, so it stays put while rows arrive, at any depth."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import BooleanField, F, Func, Model, QuerySet, Value

Row = TypeVar("Row", bound=Model)
_LARGEST = 2**63 - 1
_LONGEST_CURSOR = 4000


@dataclass(frozen=True, slots=True)
class Order:
    """An order in which rows are paged. ``kinds`` are int, str or datetime; the last column makes rows distinct."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[type, ...]
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows and the cursors of the pages beside them (empty: there is none)."""

    rows: list[Row]
    next: str
    previous: str


@dataclass(frozen=True, slots=True)
class _Position:
    values: tuple[Any, ...]
    backwards: bool


class _Beyond(Func):
    """``(a, b) > (x, y)``: one comparison of rows, which an index on (a, b) answers."""

    output_field = BooleanField()

    def __init__(self, *expressions: Any, sign: str) -> None:
        super().__init__(*expressions)
        self.sign = sign

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        compiled = [compiler.compile(source) for source in self.get_source_expressions()]
        half = len(compiled) // 2
        left = ", ".join(sql for sql, _ in compiled[:half])
        right = ", ".join(sql for sql, _ in compiled[half:])
        return f"({left}) {self.sign} ({right})", [value for _, values in compiled for value in values]


def is_cursor(cursor: str, order: Order) -> bool:
    """Whether a text is a cursor of this order."""
    return _read(cursor, order) is not None


def page_of(rows: "QuerySet[Row]", *, order: Order, cursor: str = "", size: int = 50, wraps: bool = True) -> Page[Row]:
    """The page at ``cursor``; a cursor that is no good leads to the first page, never to an error. So does one
    beyond the last row, unless ``wraps`` is off: then its page is empty."""
    position = _read(cursor, order)
    backwards = position is not None and position.backwards
    descending = order.descending is not backwards
    found = list(_beyond(rows, order, position, descending=descending)[: size + 1])
    more = len(found) > size
    found = found[:size]
    if wraps and position is not None and (not found or (backwards and not more)):
        return page_of(rows, order=order, size=size)
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, position is not None)
    return Page(
        rows=found,
        next=_write(order, found[-1], backwards=False) if has_next and found else "",
        previous=_write(order, found[0], backwards=True) if has_previous and found else "",
    )


def _beyond(rows: "QuerySet[Row]", order: Order, position: _Position | None, *, descending: bool) -> "QuerySet[Row]":
    sign = "-" if descending else ""
    ordered = rows.order_by(*(f"{sign}{column}" for column in order.columns))
    if position is None:
        return ordered
    columns = [F(column) for column in order.columns]
    values = [Value(value) for value in position.values]
    return ordered.filter(_Beyond(*columns, *values, sign="<" if descending else ">"))


def _write(order: Order, row: Model, *, backwards: bool) -> str:
    values = [getattr(row, column) for column in order.columns]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    packed = json.dumps([order.name, backwards, *plain], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def _read(cursor: str, order: Order) -> _Position | None:
    if not cursor or len(cursor) > _LONGEST_CURSOR:
        return None
    try:
        packed = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name, backwards, *plain = packed
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    if name != order.name or not isinstance(backwards, bool) or len(plain) != len(order.kinds):
        return None
    values = [_value(kind, value) for kind, value in zip(order.kinds, plain, strict=True)]
    return None if None in values else _Position(tuple(values), backwards)


def _value(kind: type, value: object) -> object:
    """The value of a cursor as its kind, or None."""
    if kind is int:
        return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST else None
    if not isinstance(value, str) or "\0" in value:
        return None
    try:
        value.encode()
        moment = datetime.fromisoformat(value) if kind is datetime else None
    except ValueError:
        return None
    if kind is datetime:
        return moment if moment and moment.tzinfo else None
    return value


def count_up_to(rows: "QuerySet[Any]", limit: int = 10_000) -> tuple[int, bool]:
    """(how many, whether there are more): counts no further than ``limit``."""
    counted = rows.order_by()[: limit + 1].count()
    return min(counted, limit), counted > limit
