"""Commands of rules about person accounts: what they write of the contact goes to the account (B04)."""

from typing import Any

import pytest

from apps.sync_actions.models import CrmAction
from tests.emulator.near import local, near_world, user
from tests.sync_actions.automat import Automat, action
from tests.sync_actions.conftest import near

__all__ = ["local", "near", "near_world", "user"]


@pytest.fixture
def automat(near: Automat) -> Automat:
    """An org with person accounts."""
    world = near.world
    world.emulator.change_org(world.org.org_id, person_accounts=True)
    world.settings(person_accounts=True)
    near.learn()
    world.sync()
    return near


def person_account(near: Automat, **values: Any) -> tuple[str, str]:
    """A person account that has come in: (account, hidden contact)."""
    world = near.world
    facts = {"LastName": "Byron", "FirstName": "Ada", "PersonEmail": "ada@example.com"} | values
    account = world.emulator.create(world.org.org_id, "Account", **facts)
    world.poll()
    return account, world.row("Account", account, "PersonContactId")["PersonContactId"]


def only(near: Automat) -> CrmAction:
    (command,) = near.commands()
    return command


def test_a_field_that_a_rule_sets_goes_to_the_account_under_its_name_there(automat: Automat) -> None:
    world = automat.world
    automat.rule(action("crm_set_field", field="Title", text="Countess"), trigger="form_submitted")
    account, contact = person_account(automat, PersonTitle="Miss")
    automat.happens("ada@example.com")
    automat.carry_out()
    assert world.row("Account", account, "PersonTitle")["PersonTitle"] == "Countess"
    command = only(automat)
    assert (command.state, command.sobject, command.result_id) == ("done", "Contact", contact)
    world.poll()
    assert world.person(contact).title == "Countess"
    assert world.live_errors() == []


def test_an_owner_and_further_values_go_there_too(automat: Automat) -> None:
    world = automat.world
    somebody = world.emulator.add_user(world.org.org_id, username="new@acme.example", name="New Owner")["id"]
    automat.learn()
    automat.rule(action("crm_owner", owner=somebody), trigger="form_submitted")
    automat.rule(action("crm_person", values="Phone = 555\nTitle = Countess"), trigger="form_submitted")
    account, _ = person_account(automat)
    automat.happens("ada@example.com")
    automat.carry_out()
    automat.carry_out()
    row = world.row("Account", account, "OwnerId", "Phone", "PersonTitle")
    assert (row["OwnerId"], row["Phone"], row["PersonTitle"]) == (somebody, "555", "Countess")
    assert [command.state for command in automat.commands()] == ["done", "done"]


def test_a_field_that_no_person_account_has_is_refused_in_words(automat: Automat) -> None:
    automat.rule(action("crm_set_field", field="ReportsToId", text="003000000000001AAA"), trigger="form_submitted")
    account, _ = person_account(automat)
    automat.happens("ada@example.com")
    automat.carry_out()
    command = only(automat)
    assert (command.state, "person account" in command.reason) == ("held", True)
    assert automat.world.row("Account", account, "LastName")["LastName"] == "Byron"


@pytest.mark.parametrize("is_on", [True, False])
def test_somebody_new_without_a_company_becomes_a_person_account(automat: Automat, is_on: bool) -> None:
    world = automat.world
    world.settings(person_accounts=is_on)
    rule = automat.rule(
        action("crm_person", **{"as": "Contact", "values": "Title = Countess"}), trigger="form_submitted"
    )
    automat.happens("eve@example.com", values={"last_name": "Eve", "first_name": "E"})
    automat.carry_out()
    (contact,) = automat.rows("Contact", "LastName", "Email", "AccountId", "IsPersonAccount", where="LastName = 'Eve'")
    assert (contact["Email"], contact["IsPersonAccount"]) == ("eve@example.com", is_on)
    assert (only(automat).result_id, automat.runs(rule)[0].outcome) == (contact["Id"], "done")
    if is_on:
        assert world.row("Account", contact["AccountId"], "PersonTitle")["PersonTitle"] == "Countess"
    world.poll()
    assert world.person(contact["Id"]).email == "eve@example.com"
    automat.happens("eve@example.com")
    automat.carry_out()
    assert len(automat.rows("Contact", "LastName", where="LastName = 'Eve'")) == 1
