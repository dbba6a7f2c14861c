"""Which kinds of events become Tasks in Salesforce; one that is switched on begins with what comes from then on."""

from collections.abc import Iterable

from django.utils import timezone

from apps.audience.models import Engagement, TaskState, TaskSwitch
from apps.audience.services.facts import call_attention

SWITCHED_OFF = "Its kind was switched off before it was sent."


def retry_tasks() -> None:
    """Have events that were refused, or wait for something to change in Salesforce, tried again now."""
    now = timezone.now()
    undone = Engagement.objects.filter(task_state__in=[TaskState.WAITING, TaskState.REFUSED])
    if undone.update(task_state=TaskState.WAITING, task_due_at=now, task_attempts=0, task_note=""):
        call_attention(at=now)


def set_task_kinds(*, kinds: Iterable[str]) -> None:
    """Have events of exactly these kinds become Tasks. What waits of a kind that is switched off is left out."""
    wanted = set(kinds)
    present = set(TaskSwitch.objects.values_list("kind", flat=True))
    gone = present - wanted
    if gone:
        TaskSwitch.objects.filter(kind__in=gone).delete()
        waiting = Engagement.objects.filter(task_state=TaskState.WAITING, kind__in=gone)
        waiting.update(task_state=TaskState.SKIPPED, task_note=SWITCHED_OFF)
    TaskSwitch.objects.bulk_create((TaskSwitch(kind=kind) for kind in sorted(wanted - present)), ignore_conflicts=True)
