"""Wake-up calls: a task is named and its ids are given; the rows of the database say what is to be done."""

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from kombu.pools import producers

log = structlog.get_logger(__name__)

# A person waits for the answer of the page: a broker that is down or frozen may cost them no more than this.
_IMPATIENT = {
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "socket_connect_timeout": 0.2,
    "socket_timeout": 0.2,
}


def wake(task: str, *ids: int, queue: str = "interactive", delay: float = 0) -> None:
    """Send ``task`` when the open transaction commits. A broker that is down costs a later start, no more: the
    tick finds whatever is due in the database."""
    transaction.on_commit(lambda: _send(task, ids, queue, delay))


def _send(task: str, ids: tuple[int, ...], queue: str, delay: float) -> None:
    broker = current_app.connection(transport_options=_IMPATIENT)
    try:
        with producers[broker].acquire(block=True) as producer:
            current_app.send_task(task, args=ids, queue=queue, countdown=delay or None, retry=False, producer=producer)
    except (OperationalError, OSError) as error:
        log.warning("wake_up_not_sent", task=task, error=type(error).__name__)
