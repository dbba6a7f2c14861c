"""Rows of people who were erased here leave a page before it is applied: nothing of them comes back."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.audience.services.erasures import active_marker
from apps.sync.pull.sql_values import identifier
from apps.tenants.scope import current_tenant_id

# HMAC-SHA256 by its definition (RFC 2104), since the keyed hash is all that is known of them. Marks are computed in a
# MATERIALIZED step and compared as plain columns: one index probe a row.
_MARK = (
    "encode(sha256(%(outer)s::bytea || sha256(%(inner)s::bytea || convert_to(lower(btrim({value})), 'UTF8'))), 'hex')"
)
_DROP = """
WITH marks AS MATERIALIZED (
  SELECT s."Id" AS rid, {marks} FROM staging.{table} s
  WHERE (SELECT l.remote_id FROM sync_recordlink l WHERE l.tenant_id = %(tenant)s AND l.connection_id = %(connection)s
         AND l.remote_id = s."Id") IS NULL
), gone AS MATERIALIZED (
  SELECT m.rid FROM marks m WHERE {tests}
)
DELETE FROM staging.{table} s USING gone g WHERE s."Id" = g.rid
"""


def drop_erased(table: str, columns: Sequence[str], connection_id: int) -> int:
    """Take out the rows of a staged page that would make somebody anew who was erased; answers how many. Where nobody
    ever was, this is one question."""
    marker = active_marker()
    if marker is None:
        return 0
    marks = [_MARK.format(value='s."Id"') + " AS m0"]
    if "Email" in columns:
        marks.append(_MARK.format(value="coalesce(s.\"Email\", '')") + " AS m1")
    test = "(SELECT t.id FROM audience_tombstone t WHERE t.tenant_id = %(tenant)s AND t.mark = m.m{n}) IS NOT NULL"
    tests = " OR ".join(test.format(n=number) for number in range(len(marks)))
    values: dict[str, Any] = {
        "inner": marker.inner,
        "outer": marker.outer,
        "tenant": current_tenant_id(),
        "connection": connection_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DROP.format(marks=", ".join(marks), table=identifier(table), tests=tests), values)
        return int(cursor.rowcount)
