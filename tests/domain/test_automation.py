"""Rules without a database: what starts them, whether they apply, and where a chain ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.actions import ACTIONS, Action, ActionKind, actions_of
from apps.domain.automation import Cut, RunsOn, Trigger, applies, cut, explain, sobject_for
from apps.domain.filters import Group, Operator, Rule, evaluate
from apps.domain.values import FieldType


def compared(field: str, value: str, operator: Operator = Operator.EQUALS, kind: FieldType = FieldType.STRING) -> Rule:
    return Rule(field, kind, operator, (value,))


@pytest.mark.parametrize(
    ("runs_on", "created", "updated"),
    [(RunsOn.CREATED, True, False), (RunsOn.UPDATED, False, True), (RunsOn.BOTH, True, True)],
)
def test_which_rows_start_a_rule(runs_on: RunsOn, created: bool, updated: bool) -> None:
    assert (runs_on.admits("created"), runs_on.admits("updated")) == (created, updated)


def test_every_trigger_and_every_action_has_words() -> None:
    assert all(trigger.label for trigger in Trigger)
    assert set(ACTIONS) == set(ActionKind)
    for spec in ACTIONS.values():
        named = {param.name for param in spec.params}
        assert {part.split("}")[0] for part in spec.words.split("{")[1:]} <= named


def test_actions_that_this_release_does_not_know_are_left_out() -> None:
    kept = Action(ActionKind.TRIM, {"field": "title"})
    assert actions_of([kept.to_dict(), {"kind": "launch"}, {"kind": "trim", "values": None}]) == [kept]


TREE = Group(
    (
        compared("country", "DE"),
        Group((compared("score", "50", Operator.GREATER_OR_EQUAL, FieldType.INT), compared("title", "CEO")), False),
    )
)


@pytest.mark.parametrize(
    ("values", "holds", "outcomes"),
    [
        ({"country": "de", "score": "60"}, True, [True, True, True, True, False]),
        ({"country": "de", "score": "6", "title": "ceo"}, True, [True, True, True, False, True]),
        ({"country": "fr", "score": "60"}, False, [False, False, True, True, False]),
        ({"country": "de", "score": "many"}, False, [False, True, False, False, False]),
        ({}, False, [False, False, False, False, False]),
    ],
)
def test_conditions_are_explained_one_by_one(values: dict[str, str], holds: bool, outcomes: list[bool]) -> None:
    assert applies(TREE, values) is holds
    assert [one.holds for one in explain(TREE, values)] == outcomes


def test_without_conditions_a_rule_applies() -> None:
    assert applies(None, {})
    assert applies(Group(()), {})


_LEAVES = st.builds(
    compared, st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.sampled_from([Operator.EQUALS])
)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.builds(Group, st.lists(inner, max_size=3).map(tuple), st.booleans()), max_leaves=6
)


@given(_TREES, st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", ""])))
def test_the_explanation_says_what_the_evaluation_says(tree: Group | Rule, values: dict[str, str]) -> None:
    assert next(explain(tree, values)).holds == evaluate(tree, values)


@pytest.mark.parametrize(
    ("chain", "facts", "reason"),
    [
        ([], {}, None),
        ([1, 2], {}, None),
        ([1, 7], {}, Cut.ITSELF),
        ([1, 2, 3, 4, 5], {}, Cut.DEPTH),
        ([], {"recent_runs": 4}, None),
        ([], {"recent_runs": 5}, Cut.CIRCLES),
        ([], {"came_in": {"Rating": "Hot"}, "written": [{"Rating": "Hot", "Title": "x"}]}, Cut.ECHO),
        ([], {"came_in": {"Rating": "Hot", "Phone": "1"}, "written": [{"Rating": "Hot"}]}, None),
        ([], {"came_in": {"Rating": "Cold"}, "written": [{"Rating": "Hot"}]}, None),
        ([], {"came_in": {}, "written": [{"Rating": "Hot"}]}, None),
    ],
)
def test_a_chain_of_rules_ends(chain: list[int], facts: dict[str, object], reason: Cut | None) -> None:
    assert cut(7, chain, **facts) is reason  # type: ignore[arg-type]


@given(st.lists(st.integers(1, 30), max_size=8))
def test_no_chain_is_longer_than_the_limit_or_names_a_rule_twice(rules: list[int]) -> None:
    chain: list[int] = []
    for rule in rules:
        if cut(rule, chain) is None:
            chain.append(rule)
    assert len(chain) <= 5
    assert len(chain) == len(set(chain))


@pytest.mark.parametrize(
    ("wanted", "has_account", "sobject"),
    [("auto", True, "Contact"), ("auto", False, "Lead"), ("Lead", True, "Lead"), ("Contact", False, "Contact")],
)
def test_lead_or_contact(wanted: str, has_account: bool, sobject: str) -> None:
    assert sobject_for(wanted, has_account=has_account) == sobject
