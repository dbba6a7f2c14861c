"""Marks of people who were erased: made once, asked for by whatever could bring them back.

Whoever asks holds a shared lock until its transaction ends, and an erasure waits for all of them: so nobody who asked
before an erasure writes after it.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from apps.audience.models import Erasure, ErasureKey, ErasureState, Person, Tombstone
from apps.audience.services.values import BadValues
from apps.core.crypto import seal, unseal
from apps.domain.values import Unreadable, normalize_id
from apps.tenants.actors import Actor
from apps.tenants.audit import audit
from apps.tenants.scope import current_tenant_id

_LOCK = 7_301
_BLOCK = 64


ERASED_WORDS = "This person was erased on request and is not taken in again. An admin can allow it again."


class PersonErased(BadValues):
    """Somebody with this e-mail address or key was erased on request, and is not taken in again."""

    def __init__(self) -> None:
        super().__init__({"email": ERASED_WORDS})


@dataclass(frozen=True, slots=True)
class Marker:
    """Makes marks with the tenant's key. ``inner`` and ``outer`` are the two halves of HMAC, for use in SQL."""

    key: bytes

    def mark(self, value: str) -> str:
        """The mark of an e-mail address, a Salesforce id or an external key."""
        return hmac.new(self.key, value.strip().lower().encode(), hashlib.sha256).hexdigest()

    @property
    def inner(self) -> bytes:
        return bytes(byte ^ 0x36 for byte in self.key.ljust(_BLOCK, b"\0"))

    @property
    def outer(self) -> bytes:
        return bytes(byte ^ 0x5C for byte in self.key.ljust(_BLOCK, b"\0"))


def active_marker() -> Marker | None:
    """The tenant's marker where somebody was ever erased; None: there is nothing to ask. Holds the shared lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_LOCK, current_tenant_id() % 2**31])
    row = ErasureKey.objects.first()
    return _opened(row) if row is not None else None


def erased_among(values: Iterable[str]) -> set[str]:
    """Those of the values (e-mail addresses, Salesforce ids, external keys) that belong to somebody who was erased."""
    marker = active_marker()
    if marker is None:
        return set()
    marks = {marker.mark(value): value for value in values if value}
    found = Tombstone.objects.filter(mark__in=list(marks)).values_list("mark", flat=True)
    return {marks[mark] for mark in found}


def refuse_erased(*values: str) -> None:
    """Raise PersonErased where one of the values belongs to somebody who was erased."""
    if erased_among(values):
        raise PersonErased


def lock_for_erasing() -> None:
    """Wait for whoever has asked for marks, and keep others out until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, current_tenant_id() % 2**31])


def leave_tombstones(*, person: Person, identifiers: Iterable[str], user: Actor) -> Erasure:
    """Write down that a person is erased, with a mark for each of their identifiers."""
    marker = _marker()
    erasure: Erasure = Erasure.objects.create(
        person_id=person.pk, actor_id=user.pk, actor_label=user.display_name[:254], at=timezone.now()
    )
    add_tombstones(erasure=erasure, identifiers=identifiers, marker=marker)
    return erasure


def add_tombstones(*, erasure: Erasure, identifiers: Iterable[str], marker: Marker | None = None) -> None:
    """More marks of somebody who was erased."""
    made = marker or _marker()
    marks = {made.mark(value) for value in identifiers if value}
    Tombstone.objects.bulk_create(
        [Tombstone(erasure=erasure, mark=mark) for mark in sorted(marks)], ignore_conflicts=True
    )


def allow_again(*, erasure: Erasure, user: Actor) -> bool:
    """Take the marks of an erasure away: whoever it was may come back with the next sync, event or import. False, and
    nothing happens, as long as it is under way."""
    if erasure.state == ErasureState.ERASING:
        return False
    Tombstone.objects.filter(erasure_id=erasure.pk).delete()
    Erasure.objects.filter(id=erasure.pk, lifted_at__isnull=True).update(lifted_at=timezone.now())
    audit(actor=user, action="erasure_lifted", subject=f"Person {erasure.person_id}")
    return True


def erasure_of(text: str) -> Erasure | None:
    """The erasure that an e-mail address, a Salesforce id or an external key belongs to."""
    value = text.strip()
    try:
        value = normalize_id(value)
    except Unreadable:
        value = value[:254]
    marker = active_marker()
    if marker is None or not value:
        return None
    row = Tombstone.objects.filter(mark=marker.mark(value)).select_related("erasure").first()
    return row.erasure if row is not None else None


def _marker() -> Marker:
    row = ErasureKey.objects.first()
    if row is None:
        plain = base64.b64encode(secrets.token_bytes(32)).decode()
        row = ErasureKey(key=seal(plain, binding=_binding()))
        row.save(force_insert=True)
    return _opened(row)


def _opened(row: ErasureKey) -> Marker:
    return Marker(base64.b64decode(unseal(row.key, binding=_binding())))


def _binding() -> str:
    return f"audience_erasurekey:{current_tenant_id()}"
