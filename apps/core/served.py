"""Who was served lately: a hint for work in bulk, which on a machine of few processors leaves room for others.

Redis keeps it for some seconds. It names two tenants, the last ones; where Redis does not answer, nobody was served.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.core.cache import cache
from redis import RedisError

log = structlog.get_logger(__name__)

SECONDS = 10
"""For how long somebody counts as being served."""

FEW = 4
"""Processors up to which a machine has no room for both."""

REST = 2
"""How long it rests after a piece, as a multiple of the time that the piece took: two thirds are the others'."""

KEYS = _LAST, _BEFORE = ("served", "served-before")
"""Where the last tenant is kept, and the last one that was another."""

_turn = threading.Lock()


def note_served(tenant_id: int) -> None:
    """Somebody's sync begins that is not done in bulk."""
    try:
        last = cache.get(_LAST)
        if last not in {None, tenant_id}:
            cache.set(_BEFORE, last, SECONDS)
        cache.set(_LAST, tenant_id, SECONDS)
    except RedisError as error:
        log.warning("served_not_noted", error=type(error).__name__)


def is_to_give_way(tenant_id: int) -> bool:
    """Whether work in bulk for a tenant would be in the way of another's, which is being served."""
    if (os.cpu_count() or 1) > FEW:
        return False
    try:
        return any(served != tenant_id for served in cache.get_many(KEYS).values())
    except RedisError as error:
        log.warning("served_not_known", error=type(error).__name__)
        return False


@contextmanager
def giving_way(tenant_id: int) -> Iterator[None]:
    """Do a piece of work in bulk for a tenant. Where it is to give way, a process does one such piece at a time, and
    rests after it for ``REST`` times as long as it took."""
    if not is_to_give_way(tenant_id):
        yield
        return
    with _turn:
        began = time.monotonic()
        yield
        time.sleep(REST * (time.monotonic() - began))
