"""What a converted lead became (D06): the person goes on with the account's company and the opportunity, whichever
comes in first.

Set-based and harmless when it is done twice. A company that the person has already stays: the mapping of the contact
rules it. A part in the opportunity is made only where Salesforce tells of none, and goes when Salesforce tells of one.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.sync.models import Conversion, EntryAction, RunEntry, SyncRun
from apps.sync.storing import insert_entries
from apps.tenants.scope import current_tenant_id

WAITS = timedelta(days=30)
"""After so long what has not come in is filtered, hidden, or a person's own account: it is not waited for."""
_WAITING = """
WITH waiting AS MATERIALIZED (
  SELECT c.id, c.lead_id, c.account_id, c.opportunity_id, c.has_company, c.has_opportunity FROM sync_conversion c
  WHERE c.tenant_id = %(tenant)s AND c.connection_id = %(connection)s AND NOT (c.has_company AND c.has_opportunity)
), found AS MATERIALIZED (
  SELECT w.*,
    (SELECT k.person_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s AND k.connection_id = %(connection)s
      AND k.remote_id = w.lead_id) AS person_id,
    (SELECT k.company_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s AND k.connection_id = %(connection)s
      AND k.remote_id = w.account_id) AS joined_company,
    (SELECT k.opportunity_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s
      AND k.connection_id = %(connection)s AND k.remote_id = w.opportunity_id) AS joined_opportunity
  FROM waiting w)
"""
_COMPANIES = (
    _WAITING
    + """
, ready AS (SELECT * FROM found WHERE NOT has_company AND person_id IS NOT NULL AND joined_company IS NOT NULL
), joined AS (
  UPDATE audience_person p SET company_id = r.joined_company, version = p.version + 1, updated_at = %(now)s
  FROM (SELECT DISTINCT ON (person_id) * FROM ready ORDER BY person_id, id DESC) r
  WHERE p.tenant_id = %(tenant)s AND p.id = r.person_id AND p.company_id IS NULL
  RETURNING p.id, r.lead_id, r.account_id
), settled AS (
  UPDATE sync_conversion c SET has_company = true FROM ready r WHERE c.tenant_id = %(tenant)s AND c.id = r.id
)
SELECT id, lead_id, account_id FROM joined
"""
)
_ROLES = (
    _WAITING
    + """
, ready AS (SELECT * FROM found WHERE NOT has_opportunity AND person_id IS NOT NULL AND joined_opportunity IS NOT NULL
), joined AS (
  INSERT INTO audience_opportunitycontactrole (tenant_id, opportunity_id, person_id, role, is_primary, remote_id)
  SELECT %(tenant)s, r.joined_opportunity, r.person_id, '', true, r.lead_id FROM ready r
  WHERE NOT EXISTS (SELECT 1 FROM audience_opportunitycontactrole o WHERE o.tenant_id = %(tenant)s
    AND o.opportunity_id = r.joined_opportunity AND o.person_id = r.person_id)
  ON CONFLICT (tenant_id, remote_id) DO NOTHING
), settled AS (
  UPDATE sync_conversion c SET has_opportunity = true FROM ready r WHERE c.tenant_id = %(tenant)s AND c.id = r.id
)
SELECT count(*) FROM ready
"""
)
_TOLD_BY_SALESFORCE = """
DELETE FROM audience_opportunitycontactrole r USING sync_conversion c
WHERE r.tenant_id = %(tenant)s AND c.tenant_id = %(tenant)s AND c.connection_id = %(connection)s
  AND r.remote_id = c.lead_id
  AND EXISTS (SELECT 1 FROM audience_opportunitycontactrole o WHERE o.tenant_id = %(tenant)s
    AND o.opportunity_id = r.opportunity_id AND o.person_id = r.person_id AND o.id <> r.id)
"""


def join_conversions(run: SyncRun, *, at: datetime) -> None:
    """Join people with the companies and opportunities that are here by now, in the open transaction."""
    Conversion.objects.filter(connection_id=run.connection_id, seen_at__lt=at - WAITS).update(
        has_company=True, has_opportunity=True
    )
    facts: dict[str, Any] = {"tenant": current_tenant_id(), "connection": run.connection_id, "now": at}
    if not Conversion.objects.filter(connection_id=run.connection_id).exists():
        return
    with connection.cursor() as cursor:
        cursor.execute(_COMPANIES, facts)
        joined = cursor.fetchall()
        cursor.execute(_ROLES, facts)
        cursor.execute(_TOLD_BY_SALESFORCE, facts)
    insert_entries([_entry(run, person_id, lead_id, account_id, at) for person_id, lead_id, account_id in joined])


def _entry(run: SyncRun, person_id: int, lead_id: str, account_id: str, at: datetime) -> RunEntry:
    return RunEntry(
        run_id=run.pk,
        sobject="Lead",
        remote_id=lead_id,
        local_type="person",
        local_id=person_id,
        action=EntryAction.UPDATED,
        way="in",
        reason="converted",
        changes={"company": {"before": "", "after": account_id, "rule": "converted"}},
        at=at,
    )
