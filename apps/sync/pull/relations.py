"""Campaigns, their members and contact roles: set-based, since they have no baselines and nothing to decide. What was
changed on a membership here and waits to be told stays as it is."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from apps.sync.pull.sql_values import identifier

MISSING_PARENT = "missing_parent"
"""Why a member or role was skipped: its list, person or opportunity is not here."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows by what became of them."""

    created: int
    updated: int
    unchanged: int
    missing_parent: int


_LIST = """
WITH rows AS (
  SELECT s."Id" AS rid, coalesce(s."Name", '') AS name, coalesce(s."Status", '') AS status,
    coalesce(s."Type", '') AS type, nullif(s."StartDate", '')::date AS starts, nullif(s."EndDate", '')::date AS ends,
    s."IsActive" = 'true' AS running FROM {staged} s
), written AS (
  INSERT INTO audience_list AS t (
    tenant_id, kind, name, remote_id, status, campaign_type, starts_on, ends_on, is_running
  )
  SELECT %(tenant)s, 'campaign', name, rid, status, type, starts, ends, running FROM rows
  ON CONFLICT (tenant_id, remote_id) WHERE remote_id <> '' DO UPDATE
  SET name = excluded.name, status = excluded.status, campaign_type = excluded.campaign_type,
    starts_on = excluded.starts_on, ends_on = excluded.ends_on, is_running = excluded.is_running, is_active = true,
    updated_at = %(now)s
  WHERE (t.name, t.status, t.campaign_type, t.starts_on, t.ends_on, t.is_running, t.is_active)
    IS DISTINCT FROM (excluded.name, excluded.status, excluded.campaign_type, excluded.starts_on, excluded.ends_on,
                      excluded.is_running, true)
  RETURNING (xmax = 0) AS is_new)
SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM written WHERE is_new),
       (SELECT count(*) FROM written WHERE NOT is_new), 0
"""
_MEMBER = """
WITH rows AS MATERIALIZED (
  SELECT s."Id" AS rid, coalesce(s."Status", '') AS status, s."HasResponded" = 'true' AS responded,
    coalesce(nullif(s."ContactId", ''), s."LeadId") AS who, s."CampaignId" AS campaign FROM {staged} s
), found AS MATERIALIZED (
  SELECT DISTINCT ON (list_id, person_id) * FROM (
    SELECT r.*, (SELECT l.id FROM audience_list l WHERE l.tenant_id = %(tenant)s AND l.remote_id = r.campaign
                 AND l.remote_id <> '') AS list_id,
      (SELECT k.person_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s AND k.connection_id = %(connection)s
       AND k.remote_id = r.who) AS person_id FROM rows r) x
  WHERE list_id IS NOT NULL AND person_id IS NOT NULL ORDER BY list_id, person_id, rid
), written AS (
  INSERT INTO audience_listmembership AS t (tenant_id, list_id, person_id, status, has_responded, remote_id)
  SELECT %(tenant)s, list_id, person_id, status, responded, rid FROM found
  ON CONFLICT (tenant_id, list_id, person_id) DO UPDATE
  SET status = CASE WHEN t.out_state = 'waiting' THEN t.status ELSE excluded.status END,
    has_responded = excluded.has_responded, remote_id = excluded.remote_id,
    is_active = CASE WHEN t.out_state = 'waiting' THEN t.is_active ELSE true END,
    updated_at = CASE WHEN t.out_state = 'waiting' THEN t.updated_at ELSE %(now)s END
  WHERE (t.status, t.has_responded, t.remote_id, t.is_active)
    IS DISTINCT FROM (excluded.status, excluded.has_responded, excluded.remote_id, true)
    AND NOT (t.out_state = 'waiting' AND t.remote_id = excluded.remote_id)
  RETURNING (xmax = 0) AS is_new)
SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM written WHERE is_new),
       (SELECT count(*) FROM written WHERE NOT is_new), (SELECT count(*) FROM rows) - (SELECT count(*) FROM found)
"""
_ROLE = """
WITH rows AS MATERIALIZED (
  SELECT s."Id" AS rid, coalesce(s."Role", '') AS role, s."IsPrimary" = 'true' AS is_primary,
    s."OpportunityId" AS opportunity, s."ContactId" AS contact FROM {staged} s
), found AS MATERIALIZED (
  SELECT * FROM (
    SELECT r.*, (SELECT k.opportunity_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s
        AND k.connection_id = %(connection)s AND k.remote_id = r.opportunity) AS opportunity_id,
      (SELECT k.person_id FROM sync_recordlink k WHERE k.tenant_id = %(tenant)s
        AND k.connection_id = %(connection)s AND k.remote_id = r.contact) AS person_id FROM rows r) x
  WHERE opportunity_id IS NOT NULL AND person_id IS NOT NULL
), written AS (
  INSERT INTO audience_opportunitycontactrole AS t (tenant_id, opportunity_id, person_id, role, is_primary, remote_id)
  SELECT %(tenant)s, opportunity_id, person_id, role, is_primary, rid FROM found
  ON CONFLICT (tenant_id, remote_id) DO UPDATE
  SET opportunity_id = excluded.opportunity_id, person_id = excluded.person_id, role = excluded.role,
    is_primary = excluded.is_primary, is_active = true
  WHERE (t.opportunity_id, t.person_id, t.role, t.is_primary, t.is_active)
    IS DISTINCT FROM (excluded.opportunity_id, excluded.person_id, excluded.role, excluded.is_primary, true)
  RETURNING (xmax = 0) AS is_new)
SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM written WHERE is_new),
       (SELECT count(*) FROM written WHERE NOT is_new), (SELECT count(*) FROM rows) - (SELECT count(*) FROM found)
"""
STATEMENTS = {"Campaign": _LIST, "CampaignMember": _MEMBER, "OpportunityContactRole": _ROLE}


def apply_relations(sobject: str, table: str, *, tenant_id: int, connection_id: int, now: datetime) -> Outcome:
    """Bring lists, memberships or roles in line with a staged page."""
    statement = STATEMENTS[sobject].format(staged=f"staging.{identifier(table)}")
    with connection.cursor() as cursor:
        cursor.execute(statement, {"tenant": tenant_id, "connection": connection_id, "now": now})
        rows, created, updated, missing = cursor.fetchone()
    return Outcome(created, updated, rows - created - updated - missing, missing)
