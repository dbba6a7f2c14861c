"""Trying a rule on a real record: each condition's outcome and what would be done, without doing it (F02)."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.audience.models import Person
from apps.audience.selectors.people import PeopleFilter, matching_ids
from apps.console.actions.shown import effect_views, trigger_words
from apps.console.filter_words import FilterField, filter_words
from apps.core.search import search_text
from apps.domain.automation import Checked
from apps.domain.filters import Group
from apps.integrations.services.oauth import live_connection
from apps.sync_actions.choices import Choices
from apps.sync_actions.models import Rule
from apps.sync_actions.services import Trial, try_rule
from apps.sync_actions.values import EVENT, Seen, seen_fields
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_MOST_SHOWN = 20
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition with its outcome."""

    words: str
    value: str
    holds: bool
    depth: int
    is_group: bool


@require_GET
@member_page(Right.EDIT_MAPPINGS)
def try_out(request: MemberRequest, rule_id: int) -> HttpResponse:
    """Choose somebody, and see what the rule would do."""
    rule = load(Rule, rule_id)
    typed = request.GET.get("q", "")[:200]
    chosen = request.GET.get("person", "")
    person = _person(chosen)
    seen = seen_fields(rule.trigger)
    details = {one.name.removeprefix(EVENT): request.GET.get(one.name, "")[:_LONGEST] for one in _facts(seen)}
    trial = try_rule(rule=rule, person=person, details=details) if person is not None else None
    context = {
        "rule": rule,
        "trigger": trigger_words(rule),
        "typed": typed,
        "people": _people(typed),
        "person": person,
        "is_unknown": bool(chosen) and person is None,
        "facts": [(one.name, one.label, details[one.name.removeprefix(EVENT)]) for one in _facts(seen)],
        "trial": trial,
        "conditions": _conditions(trial, seen) if trial is not None else [],
        "effects": _effects(rule, trial) if trial is not None else [],
        "may_edit": request.membership.may(Right.EDIT_MAPPINGS),
    }
    return render(request, "console/actions/try.html", context)


def _facts(seen: list[Seen]) -> list[Seen]:
    return [one for one in seen if one.name.startswith(EVENT)]


def _person(chosen: str) -> Person | None:
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 19):
        return None
    found: Person | None = Person.objects.filter(id=int(chosen)).first()
    return found


def _people(typed: str) -> list[Person]:
    """Who was searched for; without a search, who came in last."""
    if search_text(typed):
        ids = matching_ids(PeopleFilter(search=typed))[:_MOST_SHOWN]
        return list(Person.objects.filter(id__in=ids).order_by("last_key", "id"))
    return list(Person.objects.filter(is_active=True).order_by("-id")[:_MOST_SHOWN])


def _conditions(trial: Trial, seen: list[Seen]) -> list[ConditionView]:
    fields = {one.name: FilterField(one.name, one.label, one.type, one.choices) for one in seen}
    return [_condition(one, fields) for one in trial.conditions]


def _condition(checked: Checked, fields: dict[str, FilterField]) -> ConditionView:
    tree = checked.tree
    if isinstance(tree, Group):
        words = "All of these hold" if tree.all_of else "Any of these holds"
        return ConditionView(words, "", checked.holds, checked.depth, True)
    return ConditionView(filter_words(tree, fields), checked.value[:200], checked.holds, checked.depth, False)


def _effects(rule: Rule, trial: Trial) -> list[dict[str, object]]:
    """Each action as a sentence with what it would come to."""
    choices = Choices(live_connection())
    sentences = [choices.sentence(action) for action in rule.steps]
    return [
        {**effect, "sentence": sentence}
        for effect, sentence in zip(effect_views(trial.effects), sentences, strict=False)
    ]
