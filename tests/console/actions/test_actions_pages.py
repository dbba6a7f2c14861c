"""The pages of rules with Django's client: building without JavaScript, mistakes in words, order, held back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apps.audience.models import List, Person
from apps.sync_actions.models import CrmAction, Reaction, Rule, RuleRun
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/integrations/salesforce/actions/"


@pytest.fixture
def marketer(member: Callable[[Role], Client]) -> Client:
    return member(Role.MARKETER)


def form(tenant: Tenant, *actions: dict[str, str], **facts: str) -> dict[str, Any]:
    """A posted rule."""
    data: dict[str, Any] = {
        "tenant": str(tenant.pk),
        "name": "Tidy",
        "trigger": "synced",
        "sobject": ["Lead", "Contact"],
        "runs_on": "both",
        "version": "0",
        "when.match": "all",
        "when.0.field": "",
        "when.0.operator": "equals",
        "when.0.value": "",
        **facts,
    }
    for place, action in enumerate(actions):
        data |= {f"action.{place}.{name}": value for name, value in action.items()}
    return data


def make_rule(tenant: Tenant, name: str = "Tidy", **facts: Any) -> Rule:
    with tenant_transaction(tenant.pk):
        made: Rule = Rule.objects.create(
            **{
                "name": name,
                "position": Rule.objects.count(),
                "trigger": "synced",
                "is_enabled": True,
                "actions": [{"kind": "trim", "values": {"field": "title"}}],
                **facts,
            }
        )
        return made


def rules(tenant: Tenant) -> list[Rule]:
    with tenant_transaction(tenant.pk):
        return list(Rule.objects.order_by("position"))


def test_the_empty_page_offers_three_examples_that_can_be_saved_as_they_are(marketer: Client, tenant: Tenant) -> None:
    page = marketer.get(URL).content.decode()
    assert "No rules yet" in page
    for example in ("tidy", "form", "hot"):
        assert f"?example={example}" in page
        shown = marketer.get(f"{URL}new/?example={example}")
        assert shown.status_code == 200
        built = shown.context["form"]
        with tenant_transaction(tenant.pk):
            assert built.is_valid(), (example, built.errors, built.action_errors)


def test_a_rule_is_built_button_by_button_without_scripts(marketer: Client, tenant: Tenant) -> None:
    step = marketer.post(f"{URL}new/", form(tenant, do="add", add="set_field"))
    assert step.status_code == 200
    assert "1. Set a field" in step.content.decode()
    first = {"kind": "set_field", "field": "title", "text": "{first_name}"}
    second = {"kind": "trim", "field": "title"}
    step = marketer.post(f"{URL}new/", form(tenant, first, second, do="up:1"))
    assert [row.action.kind for row in step.context["form"].rows] == ["trim", "set_field"]
    step = marketer.post(f"{URL}new/", form(tenant, first, second, do="remove:0"))
    assert [row.action.kind for row in step.context["form"].rows] == ["trim"]
    assert rules(tenant) == []
    conditions = {"when.0.field": "title", "when.0.operator": "equals", "when.0.value": "CEO"}
    saved = marketer.post(f"{URL}new/", form(tenant, first, second, **conditions))
    (rule,) = rules(tenant)
    assert saved.headers["Location"] == f"{URL}{rule.pk}/try/"
    assert not rule.is_enabled
    assert [one["kind"] for one in rule.actions] == ["set_field", "trim"]
    assert rule.conditions == {
        "all_of": True,
        "parts": [{"field": "title", "type": "string", "operator": "equals", "values": ["CEO"]}],
    }


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"kind": "set_field", "field": "title", "text": "{nobody}"}, "There is no field “nobody”"),
        ({"kind": "set_field", "field": "owner", "text": "x"}, "Choose one of the list."),
        ({"kind": "add_to_list", "list": "1"}, "Choose one of the list."),
        ({"kind": "add_to_list", "list": ""}, "There is no list yet."),
        ({"kind": "change_score", "how": "by", "amount": "many"}, "This has to be a whole number"),
        ({"kind": "change_score", "how": "by", "amount": "999999999"}, "At most 100,000."),
        ({"kind": "map_value", "field": "title", "pairs": "no sign"}, "Line 1 has no “=”"),
        ({"kind": "crm_person", "as": "auto", "values": "HasOptedOutOfEmail = false"}, "not for a rule to set"),
        ({"kind": "crm_task", "subject": "{first", "days": "1"}, "A brace is not closed"),
    ],
)
def test_mistakes_are_told_beside_their_field_and_nothing_is_saved(
    marketer: Client, tenant: Tenant, action: dict[str, str], words: str
) -> None:
    answer = marketer.post(f"{URL}new/", form(tenant, action))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert rules(tenant) == []


def test_a_rule_needs_a_name_an_action_and_rows(marketer: Client, tenant: Tenant) -> None:
    answer = marketer.post(f"{URL}new/", {**form(tenant, name=""), "sobject": []})
    page = answer.content.decode()
    assert answer.status_code == 422
    for words in ("Give the rule a name.", "Add at least one action.", "Choose leads, contacts or both."):
        assert words in page
    answer = marketer.post(f"{URL}new/", form(tenant, {"kind": "unsubscribe"}, trigger="score_reached", threshold="-1"))
    assert "Enter a whole number, such as 50." in answer.content.decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_as_texts(marketer: Client, tenant: Tenant, text: str) -> None:
    with tenant_transaction(tenant.pk):
        row = List.objects.create(name=text[:200])
    action = {"kind": "add_to_list", "list": str(row.pk)}
    answer = marketer.post(f"{URL}new/", form(tenant, action, name=text[:120]))
    assert answer.status_code in {302, 422}
    for address in (URL, *(f"{URL}{rule.pk}/{part}" for rule in rules(tenant) for part in ("", "log/", "try/"))):
        page = marketer.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.content.decode()
        assert "<img src=x" not in page.content.decode()


@pytest.mark.parametrize(
    "extra",
    [
        {"action.0.kind": "launch"},
        {"action.999.kind": "trim"},
        {"do": "remove:99999"},
        {"do": "up:-1"},
        {"trigger": "nonsense", "runs_on": "never", "version": "x" * 50},
        {"when.0.field": "nonsense", "when.0.operator": "in"},
    ],
)
def test_forged_forms_are_answered_with_words(marketer: Client, tenant: Tenant, extra: dict[str, str]) -> None:
    answer = marketer.post(f"{URL}new/", form(tenant, **extra))
    assert answer.status_code in {200, 422}
    assert rules(tenant) == []


def test_order_switch_and_deletion(marketer: Client, tenant: Tenant) -> None:
    first, second = make_rule(tenant, "A"), make_rule(tenant, "B")
    said = {"tenant": str(tenant.pk)}
    marketer.post(f"{URL}{second.pk}/move/", {**said, "to": "earlier"})
    assert [rule.name for rule in rules(tenant)] == ["B", "A"]
    marketer.post(f"{URL}{first.pk}/move/", {**said, "to": "later"})
    assert [rule.name for rule in rules(tenant)] == ["B", "A"]
    marketer.post(f"{URL}{first.pk}/switch/", {**said, "on": "0"})
    assert [rule.is_enabled for rule in rules(tenant)] == [True, False]
    marketer.post(f"{URL}{second.pk}/delete/", said)
    assert [rule.name for rule in rules(tenant)] == ["A"]


def test_a_form_that_is_older_than_the_rule_saves_nothing(marketer: Client, tenant: Tenant) -> None:
    rule = make_rule(tenant)
    trim = {"kind": "trim", "field": "title"}
    assert marketer.post(f"{URL}{rule.pk}/", form(tenant, trim, name="New", version="1")).status_code == 302
    stale = marketer.post(f"{URL}{rule.pk}/", form(tenant, trim, name="Newer", version="1"))
    assert stale.status_code == 409
    assert "Somebody else has changed this rule" in stale.content.decode()
    assert [one.name for one in rules(tenant)] == ["New"]


def test_what_is_held_back_is_counted_and_released_by_a_button(marketer: Client, tenant: Tenant) -> None:
    rule = make_rule(tenant)
    with tenant_transaction(tenant.pk):
        for number in range(3):
            Reaction.objects.create(
                rule_id=rule.pk, person_id=number + 1, event="created", event_key="version 1", state="held"
            )
    assert "Run for the 3 held back" in marketer.get(URL).content.decode()
    marketer.post(f"{URL}{rule.pk}/held/", {"tenant": str(tenant.pk), "do": "run"})
    (row,) = rules(tenant)
    assert row.release_to is not None


def test_trying_shows_each_condition_and_does_nothing(marketer: Client, tenant: Tenant) -> None:
    rule = make_rule(
        tenant,
        trigger="form_submitted",
        conditions={
            "all_of": True,
            "parts": [
                {"field": "title", "type": "string", "operator": "equals", "values": ["CEO"]},
                {"field": "event:form", "type": "string", "operator": "equals", "values": ["Demo"]},
            ],
        },
        actions=[
            {"kind": "set_field", "values": {"field": "department", "text": "Board"}},
            {"kind": "crm_task", "values": {"subject": "Call {first_name}", "days": "1"}},
        ],
    )
    with tenant_transaction(tenant.pk):
        person = Person.objects.create(email="ada@example.com", first_name="Ada", title="CEO")
    page = marketer.get(f"{URL}{rule.pk}/try/?person={person.pk}")
    assert "its conditions do not hold" in page.content.decode()
    assert [(one.holds, one.is_group) for one in page.context["conditions"]] == [
        (False, True),
        (True, False),
        (False, False),
    ]
    page = marketer.get(f"{URL}{rule.pk}/try/?person={person.pk}&event:form=demo")
    assert "The rule would run." in page.content.decode()
    assert [effect["after"] for effect in page.context["effects"]] == ["Board", ""]
    with tenant_transaction(tenant.pk):
        assert Person.objects.get().department == ""
        assert not CrmAction.objects.exists()
        assert not RuleRun.objects.exists()


@pytest.mark.parametrize("person", ["999999", "x", "-1", "9" * 40])
def test_trying_on_nobody_says_so(marketer: Client, tenant: Tenant, person: str) -> None:
    rule = make_rule(tenant)
    page = marketer.get(f"{URL}{rule.pk}/try/?person={person}")
    assert page.status_code == 200
    assert "There is no such person" in page.content.decode()
