"""Which kinds of events become Tasks in Salesforce; one that is switched on begins with what comes from then on."""

from collections.abc import Iterable

from django.utils import timezone

from apps.audience.models import Engagement, TaskState, TaskSwitch
from apps.audience.services.facts import call_attention

SETTINGS, PROFILE = "settings", "profile"
"""Who wants Tasks of a kind of event: a switch of the sync settings, or a step of the profile in use."""
SWITCHED_OFF = "Its kind was switched off before it was sent."


def retry_tasks() -> None:
    """Have events that were refused, or wait for something to change in Salesforce, tried again now."""
    now = timezone.now()
    undone = Engagement.objects.filter(task_state__in=[TaskState.WAITING, TaskState.REFUSED])
    if undone.update(task_state=TaskState.WAITING, task_due_at=now, task_attempts=0, task_note=""):
        call_attention(at=now)


def set_task_kinds(*, kinds: Iterable[str], by: str = SETTINGS) -> None:
    """Have events of exactly these kinds become Tasks as far as the settings (or the steps of the profile in use) say
    so. What waits of a kind that nobody wants any more is left out."""
    wanted = set(kinds)
    present = set(TaskSwitch.objects.filter(by=by).values_list("kind", flat=True))
    TaskSwitch.objects.filter(by=by, kind__in=present - wanted).delete()
    gone = (present - wanted) - set(TaskSwitch.objects.values_list("kind", flat=True))
    if gone:
        waiting = Engagement.objects.filter(task_state=TaskState.WAITING, kind__in=gone)
        waiting.update(task_state=TaskState.SKIPPED, task_note=SWITCHED_OFF)
    fresh = [TaskSwitch(kind=kind, by=by) for kind in sorted(wanted - present)]
    TaskSwitch.objects.bulk_create(fresh, ignore_conflicts=True)
