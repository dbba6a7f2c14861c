"""Converted leads that were never linked, of people who are here by their contact: one statement for all of a page.

In an org that has worked for some years they are many, and each is the same: ``Move.ATTACH`` of the decider, a closed
link with the contact's person. ``tests/sync/test_sql_agrees.py`` holds both against each other.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.sync.drafts import Context
from apps.sync.pull.sql_values import identifier
from apps.sync_errors.services import resolve_errors
from apps.tenants.scope import current_tenant_id

_NEEDED = frozenset({"IsConverted", "ConvertedContactId"})
_ATTACH = """
WITH converted AS MATERIALIZED (
  SELECT s."Id" AS rid, s."SystemModstamp" AS stamp, s."CreatedDate" AS born, s."ConvertedContactId" AS contact,
    coalesce({account}, '') AS account, coalesce({opportunity}, '') AS opportunity
  FROM staging.{table} s WHERE s."Id" = ANY(%(rows)s) AND s."IsConverted" = 'true' AND s."ConvertedContactId" <> ''
), known AS MATERIALIZED (
  SELECT c.*, (SELECT k.person_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s
      AND k.connection_id = %(connection)s AND k.remote_id = c.contact) AS person
  FROM converted c WHERE (SELECT l.is_leading FROM sync_recordlink l WHERE l.tenant_id = %(tenant)s
      AND l.connection_id = %(connection)s AND l.remote_id = c.rid) IS NULL
), attached AS MATERIALIZED (SELECT * FROM known WHERE person IS NOT NULL ORDER BY rid
), links AS (
  INSERT INTO sync_recordlink (tenant_id, connection_id, remote_id, sobject, person_id, is_leading, is_live,
    remote_stamp, remote_created_at, pulled_at, created_run_id, created_at)
  SELECT %(tenant)s, %(connection)s, rid, %(sobject)s, person, false, false, stamp::timestamptz, born::timestamptz,
    %(now)s, %(run)s, %(now)s FROM attached
), entries AS (
  INSERT INTO sync_runentry (tenant_id, run_id, sobject, remote_id, local_type, local_id, action, reason, at)
  SELECT %(tenant)s, %(run)s, %(sobject)s, rid, 'person', person, 'linked', 'converted', %(now)s FROM attached
), conversions AS (
  INSERT INTO sync_conversion (tenant_id, connection_id, lead_id, account_id, opportunity_id, has_company,
    has_opportunity)
  SELECT %(tenant)s, %(connection)s, rid, account, opportunity, account = '', opportunity = '' FROM attached
  WHERE account <> '' OR opportunity <> ''
  ON CONFLICT DO NOTHING
)
SELECT coalesce(array_agg(rid), ARRAY[]::text[]) FROM attached
"""


def attach_converted(context: Context, columns: Sequence[str], table: str, rows: Sequence[str]) -> set[str]:
    """Link what of these rows of a staged page is a converted lead without link whose contact is linked; answers
    which, in the open transaction. Their errors are closed."""
    if context.local_type != "person" or not rows or not set(columns) >= _NEEDED:
        return set()
    statement = _ATTACH.format(
        table=identifier(table),
        account='s."ConvertedAccountId"' if "ConvertedAccountId" in columns else "''",
        opportunity='s."ConvertedOpportunityId"' if "ConvertedOpportunityId" in columns else "''",
    )
    values: dict[str, Any] = {
        "rows": list(rows),
        "tenant": current_tenant_id(),
        "connection": context.connection_id,
        "run": context.run_id,
        "sobject": context.sobject,
        "now": context.now,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        attached: list[str] = cursor.fetchone()[0]
    if attached:
        resolve_errors(connection_id=context.connection_id, remote_ids=attached, at=context.now)
    return set(attached)
