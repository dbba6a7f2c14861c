"""Lists and memberships that are changed here, told to Salesforce; pairs of runs, off and on (B09, B03)."""

from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import List, ListMembership, Person
from apps.audience.services.lists import add_to_list, create_list, keep_as_campaign, remove_from_list, set_member_status
from apps.sync.models import WriteIntent
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


def campaign(world: World, name: str = "Autumn", **values: Any) -> str:
    return world.emulator.create(world.org.org_id, "Campaign", Name=name, IsActive=True, **values)


def the_list(world: World) -> List:
    with tenant_transaction(world.tenant_id):
        found: List = List.objects.get()
        return found


def add(world: World, *people: Person, status: str = "") -> None:
    with tenant_transaction(world.tenant_id):
        add_to_list(people=people, to=List.objects.get(), origin="manual", status=status)


def remove(world: World, *people: Person) -> None:
    with tenant_transaction(world.tenant_id):
        remove_from_list(people=people, of=List.objects.get(), origin="manual")


def answer(world: World, status: str, *people: Person) -> None:
    with tenant_transaction(world.tenant_id):
        set_member_status(people=people, of=List.objects.get(), status=status, origin="manual")


def members(world: World) -> dict[str, str]:
    """Who is on the Campaigns there: lead or contact → status."""
    soql = "SELECT LeadId, ContactId, Status FROM CampaignMember"
    rows = world.emulator.query(world.org.org_id, soql, include_deleted=False)
    return {row["ContactId"] or row["LeadId"]: row["Status"] for row in rows}


def here(world: World) -> dict[int, list[object]]:
    with tenant_transaction(world.tenant_id):
        rows = ListMembership.objects.all()
        return {row.person_id: [row.is_active, row.status, row.out_state, row.out_note] for row in rows}


@pytest.mark.parametrize(
    ("switches", "is_told"),
    [({}, True), ({"sync_members": False}, False), ({"group_edition": True}, False), ({"syncs_enabled": False}, False)],
)
def test_who_is_added_and_taken_off_here_is_so_there(
    near_world: World, switches: dict[str, bool], is_told: bool
) -> None:
    world = near_world
    campaign(world)
    lead, contact = world.lead(Email="ada@example.com"), world.contact(Email="bob@example.com")
    world.sync()
    ada, bob = world.person(lead), world.person(contact)
    world.settings(**switches)
    add(world, ada, bob)
    world.push()
    assert members(world) == ({lead: "Sent", contact: "Sent"} if is_told else {})
    world.settings(sync_members=True, group_edition=False, syncs_enabled=True)
    world.push()
    assert members(world) == {lead: "Sent", contact: "Sent"}
    world.settings(**switches)
    remove(world, ada)
    world.push()
    assert (lead in members(world)) is not is_told


def test_a_status_goes_there_and_one_the_campaign_does_not_have_is_refused_in_words(near_world: World) -> None:
    world = near_world
    campaign(world)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    ada = world.person(lead)
    add(world, ada, status="Responded")
    world.push()
    assert members(world) == {lead: "Responded"}
    answer(world, "Sent", ada)
    world.push()
    assert members(world) == {lead: "Sent"}
    answer(world, "Delighted", ada)
    world.push()
    assert members(world) == {lead: "Sent"}
    assert [(error.category, error.sobject) for error in world.live_errors()] == [
        ("restricted_picklist", "CampaignMember")
    ]
    assert here(world)[ada.pk][2] == "refused"


def test_a_member_who_is_there_already_is_success_and_ours_counts(near_world: World) -> None:
    world = near_world
    campaign_id = campaign(world)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    world.emulator.create(world.org.org_id, "CampaignMember", CampaignId=campaign_id, LeadId=lead)
    add(world, world.person(lead), status="Responded")
    world.push()
    assert members(world) == {lead: "Responded"}
    assert world.live_errors() == []


