"""Which profile a connection uses."""

from apps.field_mappings.models import Profile
from apps.field_mappings.needs import note_needed_fields
from apps.field_mappings.services.editing import connection_of
from apps.tenants.actors import Actor
from apps.tenants.audit import audit


def switch_profile(*, profile: Profile, actor: Actor) -> bool:
    """Use this profile from the next run on; False where it is in use already. Nothing is written by switching."""
    rows = {row.pk: row for row in Profile.objects.select_for_update().filter(connection_id=profile.connection_id)}
    row = rows[profile.pk]
    if row.is_active:
        return False
    before = {"profile": next((one.kind for one in rows.values() if one.is_active), "")}
    Profile.objects.filter(connection_id=profile.connection_id).update(is_active=False)
    Profile.objects.filter(id=row.pk).update(is_active=True)
    audit(actor=actor, action="profile_switched", subject="Sync profile", before=before, after={"profile": row.kind})
    note_needed_fields(connection_of(row))
    return True
