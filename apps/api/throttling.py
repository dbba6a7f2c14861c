"""So many calls a minute for each key. Redis counts; where it does not answer, nobody is held up."""

import time
from functools import lru_cache
from typing import Any

import redis
import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

log = structlog.get_logger(__name__)

WINDOW = 60
_PREFIX = "syncline:api:"
_PATIENCE = 0.2
_PAUSE = 10.0


class _Counter:
    """Calls by key and minute in Redis. After a failure it is left alone for a while, so that a Redis that hangs
    costs one call in many its patience."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)
        self.silent_until = 0.0

    def count(self, name: str) -> int:
        """The number of this call in its window; 0 where nobody counts."""
        if time.monotonic() < self.silent_until:
            return 0
        try:
            pipeline = self.client.pipeline(transaction=False)
            pipeline.incr(name)
            pipeline.expire(name, WINDOW * 2)
            return int(pipeline.execute()[0])
        except redis.RedisError as error:
            self.silent_until = time.monotonic() + _PAUSE
            log.warning("api_calls_not_counted", error=type(error).__name__)
            return 0


@lru_cache(maxsize=4)
def _counter(url: str) -> _Counter:
    return _Counter(url)


class KeyThrottle(BaseThrottle):
    """Refuses a key's call where its minute is full; the next minute begins anew."""

    def allow_request(self, request: Request, view: Any) -> bool:
        window = int(time.time()) // WINDOW
        key: Any = request.auth
        count = _counter(settings.CELERY_BROKER_URL).count(f"{_PREFIX}{key.tenant_id}:{key.pk}:{window}")
        return count <= settings.API_CALLS_PER_MINUTE

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW
