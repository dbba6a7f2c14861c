"""Inserting many rows at once: Django's own way spends most of its time on building the statement."""

import json
from collections.abc import Sequence

from django.db import connection, models
from psycopg2.extras import execute_values

_PAGE = 1_000


def insert_rows(rows: Sequence[models.Model], columns: Sequence[str], *, with_ids: bool = False) -> None:
    """Insert unsaved rows of one model with these columns only; the database fills the others.

    ``with_ids``: the rows learn their ids. No signals, and nothing that ``save()`` would do.
    """
    if not rows:
        return
    model = type(rows[0])
    json_columns = {f.column for f in model._meta.concrete_fields if isinstance(f, models.JSONField)}
    values = [tuple(_value(getattr(row, name), name in json_columns) for name in columns) for row in rows]
    listed = ", ".join(f'"{name}"' for name in columns)
    returning = " RETURNING id" if with_ids else ""
    statement = f'INSERT INTO "{model._meta.db_table}" ({listed}) VALUES %s{returning}'
    with connection.cursor() as cursor:
        made = execute_values(cursor.cursor, statement, values, page_size=_PAGE, fetch=with_ids)
    if with_ids:
        for row, (number,) in zip(rows, made, strict=True):
            row.pk = number


def _value(value: object, is_json: bool) -> object:
    return json.dumps(value) if is_json and value is not None else value
