"""Making API keys, recognising them, and taking them back."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from apps.tenants.audit import audit
from apps.tenants.directory import enter, key_hash, tenants_of
from apps.tenants.models import ApiKey, DirectoryKind, Scope, User

MOST_KEYS = 100
"""Keys in use that an account may have at a time."""

_BEGINNING = "syncline_"
_SHOWN = len(_BEGINNING) + 6
_COARSE = timedelta(minutes=10)
_LONGEST = 200


class TooManyKeys(Exception):
    """The account has as many keys in use as it may have."""

    def __init__(self) -> None:
        super().__init__(f"An account may have {MOST_KEYS} keys in use. Revoke one first.")


def create_api_key(
    *, name: str, scopes: Iterable[Scope], user: User, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can read again. Raises TooManyKeys."""
    if ApiKey.objects.filter(revoked_at__isnull=True).count() >= MOST_KEYS:
        raise TooManyKeys
    secret = _BEGINNING + secrets.token_urlsafe(32)
    key: ApiKey = ApiKey.objects.create(
        name=name,
        prefix=secret[:_SHOWN],
        key_hash=key_hash(DirectoryKind.API_KEY, secret),
        scopes=sorted(scope.value for scope in scopes),
        created_by=user,
        created_by_label=user.display_name,
        expires_at=expires_at,
    )
    enter(kind=DirectoryKind.API_KEY, key=secret)
    facts = {"scopes": ", ".join(key.scopes), "expires": expires_at.date().isoformat() if expires_at else "never"}
    audit(actor=user, action="api_key_created", subject=f"{name} ({key.prefix}…)", after=facts)
    return key, secret


def revoke_api_key(*, key: ApiKey, user: User) -> None:
    """Take a key back, at once and for good; doing so twice changes nothing."""
    if ApiKey.objects.filter(id=key.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        audit(actor=user, action="api_key_revoked", subject=f"{key.name} ({key.prefix}…)")


def tenant_of_key(secret: str) -> int | None:
    """The tenant that a secret belongs to, whatever became of its key; None for one that nobody was given."""
    if not secret.startswith(_BEGINNING) or len(secret) > _LONGEST:
        return None
    found = tenants_of(DirectoryKind.API_KEY, secret)
    return found[0] if found else None


def recognise(secret: str) -> ApiKey | None:
    """The open tenant's key with this secret, usable or not; that it was used is written down now and then."""
    key: ApiKey | None = ApiKey.objects.filter(key_hash=key_hash(DirectoryKind.API_KEY, secret)).first()
    now = timezone.now()
    if key is not None and key.is_usable(now):
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _COARSE)
        ApiKey.objects.filter(stale, id=key.pk).update(last_used_at=now)
    return key
