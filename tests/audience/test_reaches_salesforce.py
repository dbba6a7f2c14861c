"""What members change here, through the engine, with the emulator as Salesforce."""

import pytest

from apps.audience.models import Person
from apps.audience.services.companies import create_company
from apps.audience.services.people import create_person, deactivate_person, set_opt_out, update_person
from apps.field_mappings.versions import save_version
from apps.sync.models import SyncRun
from apps.sync.selectors.record_runs import Progress, progress_of
from apps.tenants.scope import tenant_transaction
from tests.integrations.conftest import connection, emulator, emulator_process, org, user
from tests.sync.conftest import world
from tests.sync.world import World

__all__ = ["connection", "emulator", "emulator_process", "org", "user", "world"]


def change(world: World, person: Person, **values: str) -> None:
    with tenant_transaction(world.tenant_id):
        now = Person.objects.get(id=person.pk)
        update_person(person=now, values=values, seen_version=now.version, user=world.user)


def told(world: World, run: SyncRun) -> Progress:
    with tenant_transaction(world.tenant_id):
        return progress_of(run)


def test_an_edit_is_written_there_and_the_page_says_what(world: World) -> None:
    world.both_ways("Lead")
    lead = world.lead(Email="ada@example.com", FirstName="Ada", LastName="Byron", Phone="1")
    world.sync()
    change(world, world.person(lead), last_name="Lovelace")
    world.change("Lead", lead, Phone="2")
    progress = told(world, world.sync_now(world.person(lead)))
    assert world.row("Lead", lead, "LastName")["LastName"] == "Lovelace"
    assert (world.person(lead).phone, world.waiting()) == ("2", [])
    assert [change.after for change in progress.here] == ["2"]
    assert [change.after for change in progress.there] == ["Lovelace"]
    assert progress.words == "Synced"
    again = told(world, world.sync_now(world.person(lead)))
    assert again.words == "Nothing to do: both sides agree"


def test_a_field_that_salesforce_rules_gets_its_value_back(world: World) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron", Title="Miss")
    world.sync()
    change(world, world.person(lead), title="Countess")
    world.sync_now(world.person(lead))
    assert world.person(lead).title == "Miss"
    assert world.row("Lead", lead, "Title")["Title"] == "Miss"


def test_a_new_person_is_made_there_once(world: World) -> None:
    world.both_ways("Lead")
    world.sync()
    with tenant_transaction(world.tenant_id):
        save_version(world.connection)
        made = create_person(values={"last_name": "Hopper", "email": "grace@example.com"}, user=world.user)
    progress = told(world, world.sync_now(made))
    assert progress.made_there
    rows = world.emulator.query(world.org.org_id, "SELECT Id, Email FROM Lead WHERE Email = 'grace@example.com'")
    assert len(rows) == 1


@pytest.mark.parametrize("opted_out", [True, False])
def test_consent_arrives_there(world: World, opted_out: bool) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron", HasOptedOutOfEmail=not opted_out)
    world.sync()
    with tenant_transaction(world.tenant_id):
        set_opt_out(person=Person.objects.get(), opted_out=opted_out, source="Said so", user=world.user)
    world.sync_now(world.person(lead))
    assert world.row("Lead", lead, "HasOptedOutOfEmail")["HasOptedOutOfEmail"] is opted_out
    assert world.person(lead).email_opt_out is opted_out


def test_a_person_deactivated_here_stays_there_and_stays_inactive(world: World) -> None:
    world.both_ways("Lead")
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    with tenant_transaction(world.tenant_id):
        deactivate_person(person=Person.objects.get(), user=world.user)
    world.push()
    world.change("Lead", lead, Title="Countess")
    world.poll()
    assert world.row("Lead", lead, "IsDeleted")["IsDeleted"] is False
    assert (world.person(lead).is_active, world.person(lead).title) == (False, "Countess")


def test_a_new_company_is_made_there(world: World) -> None:
    world.both_ways("Account")
    world.sync()
    with tenant_transaction(world.tenant_id):
        create_company(values={"name": "Engines", "website": "engines.example", "employees": "12"}, user=world.user)
    world.push()
    soql = "SELECT Id, NumberOfEmployees FROM Account WHERE Name = 'Engines'"
    assert [row["NumberOfEmployees"] for row in world.emulator.query(world.org.org_id, soql)] == [12]
