"""Sending of notices and deliveries, run by a worker."""

from celery import shared_task

from apps.notifications.sending import send_due, wake_due_notices
from apps.notifications.webhooks.delivering import deliver_due, forget_old, wake_due_deliveries
from apps.notifications.webhooks.emitting import DELIVER_TASK


@shared_task(name="apps.notifications.tasks.send")
def send(tenant_id: int) -> None:
    """Send what is due of one tenant."""
    send_due(tenant_id)


@shared_task(name="apps.notifications.tasks.tick")
def tick() -> None:
    """Every minute: call for whatever is due, so that a lost message costs a minute."""
    wake_due_notices()


@shared_task(name=DELIVER_TASK)
def deliver(tenant_id: int) -> None:
    """Send some of the due deliveries of one tenant."""
    if deliver_due(tenant_id) == 0:
        forget_old(tenant_id)


@shared_task(name="apps.notifications.tasks.webhook_tick")
def webhook_tick() -> None:
    """Every ten seconds: call for the deliveries that are due."""
    wake_due_deliveries()
