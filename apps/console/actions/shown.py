"""Rules and what they did, as the pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.console.filter_words import FilterField, filter_words
from apps.console.listing import number_words
from apps.core.paging import count_up_to
from apps.domain.automation import RunsOn, Trigger
from apps.domain.filters import BadFilter
from apps.sync_actions.choices import Choices
from apps.sync_actions.models import Reaction, ReactionState, Rule, RuleOutcome, RuleRun
from apps.sync_actions.values import seen_fields

_RUNS_ON = {RunsOn.CREATED: "new ones", RunsOn.UPDATED: "changed ones", RunsOn.BOTH: "new and changed ones"}
_OUTCOMES: dict[str, tuple[str, str]] = {
    RuleOutcome.DONE: ("ok", "Done"),
    RuleOutcome.FAILED: ("bad", "Failed"),
    RuleOutcome.CUT: ("warn", "Not run"),
}


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule in words."""

    rule: Rule
    trigger: str
    conditions: str
    actions: list[str]
    held: str
    held_is_one: bool
    is_first: bool
    is_last: bool


def rule_views(rules: Sequence[Rule], choices: Choices) -> list[RuleView]:
    """Rules in their order."""
    last = len(rules) - 1
    return [_view(rule, choices, place == 0, place == last) for place, rule in enumerate(rules)]


def _view(rule: Rule, choices: Choices, is_first: bool, is_last: bool) -> RuleView:
    count, more = count_up_to(Reaction.objects.filter(rule_id=rule.pk, state=ReactionState.HELD))
    return RuleView(
        rule=rule,
        trigger=trigger_words(rule),
        conditions=condition_words(rule),
        actions=[choices.sentence(action) for action in rule.steps],
        held=number_words(count, more) if count else "",
        held_is_one=count == 1,
        is_first=is_first,
        is_last=is_last,
    )


def trigger_words(rule: Rule) -> str:
    """What starts the rule."""
    if rule.trigger not in set(Trigger):
        return rule.trigger
    if rule.is_synced:
        things = " and ".join(f"{one.lower()}s" for one in rule.sobjects or ["Lead", "Contact"])
        return f"{things.capitalize()} that come in from Salesforce: {_RUNS_ON[RunsOn(rule.runs_on)]}"
    if rule.trigger == Trigger.SCORE_REACHED:
        return f"The score reaches {rule.threshold}"
    return Trigger(rule.trigger).label


def condition_words(rule: Rule) -> str:
    """The rule's conditions as a sentence; "" for none."""
    fields = {one.name: FilterField(one.name, one.label, one.type, one.choices) for one in seen_fields(rule.trigger)}
    try:
        return filter_words(rule.tree, fields)
    except BadFilter:
        return "Conditions that cannot be read: open the rule and save it again"


@dataclass(frozen=True, slots=True)
class RunView:
    """What a rule did to one record."""

    run: RuleRun
    tone: str
    outcome: str
    effects: list[dict[str, Any]]


def run_views(runs: Sequence[RuleRun]) -> list[RunView]:
    """Lines of the effect log."""
    return [RunView(run, *_OUTCOMES.get(run.outcome, ("off", run.outcome)), effect_views(run.effects)) for run in runs]


def effect_views(effects: Sequence[Any]) -> list[dict[str, Any]]:
    """Effects with the colour of each."""
    return [{**effect, "tone": "bad" if effect["failed"] else "ok" if effect["done"] else "off"} for effect in effects]