def test_our_own_changes_come_back_as_no_news_and_theirs_do(near_world: World) -> None:
    world = near_world
    campaign(world)
    lead, other = world.lead(Email="ada@example.com"), world.lead(Email="bob@example.com")
    world.sync()
    ada, bob = world.person(lead), world.person(other)
    add(world, ada, bob)
    world.push()
    run = world.poll()
    assert world.counts(run).get("CampaignMember", (0, 0, 0, 0, 0))[0] == 0
    world.push()
    remove(world, ada)
    world.push()
    world.poll()
    assert {pk: row[0] for pk, row in here(world).items()} == {ada.pk: False, bob.pk: True}
    soql = f"SELECT Id FROM CampaignMember WHERE LeadId = '{other}'"
    member = world.emulator.query(world.org.org_id, soql, include_deleted=False)[0]["Id"]
    world.emulator.delete(world.org.org_id, "CampaignMember", member)
    world.poll()
    assert here(world)[bob.pk][0] is False
    world.push()
    assert members(world) == {}


def test_what_waits_here_is_not_undone_by_a_pull(near_world: World) -> None:
    world = near_world
    campaign_id = campaign(world)
    lead = world.lead(Email="ada@example.com")
    world.emulator.create(world.org.org_id, "CampaignMember", CampaignId=campaign_id, LeadId=lead)
    world.sync()
    ada = world.person(lead)
    remove(world, ada)
    soql = f"SELECT Id FROM CampaignMember WHERE LeadId = '{lead}'"
    member = world.emulator.query(world.org.org_id, soql)[0]["Id"]
    world.change("CampaignMember", member, Status="Responded")
    world.poll()
    assert here(world)[ada.pk][:3] == [False, "Sent", "waiting"]
    world.push()
    assert members(world) == {}


def test_a_list_is_kept_as_a_campaign_with_everybody_on_it_once(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    with tenant_transaction(world.tenant_id):
        made = create_list(name="Friends", user=world.user)
        add_to_list(people=[world.person(lead).pk], to=made, origin="manual")
    world.push()
    assert world.emulator.query(world.org.org_id, "SELECT Id FROM Campaign") == []
    with tenant_transaction(world.tenant_id):
        keep_as_campaign(shown=made, user=world.user)
    world.push()
    world.poll()
    world.push()
    rows = world.emulator.query(world.org.org_id, "SELECT Id, Name, IsActive FROM Campaign")
    assert [(row["Name"], row["IsActive"]) for row in rows] == [("Friends", True)]
    assert (the_list(world).remote_id, members(world)) == (rows[0]["Id"], {lead: "Sent"})


@pytest.mark.parametrize("pulled", [False, True])
def test_a_campaign_whose_answer_was_lost_is_found_again(near_world: World, pulled: bool) -> None:
    world = near_world
    lead = world.lead(Email="ada@example.com")
    world.sync()
    with tenant_transaction(world.tenant_id):
        made = create_list(name="Friends", user=world.user, is_campaign=True)
        add_to_list(people=[world.person(lead).pk], to=made, origin="manual")
    world.push()
    with tenant_transaction(world.tenant_id):
        # As if the worker had died between the answer and writing it down, and a pull was faster.
        List.objects.filter(id=made.pk).update(remote_id="", out_state="waiting")
        WriteIntent.objects.filter(local_type="list").update(closed_at=None, outcome="")
    if pulled:
        world.poll()
        assert len(world.emulator.query(world.org.org_id, "SELECT Id FROM Campaign")) == 1
    world.push()
    assert len(world.emulator.query(world.org.org_id, "SELECT Id FROM Campaign")) == 1
    assert (the_list(world).pk, members(world)) == (made.pk, {lead: "Sent"})


def test_a_converted_lead_is_added_as_its_contact(near_world: World) -> None:
    world = near_world
    campaign(world)
    lead = world.lead(Email="ada@example.com")
    world.sync()
    ada = world.person(lead)
    converted = world.emulator.convert(world.org.org_id, lead)
    add(world, ada)
    world.push()
    assert list(members(world)) == [converted["contactId"]]


def test_a_person_who_is_not_there_waits_and_is_added_once_they_are(near_world: World) -> None:
    world = near_world
    campaign(world)
    world.sync()
    with tenant_transaction(world.tenant_id):
        ada: Person = Person.objects.create(email="ada@example.com", last_name="Byron")
    add(world, ada)
    world.push()
    assert here(world)[ada.pk][2:] == ["waiting", "The person has no lead or contact in Salesforce yet."]
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.poll()
    with tenant_transaction(world.tenant_id):
        ListMembership.objects.update(out_due_at=timezone.now())
    world.push()
    assert members(world) == {lead: "Sent"}
