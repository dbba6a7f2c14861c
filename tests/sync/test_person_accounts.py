"""Person accounts (B04): Account and hidden Contact are one person, read through the one, written through the other."""

from typing import Any

import pytest

from apps.audience.models import Company, Person
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.sync.models import RunObject
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


@pytest.fixture
def world(near_world: World) -> World:
    """An org with person accounts; the setting is what each test says."""
    near_world.emulator.change_org(near_world.org.org_id, person_accounts=True)
    return near_world


def _person_account(world: World, **values: Any) -> tuple[str, str]:
    """A person account: (account, hidden contact)."""
    facts = {"LastName": "Byron", "FirstName": "Ada", "PersonEmail": "ada@example.com"} | values
    account = world.emulator.create(world.org.org_id, "Account", **facts)
    return account, world.row("Account", account, "PersonContactId")["PersonContactId"]


def _names(world: World) -> tuple[list[str], list[str]]:
    """The names of people and of companies."""
    with tenant_transaction(world.tenant_id):
        people = Person.objects.order_by("last_name").values_list("last_name", flat=True)
        return list(people), list(Company.objects.order_by("name").values_list("name", flat=True))


def _skipped(world: World) -> int:
    with tenant_transaction(world.tenant_id):
        parts = RunObject.objects.filter(sobject="Account")
        return sum(part.skip_reasons.get("person_account", 0) for part in parts)


@pytest.mark.parametrize("is_on", [False, True])
def test_a_person_account_is_one_person_and_no_company(world: World, is_on: bool) -> None:
    business = world.emulator.create(world.org.org_id, "Account", Name="Acme")
    employee = world.contact(LastName="Hopper", AccountId=business)
    _, contact = _person_account(world)
    world.settings(person_accounts=is_on)
    world.sync()
    assert _names(world) == (["Byron", "Hopper"], ["Acme"] if is_on else ["Acme", "Ada Byron"])
    with tenant_transaction(world.tenant_id):
        row = Person.objects.select_related("company").get(leading_remote_id=contact)
        assert (row.company is None) == is_on
        assert Person.objects.select_related("company").get(leading_remote_id=employee).company.name == "Acme"
    link = world.link(contact)
    assert None not in (link.base_remote or [])
    assert world.counts(world.sync())["Contact"] == (0, 0, 2, 0, 0)


@pytest.mark.parametrize("is_on", [False, True])
def test_one_that_changes_comes_in_through_its_contact_alone(world: World, is_on: bool) -> None:
    world.settings(person_accounts=is_on)
    world.sync()
    account, contact = _person_account(world)
    world.poll()
    assert _names(world) == (["Byron"], [] if is_on else ["Ada Byron"])
    assert (_skipped(world) > 0) == is_on
    world.change("Account", account, LastName="King", PersonTitle="Countess")
    world.poll()
    assert (world.person(contact).last_name, world.person(contact).title) == ("King", "Countess")
    assert _names(world)[0] == ["King"]


def test_a_change_here_is_written_through_the_account(world: World) -> None:
    world.both_ways("Contact")
    world.settings(person_accounts=True, blank_out=True)
    account, contact = _person_account(world, Phone="1", PersonTitle="Miss")
    world.sync()
    person = world.person(contact)
    world.edit(person, last_name="King", email="ada.king@example.com", phone="2", title="")
    world.emulator.clear_calls()
    world.push()
    row = world.row("Account", account, "LastName", "PersonEmail", "Phone", "PersonTitle")
    assert row == {
        "Id": account,
        "LastName": "King",
        "PersonEmail": "ada.king@example.com",
        "Phone": "2",
        "PersonTitle": None,
    }
    assert world.row("Contact", contact, "LastName", "Email")["Email"] == "ada.king@example.com"
    assert world.waiting() == []
    writes = world.writes()
    run = world.poll()
    assert world.counts(run)["Contact"][1] == 0
    assert world.push() is None
    assert world.writes() >= writes
    assert world.live_errors() == []


