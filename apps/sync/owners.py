"""Owners: the org's users and queues, as records may be owned by them."""

from apps.audience.models import Owner
from apps.integrations.models import Connection, ReferenceItem, ReferenceKind
from apps.tenants.models import Membership

_KINDS = {ReferenceKind.USER: "user", ReferenceKind.QUEUE: "queue"}


def sync_owners(connection: Connection) -> int:
    """Bring owners in line with the reference data; members are found by their e-mail address."""
    members = {m.user.email.lower(): m.pk for m in Membership.objects.select_related("user")}
    items = ReferenceItem.objects.filter(connection=connection, kind__in=list(_KINDS))
    rows = [
        Owner(
            remote_id=item.key,
            kind=_KINDS[ReferenceKind(item.kind)],
            name=item.label,
            email=item.data.get("email", ""),
            is_active=item.is_active,
            member_id=members.get(item.data.get("email", "").lower()),
        )
        for item in items
    ]
    Owner.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["tenant", "remote_id"],
        update_fields=["kind", "name", "email", "is_active", "member_id"],
    )
    return len(rows)
