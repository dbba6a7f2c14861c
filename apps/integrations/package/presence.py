"""Whether the package is in an org, and whether all of it is: what the describes show of its fields."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.integrations.package.source import package_fields

VERSION = "1.0"
"""The version whose fields are all there where nothing is missing."""


class State(StrEnum):
    """How much of it is there."""

    ABSENT = "absent"
    PARTIAL = "partial"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class Presence:
    """The package as the sync user sees it. ``missing`` and ``read_only`` are ``Object.Field``."""

    state: State
    version: str
    missing: list[str]
    read_only: list[str]


def presence_of(connection: Connection) -> Presence:
    """From the cached describes: a field that the sync user may not see is missing for Syncline, too. The link is for
    people, and reading it is enough."""
    missing, read_only, found = [], [], 0
    for sobject, names in sorted(package_fields(settings.SYNCLINE_PACKAGE).items()):
        schema = cached_schema(connection, sobject)
        for name in sorted(names):
            field = schema.fields.get(name) if schema is not None else None
            if field is None:
                missing.append(f"{sobject}.{name}")
                continue
            found += 1
            if not field.calculated and not field.updateable:
                read_only.append(f"{sobject}.{name}")
    if not found:
        return Presence(State.ABSENT, "", missing, [])
    is_whole = not missing and not read_only
    return Presence(State.PRESENT if is_whole else State.PARTIAL, VERSION if not missing else "", missing, read_only)
