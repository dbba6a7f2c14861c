"""Encryption of secrets at rest: AES-GCM, keys with ids, each value bound to the row and column it belongs to."""

import base64
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotDecrypt(Exception):
    """The value was sealed with a key we do not have, or for another row."""


@lru_cache(maxsize=4)
def _keys(configured: tuple[str, ...]) -> dict[str, AESGCM]:
    keys: dict[str, AESGCM] = {}
    for entry in configured:
        key_id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
            keys[key_id] = AESGCM(key)
        except ValueError as error:
            raise ImproperlyConfigured(
                "SYNCLINE_ENCRYPTION_KEYS must be id:base64key pairs of 32 bytes each, the newest first."
            ) from error
    return keys


def seal(plain: str, *, binding: str) -> str:
    """Encrypt ``plain`` with the newest key; it opens only under the same ``binding``."""
    configured = settings.SYNCLINE_ENCRYPTION_KEYS
    key_id = configured[0].partition(":")[0]
    nonce = os.urandom(12)
    sealed = _keys(tuple(configured))[key_id].encrypt(nonce, plain.encode(), binding.encode())
    return f"{key_id}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, binding: str) -> str:
    """Decrypt what ``seal`` made; raises CannotDecrypt instead of giving back anything else."""
    key_id, _, encoded = sealed.partition(":")
    key = _keys(tuple(settings.SYNCLINE_ENCRYPTION_KEYS)).get(key_id)
    if key is None:
        raise CannotDecrypt(f"No key with id {key_id!r}.")
    try:
        data = base64.b64decode(encoded, validate=True)
        return key.decrypt(data[:12], data[12:], binding.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise CannotDecrypt("The value does not belong to this place.") from error


def is_sealed_with_newest_key(sealed: str) -> bool:
    """False for a value that a key rotation still has to seal anew."""
    newest: str = settings.SYNCLINE_ENCRYPTION_KEYS[0].partition(":")[0]
    return sealed.partition(":")[0] == newest
