"""Who was served lately: a hint for work that would rather use an idle machine.

Redis keeps it for some seconds. It names two tenants, the last ones; where Redis does not answer, nobody was served.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.core.cache import cache
from redis import RedisError

log = structlog.get_logger(__name__)

SECONDS = 10
"""For how long somebody counts as being served."""

_LAST, _BEFORE = "served", "served-before"
"""The last tenant, and the last one that was another."""


def note_served(tenant_id: int) -> None:
    """Somebody's sync begins that is not done in bulk."""
    try:
        last = cache.get(_LAST)
        if last not in {None, tenant_id}:
            cache.set(_BEFORE, last, SECONDS)
        cache.set(_LAST, tenant_id, SECONDS)
    except RedisError as error:
        log.warning("served_not_noted", error=type(error).__name__)


def others_are_served(tenant_id: int) -> bool:
    """Whether another tenant is being served."""
    try:
        return any(served != tenant_id for served in cache.get_many([_LAST, _BEFORE]).values())
    except RedisError as error:
        log.warning("served_not_known", error=type(error).__name__)
        return False


_turn = threading.Lock()


@contextmanager
def giving_way(tenant_id: int) -> Iterator[None]:
    """Do something large for a tenant. While another is served, a process does one such thing at a time, so that a
    machine of few processors has one left for the other."""
    if not others_are_served(tenant_id):
        yield
        return
    with _turn:
        yield
