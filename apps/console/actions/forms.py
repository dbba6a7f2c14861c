"""The form of a rule: trigger, conditions and actions, rebuilt from what was sent; works without JavaScript."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from apps.console.filter_builder import FilterForm
from apps.console.filter_words import FilterField
from apps.domain.actions import ACTIONS, MOST_ACTIONS, Action, ActionKind, ActionSpec, Needs, Param
from apps.domain.automation import RunsOn, Trigger
from apps.domain.filters import BadFilter, Filter
from apps.domain.values import clean_text
from apps.sync_actions.checking import cleaned, mistakes
from apps.sync_actions.choices import FREE, Choices, is_chosen
from apps.sync_actions.models import Rule
from apps.sync_actions.services import RuleDraft
from apps.sync_actions.values import seen_fields

LONGEST_NAME = 120
_LARGEST_SCORE = 1_000_000
_PLACE = re.compile(r"action\.(\d{1,3})\.kind")
_LONG = frozenset({Needs.LONG_TEMPLATE, Needs.LINES, Needs.REMOTE_VALUES})
_SOBJECTS = ("Lead", "Contact")
_GROUPS = (("Here", False), ("In Salesforce", True))


@dataclass
class ParamView:
    """One thing that an action is told, as its form asks for it."""

    param: Param
    id: str
    value: str
    error: str
    choices: list[tuple[str, str]] = field(default_factory=list)

    @property
    def widget(self) -> str:
        """select, suggest (text with suggestions), lines, number or text."""
        if is_chosen(self.param):
            return "suggest" if self.param.needs in FREE else "select"
        if self.param.needs in _LONG:
            return "lines"
        return "number" if self.param.needs is Needs.WHOLE else "text"

    @property
    def is_gone(self) -> bool:
        """What was chosen is not offered any more."""
        return self.widget == "select" and bool(self.value) and self.value not in dict(self.choices)


@dataclass
class ActionRow:
    """One action as the form shows it."""

    place: int
    number: int
    action: Action
    params: list[ParamView]
    is_first: bool
    is_last: bool

    @property
    def spec(self) -> ActionSpec:
        return self.action.spec


class RuleForm:
    """A rule that somebody edits."""

    def __init__(self, choices: Choices, rule: Rule | None, draft: RuleDraft) -> None:
        self.choices = choices
        self.rule = rule
        self.name, self.trigger, self.runs_on = draft.name, draft.trigger, draft.runs_on
        self.sobjects = list(draft.sobjects) or list(_SOBJECTS)
        self.threshold = "" if draft.threshold is None else str(draft.threshold)
        self.holds_backfill = draft.holds_backfill
        self.actions: list[Action] = list(draft.actions)
        self.version = rule.version if rule is not None else 0
        self.errors: dict[str, str] = {}
        self.action_errors: dict[int, dict[str, str]] = {}
        self.is_asking = False
        self.focus = ""
        self.filter = FilterForm(self._fields(), draft.conditions, prefix="when")

    @classmethod
    def of(cls, choices: Choices, rule: Rule) -> "RuleForm":
        """The form of a rule that is there."""
        draft = RuleDraft(
            name=rule.name,
            trigger=rule.trigger,
            runs_on=rule.runs_on,
            sobjects=tuple(rule.sobjects),
            threshold=rule.threshold,
            conditions=_tree_of(rule),
            actions=tuple(rule.steps),
            holds_backfill=rule.holds_backfill,
        )
        return cls(choices, rule, draft)

    @classmethod
    def posted(cls, choices: Choices, rule: Rule | None, data: QueryDict) -> "RuleForm":
        """What was sent, with the button of the builder carried out that was pressed."""
        trigger = data.get("trigger", "")
        runs_on = data.get("runs_on", "")
        draft = RuleDraft(
            name=clean_text(data.get("name", ""))[: LONGEST_NAME + 1],
            trigger=trigger if trigger in set(Trigger) else Trigger.SYNCED.value,
            runs_on=runs_on if runs_on in set(RunsOn) else RunsOn.BOTH.value,
            sobjects=tuple(one for one in _SOBJECTS if one in data.getlist("sobject")),
            actions=tuple(_actions(data)),
            holds_backfill="holds_backfill" in data,
        )
        form = cls(choices, rule, draft)
        form.sobjects = list(draft.sobjects)
        form.threshold = data.get("threshold", "").strip()[:20]
        seen = data.get("version", "")
        form.version = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0
        form.filter = FilterForm.posted(form._fields(), data, prefix="when")
        form._carry_out(data.get("do", ""), data.get("add", ""))
        form.is_asking = form.is_asking or form.filter.is_asking
        return form

    # -- what the page shows ----------------------------------------------------------------------------------

    @property
    def rows(self) -> list[ActionRow]:
        """The actions with their fields."""
        last = len(self.actions) - 1
        return [
            ActionRow(place, place + 1, action, self._params(place, action), place == 0, place == last)
            for place, action in enumerate(self.actions)
        ]

    @property
    def triggers(self) -> list[tuple[str, str]]:
        return [(one.value, one.label) for one in Trigger]

    @property
    def kinds(self) -> list[tuple[str, list[ActionSpec]]]:
        """What can be added, in groups."""
        return [(words, [s for s in ACTIONS.values() if s.kind.is_command is there]) for words, there in _GROUPS]

    @property
    def is_synced(self) -> bool:
        return self.trigger == Trigger.SYNCED

    @property
    def needs_threshold(self) -> bool:
        return self.trigger == Trigger.SCORE_REACHED

    @property
    def may_add(self) -> bool:
        return len(self.actions) < MOST_ACTIONS

    @property
    def places(self) -> list[tuple[str, str]]:
        """What templates can name: (field, label)."""
        return [(one.name, one.label) for one in seen_fields(self.trigger)]

    def _params(self, place: int, action: Action) -> list[ParamView]:
        errors = self.action_errors.get(place, {})
        return [
            ParamView(
                param,
                f"action.{place}.{param.name}",
                action.get(param.name),
                errors.get(param.name, ""),
                self.choices.of(param) if is_chosen(param) else [],
            )
            for param in action.spec.params
        ]

    def _fields(self) -> list[FilterField]:
        return [FilterField(one.name, one.label, one.type, one.choices) for one in seen_fields(self.trigger)]

    # -- the builder's buttons --------------------------------------------------------------------------------

    def _carry_out(self, asked: str, added: str) -> None:
        verb, _, text = asked.partition(":")
        self.is_asking = bool(asked)
        if verb == "add" and added in set(ActionKind) and self.may_add:
            spec = ACTIONS[ActionKind(added)]
            self.actions.append(Action(spec.kind, {param.name: _first(param) for param in spec.params}))
            self.focus = f"action-{len(self.actions) - 1}"
        place = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1
        if not 0 <= place < len(self.actions):
            return
        if verb == "remove":
            del self.actions[place]
        other = {"up": place - 1, "down": place + 1}.get(verb, -1)
        if 0 <= other < len(self.actions):
            self.actions[place], self.actions[other] = self.actions[other], self.actions[place]
            self.focus = f"action-{other}"

    # -- checking ---------------------------------------------------------------------------------------------

    def is_valid(self) -> bool:
        """Whether the rule can be saved; notes each mistake beside what it is about."""
        self.errors = {}
        if not self.name:
            self.errors["name"] = "Give the rule a name."
        elif len(self.name) > LONGEST_NAME:
            self.errors["name"] = f"At most {LONGEST_NAME} characters."
        if self.is_synced and not self.sobjects:
            self.errors["sobjects"] = "Choose leads, contacts or both."
        if self.needs_threshold and self._score is None:
            self.errors["threshold"] = "Enter a whole number, such as 50."
        if not self.actions:
            self.errors["actions"] = "Add at least one action."
        known = [name for name, _ in self.places]
        checked = {place: mistakes(one, known=known, choices=self.choices) for place, one in enumerate(self.actions)}
        self.action_errors = {place: found for place, found in checked.items() if found}
        return self.filter.is_valid() and not self.errors and not self.action_errors

    @property
    def _score(self) -> int | None:
        text = self.threshold
        if not (text.isascii() and text.isdecimal() and len(text) < 10) or not 0 < int(text) <= _LARGEST_SCORE:
            return None
        return int(text)

    @property
    def draft(self) -> RuleDraft:
        """The rule as it is to be stored. Ask ``is_valid`` first."""
        return RuleDraft(
            name=self.name,
            trigger=self.trigger,
            runs_on=self.runs_on,
            sobjects=tuple(self.sobjects) if self.is_synced and len(self.sobjects) < len(_SOBJECTS) else (),
            threshold=self._score if self.needs_threshold else None,
            conditions=self.filter.tree,
            actions=tuple(self.actions),
            holds_backfill=self.holds_backfill,
        )


def _actions(data: QueryDict) -> list[Action]:
    places = sorted(int(found.group(1)) for key in data if (found := _PLACE.fullmatch(key)))
    actions = []
    for place in places[:MOST_ACTIONS]:
        kind = data.get(f"action.{place}.kind", "")
        if kind in set(ActionKind):
            typed = {p.name: data.get(f"action.{place}.{p.name}", "") for p in ACTIONS[ActionKind(kind)].params}
            actions.append(cleaned(kind, typed))
    return actions


def _first(param: Param) -> str:
    """What stands in a new action's field."""
    if param.needs is Needs.CHOICE:
        return param.default or param.choices[0][0]
    return param.default


