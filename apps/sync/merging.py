"""What a merged record leaves to the one that stays: memberships, roles, events, what rules
still want with it, and those who belong to it."""

from django.db import connection

from apps.audience.fields import ByType
from apps.audience.models import Record
from apps.tenants.scope import current_tenant_id

_PERSON = (
    """
    UPDATE audience_listmembership AS m SET person_id = %(to)s WHERE m.tenant_id = %(tenant)s AND m.person_id = %(of)s
    AND NOT EXISTS (SELECT 1 FROM audience_listmembership o WHERE o.tenant_id = m.tenant_id AND o.list_id = m.list_id
                    AND o.person_id = %(to)s)
    """,
    "DELETE FROM audience_listmembership WHERE tenant_id = %(tenant)s AND person_id = %(of)s",
    "UPDATE audience_opportunitycontactrole SET person_id = %(to)s WHERE tenant_id = %(tenant)s AND person_id = %(of)s",
    "UPDATE audience_customrecord SET person_id = %(to)s WHERE tenant_id = %(tenant)s AND person_id = %(of)s",
)
_RULES = (
    "UPDATE sync_actions_reaction SET person_id = %(to)s WHERE tenant_id = %(tenant)s AND person_id = %(of)s",
    """
    UPDATE sync_actions_crmaction SET person_id = %(to)s
    WHERE tenant_id = %(tenant)s AND person_id = %(of)s AND state IN ('waiting', 'in_flight', 'held')
    """,
)
_TOUCHED = """
UPDATE audience_person AS p SET
  score = greatest(p.score, o.score), most_recent_visit = greatest(p.most_recent_visit, o.most_recent_visit),
  email_bounced = p.email_bounced OR o.email_bounced,
  first_touch_at = least(p.first_touch_at, o.first_touch_at),
  last_touch_at = greatest(p.last_touch_at, o.last_touch_at),
  first_touch_channel = CASE WHEN {first} THEN o.first_touch_channel ELSE p.first_touch_channel END,
  first_touch_source = CASE WHEN {first} THEN o.first_touch_source ELSE p.first_touch_source END,
  last_touch_channel = CASE WHEN {last} THEN o.last_touch_channel ELSE p.last_touch_channel END,
  last_touch_source = CASE WHEN {last} THEN o.last_touch_source ELSE p.last_touch_source END,
  sequence_status = CASE WHEN p.sequence_status = '' THEN o.sequence_status ELSE p.sequence_status END,
  inbox_state = CASE WHEN p.inbox_state = '' THEN o.inbox_state ELSE p.inbox_state END
FROM audience_person o
WHERE p.tenant_id = %(tenant)s AND p.id = %(to)s AND o.tenant_id = %(tenant)s AND o.id = %(of)s
""".format(
    first="o.first_touch_at < coalesce(p.first_touch_at, 'infinity')",
    last="o.last_touch_at > coalesce(p.last_touch_at, '-infinity')",
)
_EVENTS = (
    "UPDATE audience_engagement SET person_id = %(to)s WHERE tenant_id = %(tenant)s AND person_id = %(of)s",
    """
    UPDATE audience_sequenceenrolment AS m SET person_id = %(to)s
    WHERE m.tenant_id = %(tenant)s AND m.person_id = %(of)s
    AND NOT EXISTS (SELECT 1 FROM audience_sequenceenrolment o WHERE o.tenant_id = m.tenant_id
                    AND o.sequence_id = m.sequence_id AND o.person_id = %(to)s)
    """,
    "DELETE FROM audience_sequenceenrolment WHERE tenant_id = %(tenant)s AND person_id = %(of)s",
    _TOUCHED,
)
_COMPANY = (
    "UPDATE audience_person SET company_id = %(to)s WHERE tenant_id = %(tenant)s AND company_id = %(of)s",
    "UPDATE audience_opportunity SET company_id = %(to)s WHERE tenant_id = %(tenant)s AND company_id = %(of)s",
    "UPDATE audience_customrecord SET company_id = %(to)s WHERE tenant_id = %(tenant)s AND company_id = %(of)s",
)
_STATEMENTS: ByType[tuple[str, ...]] = ByType(
    person=(*_PERSON, *_EVENTS, *_RULES), company=_COMPANY, opportunity=(), custom=()
)


def merge_belongings(local_type: str, *, survivor: Record, other: Record) -> None:
    """Move what belongs to ``other`` to ``survivor``; a membership that both have is kept once."""
    with connection.cursor() as cursor:
        for statement in _STATEMENTS[local_type]:
            cursor.execute(statement, {"tenant": current_tenant_id(), "to": survivor.pk, "of": other.pk})
