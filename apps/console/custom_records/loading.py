"""Types by their key and records by type and id: whatever does not belong together is not there."""

from django.http import Http404

from apps.audience.models import CustomRecord, CustomRecordType
from apps.tenants.access import load


def load_type(key: str) -> CustomRecordType:
    """The open tenant's record type with this key; 404 for any other."""
    found: CustomRecordType | None = CustomRecordType.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def load_record(key: str, record_id: int) -> CustomRecord:
    """A record of the type with this key."""
    record_type = load_type(key)
    record = load(CustomRecord, record_id)
    if record.record_type_id != record_type.pk:
        raise Http404
    record.record_type = record_type
    return record
