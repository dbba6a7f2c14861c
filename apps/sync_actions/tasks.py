"""What workers do for rules: ids in, one service called, safe to run twice."""

from celery import shared_task
from django.utils import timezone

from apps.core.queue import wake
from apps.sync_actions.models import RulesDue
from apps.sync_actions.queue import REACT_TASK
from apps.sync_actions.reacting import react as let_rules_act

_MOST = 500


@shared_task(name=REACT_TASK)
def react(tenant_id: int) -> None:
    """Let a tenant's rules act; what is left goes on at once."""
    if let_rules_act(tenant_id):
        wake(REACT_TASK, tenant_id, queue="routine")


def wake_due_rules() -> None:
    """Call the rules of tenants for which something waits; in the dispatcher's transaction of a tick."""
    due = RulesDue._base_manager.filter(due_at__lte=timezone.now()).order_by("due_at")
    for (tenant_id,) in due.values_list("tenant_id")[:_MOST]:
        wake(REACT_TASK, tenant_id, queue="routine")
