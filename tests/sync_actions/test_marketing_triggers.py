"""Marketing triggers (F03): what people do starts rules, with conditions on the event."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.audience.models import List, Person
from apps.audience.services.lists import add_to_list, remove_from_list
from apps.audience.services.people import create_person, set_opt_out
from apps.audience.services.scores import change_score
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from tests.integrations.conftest import user
from tests.sync.world import World
from tests.sync_actions.automat import Automat, action, is_

__all__ = ["user"]
pytestmark = pytest.mark.django_db(transaction=True)
MARK = action("set_field", field="department", text="Met")


@pytest.fixture
def home(tenant: Tenant, user: User) -> Automat:
    """Rules of a tenant without Salesforce: marketing triggers need none."""
    return Automat(World(tenant.pk, None, user, None, None))  # type: ignore[arg-type]  # no org is asked


def met(home: Automat, email: str = "ada@example.com") -> bool:
    with tenant_transaction(home.world.tenant_id):
        return bool(Person.objects.get(email=email).department == "Met")


@pytest.mark.parametrize(
    ("trigger", "kind", "details"),
    [
        ("form_submitted", "form_submitted", {"form": "Demo"}),
        ("email_opened", "email_opened", {"campaign": "News"}),
        ("email_clicked", "email_clicked", {"link": "https://x.example/"}),
        ("page_visited", "page_visited", {"url": "https://x.example/"}),
    ],
)
def test_each_kind_of_event_starts_its_rules_and_no_others(
    home: Automat, trigger: str, kind: str, details: dict[str, Any]
) -> None:
    rule = home.rule(MARK, trigger=trigger)
    home.rule(action("change_score", how="by", amount="99"), trigger="bounced")
    home.happens("ada@example.com", kind, **details)
    home.act()
    assert met(home)
    assert [run.event for run in home.runs()] == [trigger]
    assert home.runs(rule)[0].record_label == "ada@example.com"


def test_conditions_look_at_the_event(home: Automat) -> None:
    home.rule(MARK, trigger="form_submitted", when=is_("event:form", "Demo"))
    home.happens("ada@example.com", form="Newsletter")
    home.act()
    assert not met(home)
    home.happens("ada@example.com", form="demo")
    home.act()
    assert met(home)


def test_a_score_is_reached_once_and_from_below(home: Automat) -> None:
    rule = home.rule(action("set_field", field="title", text="{title}!"), trigger="score_reached", threshold=50)
    person = home.happens("ada@example.com", "page_visited", url="https://x.example/")
    for to in (49, 50, 60, 10, 55):
        with tenant_transaction(home.world.tenant_id):
            change_score(person=person, to=to, origin="api")
    home.act()
    assert len(home.runs(rule)) == 2  # 49 → 50, and 10 → 55


def test_lists_that_are_joined_and_left(home: Automat) -> None:
    joined = home.rule(action("set_field", field="title", text="on {event:list}"), trigger="list_joined")
    left = home.rule(action("set_field", field="title", text="off {event:list}"), trigger="list_left")
    person = home.person(email="ada@example.com")
    with tenant_transaction(home.world.tenant_id):
        row = List.objects.create(name="Fair")
        add_to_list(people=[person], to=row, origin="manual")
    home.act()
    with tenant_transaction(home.world.tenant_id):
        remove_from_list(people=[person], of=row, origin="manual")
    home.act()
    assert [run.effects[0]["after"] for run in home.runs(joined) + home.runs(left)] == ["on Fair", "off Fair"]


@pytest.mark.parametrize("origin", ["api", "import"])
def test_whoever_is_created_by_the_api_or_an_import(home: Automat, origin: str) -> None:
    api, imported = home.rule(MARK, trigger="created_by_api"), home.rule(MARK, trigger="imported")
    with tenant_transaction(home.world.tenant_id):
        create_person(values={"email": "ada@example.com"}, user=None, origin=origin)
        create_person(values={"email": "hand@example.com"}, user=None)
    home.act()
    assert (len(home.runs(api)), len(home.runs(imported))) == ((1, 0) if origin == "api" else (0, 1))
    assert not met(home, "hand@example.com")


def _event(home: Automat, person: Person) -> None:
    home.happens("ada@example.com", "unsubscribed")


def _by_hand(home: Automat, person: Person) -> None:
    with tenant_transaction(home.world.tenant_id):
        set_opt_out(person=person, opted_out=True, source="By phone", user=home.world.user)


@pytest.mark.parametrize("act", [_event, _by_hand], ids=["by an event", "by hand"])
def test_an_unsubscribe_starts_its_rules_once(home: Automat, act: Callable[[Automat, Person], Any]) -> None:
    rule = home.rule(MARK, trigger="unsubscribed")
    person = home.person(email="ada@example.com")
    act(home, person)
    home.act()
    home.act()
    assert len(home.runs(rule)) == 1
    assert met(home)


def test_a_bounce_starts_its_rules(home: Automat) -> None:
    rule = home.rule(MARK, trigger="bounced", when=is_("event:bounce", "hard"))
    home.person(email="ada@example.com")
    home.happens("ada@example.com", "email_bounced", bounce="soft")
    home.happens("ada@example.com", "email_bounced", bounce="hard")
    home.act()
    assert len(home.runs(rule)) == 1


def test_events_are_looked_at_though_no_rule_wants_them(home: Automat) -> None:
    home.happens("ada@example.com", form="Demo")
    home.act()
    rule = home.rule(MARK, trigger="form_submitted")
    home.act()
    assert home.runs(rule) == []  # what happened before the rule was made is not for it
