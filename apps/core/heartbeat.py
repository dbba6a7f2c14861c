"""Workers say every ten seconds that they live; ``/healthz`` listens."""

import threading

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

_PREFIX = "syncline:worker:"
_EVERY, _EXPIRES = 10.0, 30


def start_heartbeat(name: str) -> None:
    """Write the worker's key from a thread of its own, for as long as the process lives."""
    stop = threading.Event()

    def beat() -> None:
        client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=5)
        while not stop.is_set():
            try:
                client.set(_PREFIX + name, "1", ex=_EXPIRES)
            except redis.RedisError as error:
                log.warning("heartbeat_not_written", error=type(error).__name__)
            stop.wait(_EVERY)

    threading.Thread(target=beat, name="heartbeat", daemon=True).start()


def workers_alive() -> int:
    """How many workers have lately said that they live; raises RedisError where Redis does not answer."""
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2)
    return sum(1 for _ in client.scan_iter(_PREFIX + "*"))
