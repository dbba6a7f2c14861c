"""A POST that is sent twice with the same Idempotency-Key takes effect once, and is answered the same."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from apps.api.errors import ApiError
from apps.api.models import KeptAnswer
from apps.tenants.scope import current_tenant_id

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)
_LONGEST = 255
_KEPT_HEADERS = ("ETag", "Location")
_SWEPT = 50

# A request with the same key that is under way is waited for here: the unique index holds the second one back.
_CLAIM = """
INSERT INTO api_keptanswer (tenant_id, key, request_hash, status, headers, body, created_at)
VALUES (%s, %s, %s, 0, '{}', '', %s)
ON CONFLICT (tenant_id, key) DO UPDATE
SET request_hash = excluded.request_hash, status = 0, headers = '{}', body = '', created_at = excluded.created_at
WHERE api_keptanswer.created_at < %s
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to take effect under a key; None as ``replay`` means that nobody has yet."""

    key: str
    replay: Response | None = None


def claim(request: Request) -> Claim | None:
    """Claim the request's key; None where it has none. Raises ApiError for a key that was used otherwise."""
    key = request.headers.get(HEADER, "")
    if not key:
        return None
    if len(key) > _LONGEST or not (key.isascii() and key.isprintable()):
        words = f"The header {HEADER} holds at most {_LONGEST} printable ASCII characters."
        raise ApiError(400, "bad_idempotency_key", words)
    asked, now = _hash(request), timezone.now()
    _sweep()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [current_tenant_id(), key, asked, now, now - KEPT_FOR])
        if cursor.fetchone() is not None:
            return Claim(key)
    kept: KeptAnswer = KeptAnswer.objects.get(key=key)
    if kept.request_hash != asked:
        words = f"This {HEADER} was used for another request in the last 24 hours. Use a new one."
        raise ApiError(409, "idempotency_conflict", words)
    headers = {**kept.headers, REPLAYED: "true"}
    return Claim(key, Response(json.loads(kept.body), status=kept.status, headers=headers))


def keep(claimed: Claim, response: Response) -> None:
    """Keep the answer of a request that took effect."""
    KeptAnswer.objects.filter(key=claimed.key).update(
        status=response.status_code,
        headers={name: response[name] for name in _KEPT_HEADERS if response.has_header(name)},
        body=json.dumps(response.data, cls=JSONEncoder),
    )


def _hash(request: Request) -> str:
    told: Any = request._request
    asked = f"{told.method}\0{told.get_full_path()}\0".encode() + told.body
    return hashlib.sha256(asked).hexdigest()


def _sweep() -> None:
    """Forget some answers that are older than a day; who sweeps at the same time takes others."""
    old = KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).order_by("created_at")
    ids = list(old.select_for_update(skip_locked=True).values_list("id", flat=True)[:_SWEPT])
    if ids:
        KeptAnswer.objects.filter(id__in=ids).delete()
