"""Making and changing rules, releasing what was held back, and trying a rule without doing anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from apps.audience.models import Person
from apps.core.queue import wake
from apps.domain.actions import Action
from apps.domain.automation import Checked, explain
from apps.domain.filters import Filter, to_dict
from apps.outbox.queue import PUSH_TASK, ring
from apps.sync_actions.effects import Acting
from apps.sync_actions.models import CommandState, CrmAction, Reaction, ReactionState, Rule
from apps.sync_actions.queue import call_rules
from apps.sync_actions.reacting import act_all, holds
from apps.tenants.audit import audit
from apps.tenants.models import User
from apps.tenants.scope import current_tenant_id

MOST_RULES = 200


class RuleMoved(Exception):
    """Somebody else changed the rule since it was seen."""


class TooManyRules(Exception):
    """No further rule may be made."""


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule as it shall be stored; everything in it has been checked."""

    name: str
    trigger: str
    runs_on: str = "both"
    sobjects: tuple[str, ...] = ()
    threshold: int | None = None
    conditions: Filter | None = None
    actions: tuple[Action, ...] = ()
    holds_backfill: bool = True

    @property
    def columns(self) -> dict[str, Any]:
        """The model's fields."""
        return {
            "name": self.name,
            "trigger": self.trigger,
            "runs_on": self.runs_on,
            "sobjects": list(self.sobjects),
            "threshold": self.threshold,
            "conditions": to_dict(self.conditions),
            "actions": [action.to_dict() for action in self.actions],
            "holds_backfill": self.holds_backfill,
        }


def create_rule(*, draft: RuleDraft, user: User, is_enabled: bool = False) -> Rule:
    """Make a rule, after those that are there. Raises TooManyRules."""
    if Rule.objects.count() >= MOST_RULES:
        raise TooManyRules(f"There are {MOST_RULES} rules already. Delete some that are not needed.")
    last = Rule.objects.aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    row: Rule = Rule.objects.create(position=position, is_enabled=is_enabled, **draft.columns)
    audit(actor=user, action="rule_created", subject=row.name, after=draft.columns)
    return row


def update_rule(*, rule: Rule, draft: RuleDraft, seen_version: int, user: User) -> Rule:
    """Change a rule. Raises RuleMoved where it is not the version that was seen."""
    row: Rule = Rule.objects.select_for_update().get(id=rule.pk)
    if row.version != seen_version:
        raise RuleMoved(row.name)
    before = {name: getattr(row, name) for name in draft.columns}
    if before == draft.columns:
        return row
    for name, value in draft.columns.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = timezone.now()
    row.save(update_fields=[*draft.columns, "version", "updated_at"])
    audit(actor=user, action="rule_changed", subject=row.name, before=before, after=draft.columns)
    return row


def switch_rule(*, rule: Rule, is_enabled: bool, user: User) -> None:
    """Switch a rule on or off. Off: what waits for it is forgotten, and nothing new is written down for it."""
    if Rule.objects.filter(id=rule.pk).exclude(is_enabled=is_enabled).update(is_enabled=is_enabled):
        audit(actor=user, action="rule_switched_on" if is_enabled else "rule_switched_off", subject=rule.name)


def move_rule(*, rule: Rule, earlier: bool, user: User) -> None:
    """Exchange a rule's place with its neighbour's."""
    rows = list(Rule.objects.select_for_update().order_by("position", "id"))
    place = next(number for number, row in enumerate(rows) if row.pk == rule.pk)
    other = place - 1 if earlier else place + 1
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for number, row in enumerate(rows):
        if row.position != number:
            Rule.objects.filter(id=row.pk).update(position=number)
    audit(actor=user, action="rule_moved", subject=rule.name, after={"position": other + 1})


def delete_rule(*, rule: Rule, user: User) -> None:
    """Delete a rule; what it did stays in the log, and commands that wait for Salesforce are still carried out."""
    audit(actor=user, action="rule_deleted", subject=rule.name, before={"actions": rule.actions})
    Rule.objects.filter(id=rule.pk).delete()


def release_held(*, rule: Rule, user: User) -> int:
    """Have a rule act on what was held back from the first full sync; answers on how many records."""
    held = Reaction.objects.filter(rule_id=rule.pk, state=ReactionState.HELD)
    facts = held.aggregate(last=Max("id"))
    count: int = held.count()
    if count:
        Rule.objects.filter(id=rule.pk).update(release_to=facts["last"])
        audit(actor=user, action="held_back_released", subject=rule.name, after={"records": count})
        call_rules(at=timezone.now())
    return count


def forget_held(*, rule: Rule, user: User) -> int:
    """Let what was held back be; answers on how many records the rule does not act."""
    count, _ = Reaction.objects.filter(rule_id=rule.pk, state=ReactionState.HELD).delete()
    if count:
        audit(actor=user, action="held_back_forgotten", subject=rule.name, after={"records": count})
    return count


# -- commands -------------------------------------------------------------------------------------------------


def release_commands(*, commands: "QuerySet[CrmAction]", user: User) -> int:
    """Have held commands tried again now; answers how many were held."""
    now = timezone.now()
    count = commands.filter(state=CommandState.HELD).update(
        state=CommandState.WAITING, reason="", attempts=0, due_at=now
    )
    if count:
        audit(actor=user, action="commands_released", subject=f"{count} rule actions")
        ring(at=now)
        wake(PUSH_TASK, current_tenant_id(), queue="routine")
    return count


def cancel_commands(*, commands: "QuerySet[CrmAction]", user: User) -> int:
    """Take commands out of the queue that are not on their way; answers how many."""
    count = commands.filter(state__in=[CommandState.WAITING, CommandState.HELD]).update(
        state=CommandState.CANCELLED, reason="Cancelled by hand.", settled_at=timezone.now()
    )
    if count:
        audit(actor=user, action="commands_cancelled", subject=f"{count} rule actions")
    return count


# -- trying ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would do with a person: each condition with its outcome, and the effects if they hold."""

    person: Person
    holds: bool
    conditions: Sequence[Checked]
    effects: Sequence[Mapping[str, Any]]


class _UndoEverything(Exception):
    """Ends the trial: nothing of it stays."""


def try_rule(*, rule: Rule, person: Person, details: Mapping[str, Any]) -> Trial:
    """Run a rule on a person and undo it all: the outcome is what it would be, and nothing has happened."""
    effects: list[dict[str, object]] = []
    now = timezone.now()
    try:
        with transaction.atomic():
            at = Acting(rule, person, f"trial {now.timestamp()}", "a trial", now, details, [rule.pk])
            checked = list(explain(rule.tree, at.values))
            does = holds(rule, at.values)
            if does:
                effects = act_all(at)
            raise _UndoEverything
    except _UndoEverything:
        return Trial(person, does, checked, effects)