def _tree_of(rule: Rule) -> Filter | None:
    try:
        return rule.tree
    except BadFilter:
        return None


def example(name: str, choices: Choices) -> RuleDraft | None:
    """One of the ready examples; None for any other name."""
    facts = EXAMPLES.get(name)
    if facts is None:
        return None
    actions = tuple(Action(kind, dict(values)) for kind, values in facts["actions"])
    return RuleDraft(name=facts["title"], trigger=facts["trigger"], threshold=facts.get("threshold"), actions=actions)


EXAMPLES: Mapping[str, Any] = {
    "tidy": {
        "title": "Tidy names that come in",
        "words": "Names typed in capitals, or with blanks too many, become readable here and in Salesforce.",
        "icon": "case-sensitive",
        "trigger": Trigger.SYNCED.value,
        "actions": (
            (ActionKind.TRIM, {"field": "first_name"}),
            (ActionKind.TRIM, {"field": "last_name"}),
            (ActionKind.CHANGE_CASE, {"field": "first_name", "case": "title"}),
            (ActionKind.CHANGE_CASE, {"field": "last_name", "case": "title"}),
        ),
    },
    "form": {
        "title": "Hand a form over to sales",
        "words": "Whoever submits a form becomes a lead, or is found, and sales has a task to call back tomorrow.",
        "icon": "clipboard-check",
        "trigger": Trigger.FORM_SUBMITTED.value,
        "actions": (
            (ActionKind.CRM_PERSON, {"as": "auto", "values": "LeadSource = Web"}),
            (
                ActionKind.CRM_TASK,
                {
                    "subject": "Call {first_name|them} back about {event:form|the form}",
                    "days": "1",
                    "priority": "High",
                    "status": "",
                    "owner": "",
                    "description": "",
                },
            ),
        ),
    },
    "hot": {
        "title": "Tell sales who is hot",
        "words": "At 50 points somebody is rated hot in Salesforce and gets a task, so that nobody waits for a call.",
        "icon": "flame",
        "trigger": Trigger.SCORE_REACHED.value,
        "threshold": 50,
        "actions": (
            (ActionKind.CRM_PERSON, {"as": "auto", "values": "Rating = Hot"}),
            (
                ActionKind.CRM_TASK,
                {
                    "subject": "{first_name|Somebody} reached {score} points",
                    "days": "0",
                    "priority": "High",
                    "status": "",
                    "owner": "",
                    "description": "",
                },
            ),
        ),
    },
}
"""Rules to start from: they need nothing to be chosen before they can be saved."""
