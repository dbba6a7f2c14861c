"""Record types: the built-in ones and those that the tenant added, in words."""

from apps.audience.fields import CUSTOM_TYPE, kind_of
from apps.audience.models import CustomRecordType

_WORDS = {"person": "People", "company": "Companies", "opportunity": "Opportunities"}


def custom_types() -> list[CustomRecordType]:
    """The tenant's own record types by name."""
    return list(CustomRecordType.objects.order_by("label_plural", "id"))


def custom_type(local_type: str) -> CustomRecordType | None:
    """The custom record type behind a local type; None for a built-in one and for one that is gone."""
    kind, _, number = local_type.partition(":")
    if kind != CUSTOM_TYPE or not number.isdecimal():
        return None
    found: CustomRecordType | None = CustomRecordType.objects.filter(id=int(number)).first()
    return found


def type_words(local_type: str) -> str:
    """What many records of a local type are called."""
    if kind_of(local_type) != CUSTOM_TYPE:
        return _WORDS[local_type]
    found = custom_type(local_type)
    return found.label_plural if found is not None else "Custom records"