def test_sync_now_writes_one_through_its_account(world: World) -> None:
    world.both_ways("Contact")
    world.settings(person_accounts=True)
    account, contact = _person_account(world)
    world.sync()
    world.edit(world.person(contact), first_name="Augusta")
    world.sync_now(world.person(contact))
    assert world.row("Account", account, "FirstName")["FirstName"] == "Augusta"
    assert world.waiting() == []


@pytest.mark.parametrize("is_on", [False, True])
def test_somebody_new_without_a_company_becomes_a_person_account(world: World, is_on: bool) -> None:
    world.both_ways("Contact")
    with tenant_transaction(world.tenant_id):
        SyncStep.objects.filter(sobject="Lead").update(is_enabled=False)
        FieldMapping.objects.filter(step__sobject="Contact", remote_field="OwnerId").delete()
    world.settings(person_accounts=is_on)
    world.sync()
    world.add_person(first_name="Ada", last_name="Byron", email="ada@example.com", title="Countess")
    world.push()
    soql = "SELECT IsPersonAccount, PersonEmail, PersonTitle, PersonContactId FROM Account"
    rows = world.emulator.query(world.org.org_id, soql)
    assert [(row["PersonEmail"], row["PersonTitle"]) for row in rows] == (
        [("ada@example.com", "Countess")] if is_on else []
    )
    person = world.people()[0]
    assert person.leading_sobject == "Contact"
    if is_on:
        assert person.leading_remote_id == rows[0]["PersonContactId"]
    world.poll()
    assert _names(world) == (["Byron"], [])
    assert len(world.emulator.query(world.org.org_id, "SELECT Id FROM Contact")) == 1
    assert world.live_errors() == []


def test_somebody_new_of_a_company_stays_a_contact(world: World) -> None:
    world.both_ways("Contact")
    world.settings(person_accounts=True)
    account = world.emulator.create(world.org.org_id, "Account", Name="Acme")
    world.sync()
    with tenant_transaction(world.tenant_id):
        company = Company.objects.get()
    world.add_person(last_name="Hopper", email="grace@example.com", company=company)
    world.push()
    rows = world.emulator.query(world.org.org_id, "SELECT IsPersonAccount, AccountId FROM Contact")
    assert [(row["IsPersonAccount"], row["AccountId"]) for row in rows] == [(False, account)]


def test_an_opt_out_reaches_the_account(world: World) -> None:
    world.settings(person_accounts=True)
    account, contact = _person_account(world)
    world.sync()
    world.edit(world.person(contact), email_opt_out=True)
    world.push()
    assert world.row("Account", account, "PersonHasOptedOutOfEmail")["PersonHasOptedOutOfEmail"] is True


def test_a_step_takes_the_record_types_that_its_filter_names(world: World) -> None:
    """The first of two steps is bound to one record type; what it does not admit, the next may."""
    partner, customer = (
        world.emulator.create(world.org.org_id, "RecordType", Name=name, DeveloperName=name, SobjectType="Account")
        for name in ("Partners", "Customers")
    )
    with tenant_transaction(world.tenant_id):
        step = SyncStep.objects.get(sobject="Account", profile__is_active=True)
        rule = {"field": "RecordTypeId", "type": "reference", "operator": "equals", "values": [partner]}
        SyncStep.objects.filter(id=step.pk).update(inbound_filter=rule)
    rows = {
        name: world.emulator.create(world.org.org_id, "Account", Name=name, RecordTypeId=kind)
        for name, kind in (("Partner", partner), ("Customer", customer))
    }
    world.sync()
    assert _names(world)[1] == ["Partner"]
    world.emulator.create(world.org.org_id, "Account", Name="Later", RecordTypeId=customer)
    world.change("Account", rows["Customer"], RecordTypeId=partner)
    world.poll()
    assert _names(world)[1] == ["Customer", "Partner"]
