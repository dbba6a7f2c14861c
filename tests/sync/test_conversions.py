"""What a converted lead became (D06): its person goes on with the contact, the company and the opportunity."""

from typing import Any

import pytest

from apps.audience.models import Company, OpportunityContactRole, Person
from apps.field_mappings.models import FieldMapping
from apps.sync.erasing import erase_person
from apps.sync.models import Conversion, RunEntry
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


def _unmapped_account(world: World) -> None:
    """The mapping that would tell the company is out of the way."""
    with tenant_transaction(world.tenant_id):
        FieldMapping.objects.filter(step__sobject="Contact", remote_field="AccountId").delete()


def _state(world: World) -> tuple[Any, ...]:
    """The person's leading row and company, and the opportunities they have a part in."""
    with tenant_transaction(world.tenant_id):
        person = Person.objects.select_related("company").get(last_name="Byron")
        roles = OpportunityContactRole.objects.filter(person_id=person.pk, is_active=True)
        company = person.company.name if person.company is not None else ""
        return person.leading_sobject, company, sorted(roles.values_list("opportunity__name", flat=True))


@pytest.mark.parametrize("is_mapped", [True, False])
def test_the_person_of_a_converted_lead_has_its_company_and_opportunity(near_world: World, is_mapped: bool) -> None:
    world = near_world
    if not is_mapped:
        _unmapped_account(world)
    lead = world.lead(LastName="Byron", Email="ada@example.com", Company="Engines")
    world.sync()
    assert _state(world) == ("Lead", "", [])
    world.emulator.convert(world.org.org_id, lead, opportunity="Big deal")
    world.poll()
    assert _state(world) == ("Contact", "Engines", ["Big deal"])
    world.poll()
    world.sync()
    assert _state(world) == ("Contact", "Engines", ["Big deal"])
    with tenant_transaction(world.tenant_id):
        assert Person.objects.count() == 1
        told = RunEntry.objects.filter(reason="converted", changes__has_key="company").count()
    assert told == (0 if is_mapped else 1)


def test_what_it_became_may_come_in_later_than_the_lead(near_world: World) -> None:
    world = near_world
    _unmapped_account(world)
    lead = world.lead(LastName="Byron", Email="ada@example.com", Company="Engines")
    world.sync()
    became = world.emulator.convert(world.org.org_id, lead, opportunity="Big deal")
    hidden = [became["accountId"], became["opportunityId"]]
    world.emulator.hide_rows(world.org.org_id, *hidden)
    world.poll()
    assert _state(world) == ("Contact", "", [])
    world.emulator.hide_rows(world.org.org_id, *hidden, visible=True)
    world.sweep()
    assert _state(world) == ("Contact", "Engines", ["Big deal"])
    with tenant_transaction(world.tenant_id):
        done = Conversion.objects.get()
    assert (done.has_company, done.has_opportunity) == (True, True)


def test_a_company_that_the_person_has_already_stays(near_world: World) -> None:
    world = near_world
    _unmapped_account(world)
    other = world.emulator.create(world.org.org_id, "Account", Name="Other")
    lead = world.lead(LastName="Byron", Email="ada@example.com", Company="Engines")
    world.sync()
    with tenant_transaction(world.tenant_id):
        Person.objects.update(company_id=_company_of(other))
    world.emulator.convert(world.org.org_id, lead)
    world.poll()
    assert _state(world)[1] == "Other"


def _company_of(remote_id: str) -> int:
    return int(Company.objects.get(leading_remote_id=remote_id).pk)


def test_a_role_that_salesforce_tells_takes_the_place_of_ours(near_world: World) -> None:
    world = near_world
    lead = world.lead(LastName="Byron", Email="ada@example.com", Company="Engines")
    world.sync()
    became = world.emulator.convert(world.org.org_id, lead, opportunity="Big deal")
    world.poll()
    role = world.emulator.create(
        world.org.org_id,
        "OpportunityContactRole",
        OpportunityId=became["opportunityId"],
        ContactId=became["contactId"],
        Role="Decision Maker",
    )
    world.poll()
    with tenant_transaction(world.tenant_id):
        found = OpportunityContactRole.objects.get()
    assert (found.remote_id, found.role) == (role, "Decision Maker")


def test_a_conversion_without_an_opportunity_waits_for_none(near_world: World) -> None:
    world = near_world
    lead = world.lead(LastName="Byron", Email="ada@example.com", Company="Engines")
    world.sync()
    world.emulator.convert(world.org.org_id, lead)
    world.poll()
    assert _state(world) == ("Contact", "Engines", [])
    with tenant_transaction(world.tenant_id):
        assert not Conversion.objects.filter(has_opportunity=False).exists()


def test_who_is_erased_leaves_no_conversion_behind(near_world: World) -> None:
    world = near_world
    lead = world.lead(LastName="Byron", Email="ada@example.com", Company="Engines")
    world.sync()
    world.emulator.convert(world.org.org_id, lead)
    world.poll()
    with tenant_transaction(world.tenant_id):
        assert Conversion.objects.count() == 1
        erase_person(person=Person.objects.get(), user=world.user)
        assert not Conversion.objects.exists()
