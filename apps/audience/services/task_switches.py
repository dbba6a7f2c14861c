"""Which kinds of events become Tasks in Salesforce; one that is switched on begins with what comes from then on."""

from collections.abc import Iterable

from apps.audience.models import Engagement, TaskState, TaskSwitch

SWITCHED_OFF = "Its kind was switched off before it was sent."


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
