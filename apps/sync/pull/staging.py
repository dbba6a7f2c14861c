"""Stage: a page's bytes go into an UNLOGGED table of its own by COPY.

Row-level security and COPY do not go together; so staging tables are in a schema without it, named by tenant, run
and page, and live only until their page is applied.
"""

from collections.abc import Sequence
from typing import IO

from django.db import connection, transaction
from django.db.utils import ProgrammingError
from psycopg2 import sql


def _name(table: str) -> sql.Identifier:
    return sql.Identifier("staging", table)


def stage_page(table: str, columns: Sequence[str], source: IO[bytes]) -> int:
    """Make ``staging.<table>`` from CSV bytes and answer its number of rows. The header must name the columns in
    order: a column that is silently missing stops the page instead of blanking a field."""
    with connection.cursor() as cursor:
        raw = cursor.cursor
        listed = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in columns)
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_name(table)).as_string(raw))
        # It lives for seconds: to vacuum it would take the processor from others.
        create = sql.SQL("CREATE UNLOGGED TABLE {} ({}) WITH (autovacuum_enabled = false)")
        cursor.execute(create.format(_name(table), listed).as_string(raw))
        copy = sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER match)").format(_name(table)).as_string(raw)
        raw.copy_expert(copy, source)
        return int(raw.rowcount)


def staged_rows(table: str) -> int | None:
    """How many rows the table holds; None where it is gone."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(_name(table)).as_string(cursor.cursor))
            return int(cursor.fetchone()[0])
    except ProgrammingError:
        return None


def drop_page(table: str) -> None:
    """Remove a staging table."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_name(table)).as_string(cursor.cursor))
