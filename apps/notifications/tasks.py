"""Sending of notices, run by a worker."""

from celery import shared_task

from apps.notifications.sending import send_due, wake_due_notices


@shared_task(name="apps.notifications.tasks.send")
def send(tenant_id: int) -> None:
    """Send what is due of one tenant."""
    send_due(tenant_id)


@shared_task(name="apps.notifications.tasks.tick")
def tick() -> None:
    """Every minute: call for whatever is due, so that a lost message costs a minute."""
    wake_due_notices()
