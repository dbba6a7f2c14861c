"""Who was served lately: a hint for work that would rather use an idle machine.

Redis keeps it for some seconds. It names one tenant, the last one; where Redis does not answer, nobody was served.
"""

import structlog
from django.core.cache import cache
from redis import RedisError

log = structlog.get_logger(__name__)

SECONDS = 10
"""For how long somebody counts as being served."""

_KEY = "served"


def note_served(tenant_id: int) -> None:
    """Somebody's sync begins that is not done in bulk."""
    try:
        cache.set(_KEY, tenant_id, SECONDS)
    except RedisError as error:
        log.warning("served_not_noted", error=type(error).__name__)


def others_are_served(tenant_id: int) -> bool:
    """Whether the last who was served is another tenant."""
    try:
        return bool(cache.get(_KEY, tenant_id) != tenant_id)
    except RedisError as error:
        log.warning("served_not_known", error=type(error).__name__)
        return False
