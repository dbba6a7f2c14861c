"""``/healthz``: 200 when database, Redis and a worker answer."""

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.core.db import app_transaction
from apps.core.heartbeat import workers_alive
from apps.core.middleware import own_transactions


@own_transactions
@never_cache
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """What answers and what does not."""
    answers = {"database": _database(), "redis": False, "worker": False}
    try:
        answers["worker"] = workers_alive() > 0
        answers["redis"] = True
    except redis.RedisError:
        answers["redis"] = False
    return JsonResponse({"ok": all(answers.values()), **answers}, status=200 if all(answers.values()) else 503)


def _database() -> bool:
    try:
        with app_transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
