"""Which remote fields the mappings use, told to the layer below so that the pre-flight can check each of them."""

from apps.field_mappings.models import FieldMapping, Profile, StepKind
from apps.integrations.models import Connection


def note_needed_fields(connection: Connection) -> dict[str, list[str]]:
    """Write the fields of the active profile's enabled steps to the connection, by sObject in the steps' order."""
    profile = Profile.objects.filter(connection=connection, is_active=True).first()
    mappings = FieldMapping.objects.filter(
        step__profile=profile, step__is_enabled=True, step__kind=StepKind.RECORD
    ).order_by("step__position", "position", "id")
    needed: dict[str, list[str]] = {}
    for sobject, remote_field in mappings.values_list("step__sobject", "remote_field"):
        fields = needed.setdefault(sobject, [])
        if remote_field not in fields:
            fields.append(remote_field)
    Connection.objects.filter(id=connection.pk).update(needed_fields=needed)
    connection.needed_fields = needed
    return needed
