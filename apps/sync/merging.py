"""What a merged record leaves to the one that stays: memberships, roles, and those who belong to it."""

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
_COMPANY = (
    "UPDATE audience_person SET company_id = %(to)s WHERE tenant_id = %(tenant)s AND company_id = %(of)s",
    "UPDATE audience_opportunity SET company_id = %(to)s WHERE tenant_id = %(tenant)s AND company_id = %(of)s",
    "UPDATE audience_customrecord SET company_id = %(to)s WHERE tenant_id = %(tenant)s AND company_id = %(of)s",
)
_STATEMENTS: ByType[tuple[str, ...]] = ByType(person=_PERSON, company=_COMPANY, opportunity=(), custom=())


def merge_belongings(local_type: str, *, survivor: Record, other: Record) -> None:
    """Move what belongs to ``other`` to ``survivor``; a membership that both have is kept once."""
    with connection.cursor() as cursor:
        for statement in _STATEMENTS[local_type]:
            cursor.execute(statement, {"tenant": current_tenant_id(), "to": survivor.pk, "of": other.pk})
