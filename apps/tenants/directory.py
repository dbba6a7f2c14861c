"""The directory: from a key that comes from outside to the tenants it belongs to."""

import hashlib

from apps.tenants.models import DirectoryEntry, DirectoryKind
from apps.tenants.scope import current_tenant_id


def key_hash(kind: DirectoryKind, key: str) -> str:
    """The form in which the directory knows a key; the key itself is not stored."""
    return hashlib.sha256(f"{kind.value}\0{key}".encode()).hexdigest()


def tenants_of(kind: DirectoryKind, key: str) -> list[int]:
    """Ids of the tenants that ``key`` belongs to, oldest first."""
    entries = DirectoryEntry.objects.filter(kind=kind.value, key_hash=key_hash(kind, key))
    return list(entries.order_by("tenant_id").values_list("tenant_id", flat=True))


def enter(*, kind: DirectoryKind, key: str) -> None:
    """Make ``key`` lead to the open tenant; doing so twice is harmless."""
    DirectoryEntry.objects.bulk_create(
        [
            DirectoryEntry(
                kind=kind.value,
                key_hash=key_hash(kind, key),
                tenant_id=current_tenant_id(),
            )
        ],
        ignore_conflicts=kind is not DirectoryKind.SALESFORCE_ORG,
    )


def leave(*, kind: DirectoryKind, key: str) -> None:
    """Take back what ``enter`` did for the open tenant."""
    DirectoryEntry.objects.filter(kind=kind.value, key_hash=key_hash(kind, key), tenant_id=current_tenant_id()).delete()
