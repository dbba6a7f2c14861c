"""Actions that are carried out in Salesforce: the command is written down here, and the engine takes it from there."""

from apps.domain.actions import Action, Needs
from apps.domain.transforms import render
from apps.outbox.queue import ring
from apps.sync_actions.effects import Acting, ActionFailed, Effect
from apps.sync_actions.models import CrmAction

_TEMPLATES = frozenset({Needs.TEMPLATE, Needs.LONG_TEMPLATE})


def command(at: Acting, action: Action, place: int) -> Effect:
    """Queue one command, once for each rule, person, event and action; its templates are filled in now."""
    if at.person.pk is None or not at.person.is_active:
        raise ActionFailed("The person is not active.")
    CrmAction.objects.get_or_create(
        key=f"rule {at.rule.pk} person {at.person.pk} {at.key} action {place}"[:120],
        defaults={
            "rule_id": at.rule.pk,
            "rule_name": at.rule.name,
            "action": action.kind.value,
            "person_id": at.person.pk,
            "company_id": at.person.company_id,
            "record_label": str(at.person),
            "values": filled(action, at.values),
            "cause": f"Rule “{at.rule.name}”: {at.why}",
            "queued_at": at.now,
            "due_at": at.now,
        },
    )
    ring(at=at.now)
    return Effect("Waits for Salesforce")


def filled(action: Action, values: dict[str, str]) -> dict[str, str]:
    """What the action is told, its templates filled in; of further values, those behind each field."""
    told = dict(action.values)
    for param in action.spec.params:
        text = told.get(param.name, "")
        if param.needs in _TEMPLATES:
            told[param.name] = render(text, values)
        elif param.needs is Needs.REMOTE_VALUES:
            told[param.name] = "\n".join(_line(line, values) for line in text.splitlines() if "=" in line)
    return told


def _line(line: str, values: dict[str, str]) -> str:
    """A line ``field = template`` with the template filled in; a value of several lines becomes one."""
    name, _, template = line.partition("=")
    return f"{name.strip()} = {' '.join(render(template.strip(), values).split())}"
