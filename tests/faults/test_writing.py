"""F43 to F49: what Salesforce loses, rewrites or has changed by the time we write."""

import pytest
from django.db.models import F
from django.utils import timezone

from apps.audience.models import Company
from apps.field_mappings.models import FieldMapping
from apps.outbox.queue import queue_change
from apps.sync.models import SyncRun
from apps.tenants.scope import tenant_transaction
from tests.faults.writes import (
    COLLECTIONS,
    ada,
    history_of_names,
    is_settled,
    writing_calls,
)
from tests.sync.world import World

# -- F43 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("package", "values", "when"),
    [
        (True, {"email": "new@example.com"}, "after"),
        (True, {}, "after"),
        (True, {}, "before"),
        (False, {"email": "new@example.com"}, "after"),
        (False, {}, "after"),
        (False, {}, "before"),
    ],
)
def test_f43_row_whose_making_was_not_answered_is_found_and_made_once(
    two_way: World, package: bool, values: dict[str, str], when: str
) -> None:
    world = two_way
    world.emulator.change_org(world.org.org_id, package_fields=package)
    world.sync()
    person = world.add_person(**values, first_name="Nia", last_name="Newman", company_name="Acme")
    world.emulator.drop(f"{COLLECTIONS}(/Lead/Syncline_Id__c)?$", after_commit=when == "after")
    world.push()
    assert len(world.waiting()) == 1
    world.push()
    rows = world.emulator.query(world.org.org_id, "SELECT Id FROM Lead WHERE LastName = 'Newman'")
    assert len(rows) == 1
    assert world.link(rows[0]["Id"]).person_id == person.pk
    world.poll()
    assert [found.pk for found in world.people()] == [person.pk]
    assert is_settled(world)


def test_f43_namesakes_whose_making_was_not_answered_are_told_apart_or_asked_about(two_way: World) -> None:
    world = two_way
    world.emulator.change_org(world.org.org_id, package_fields=False)
    world.sync()
    titles = ["Clerk", "Queen", "Twin", "Twin"]
    for title in titles:
        world.add_person(last_name="Newman", company_name="Acme", title=title)
    world.emulator.drop(f"{COLLECTIONS}$", after_commit=True)
    world.push()
    world.push()
    rows = world.emulator.query(world.org.org_id, "SELECT Id, Title FROM Lead")
    assert len(rows) == len(titles)
    linked = {row["Title"] for row in rows for p in world.people() if p.leading_remote_id == row["Id"]}
    assert linked == {"Clerk", "Queen"}
    assert [(e.category, e.state) for e in world.live_errors()] == [("ambiguous_match", "blocked")] * 2


# -- F45, F46 ---------------------------------------------------------------------------------------------------


def test_f45_org_that_rewrites_what_we_write_is_followed_once_and_then_left_alone(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.emulator.add_trigger(world.org.org_id, "Lead", "LastName", "upper")
    world.emulator.add_trigger(world.org.org_id, "Lead", "FirstName", "trim")
    world.emulator.add_trigger(world.org.org_id, "Lead", "Title", "cut", length=4)
    world.emulator.add_trigger(world.org.org_id, "Lead", "Phone", "set", value="+1")
    world.edit(person, last_name="de la Tour", first_name="Ada  Maria", title="Countess", phone="07")
    world.push()
    world.poll()
    row = world.row("Lead", lead, "LastName", "FirstName", "Title", "Phone")
    assert list(row.values())[1:] == ["DE LA TOUR", "Ada Maria", "Coun", "+1"]
    now = world.person(lead)
    assert [now.last_name, now.first_name, now.title, now.phone] == list(row.values())[1:]
    calls, version = writing_calls(world), now.version
    for _ in range(3):
        world.push()
        world.poll()
    assert (writing_calls(world), world.person(lead).version) == (calls, version)
    assert is_settled(world)


def test_f45_number_that_the_org_rounds_is_followed_once(world: World) -> None:
    world.both_ways("Account")
    account = world.emulator.create(world.org.org_id, "Account", Name="Acme", AnnualRevenue=10)
    world.sync()
    world.emulator.add_trigger(world.org.org_id, "Account", "AnnualRevenue", "round", digits=0)
    company_id = world.link(account).company_id
    assert company_id is not None
    with tenant_transaction(world.tenant_id):
        Company.objects.filter(id=company_id).update(annual_revenue="12.75", version=F("version") + 1)
        now = timezone.now()
        queue_change(local_type="company", local_id=company_id, fields=["annual_revenue"], origin="user", at=now)
    world.push()
    world.poll()
    assert world.row("Account", account, "AnnualRevenue")["AnnualRevenue"] == 13
    calls = writing_calls(world)
    for _ in range(3):
        world.push()
        world.poll()
    assert writing_calls(world) == calls
    assert is_settled(world)


def test_f46_automation_that_changes_our_value_back_is_named_after_three_times(two_way: World) -> None:
    world = two_way
    with tenant_transaction(world.tenant_id):
        FieldMapping.objects.filter(step__sobject="Lead", local_field="title").update(way_in="off")
    lead, person = ada(world, Title="Clerk")
    world.emulator.add_trigger(world.org.org_id, "Lead", "Title", "flip", values=["Clerk", "Typist"])
    world.edit(person, title="Countess")
    for _ in range(8):
        world.push()
        world.later(60)
        world.poll()
    written = writing_calls(world)
    assert 2 <= written <= 5
    (error,) = world.live_errors()
    assert error.category == "changed_back"
    assert world.person(lead).title == "Countess"
    for _ in range(3):
        world.push()
        world.poll()
    assert writing_calls(world) == written
    world.edit(world.person(lead), last_name="Lovelace")
    world.push()
    assert world.row("Lead", lead, "LastName")["LastName"] == "Lovelace", "only the one field is left alone"


# -- F47 --------------------------------------------------------------------------------------------------------


def test_f47_row_deleted_at_the_moment_of_writing_is_news_and_no_failure(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.edit(person, last_name="Lovelace")
    act = {"org": world.org.org_id, "verb": "delete", "sobject": "Lead", "id": lead}
    world.emulator.before(COLLECTIONS + "$", act, method="PATCH")
    world.push()
    world.push()
    assert [found.is_active for found in world.people()] == [False]
    assert not world.link(lead).is_live
    assert world.emulator.query(world.org.org_id, "SELECT Id FROM Lead", include_deleted=False) == []
    assert is_settled(world)


def test_f47_lead_converted_at_the_moment_of_writing_is_followed_to_its_contact(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.edit(person, last_name="Lovelace")
    world.emulator.before(COLLECTIONS + "$", {"org": world.org.org_id, "verb": "convert", "id": lead}, method="PATCH")
    world.push()
    world.push()
    world.poll()
    row = world.row("Lead", lead, "LastName", "ConvertedContactId")
    assert row["LastName"] == "Byron"
    assert world.link(row["ConvertedContactId"]).person_id == person.pk
    assert [(found.pk, found.is_active) for found in world.people()] == [(person.pk, True)]
    assert is_settled(world)


# -- F48 --------------------------------------------------------------------------------------------------------


def _typed_in_the_gap(world: World, lead: str, path: str, **values: str) -> None:
    act = {"org": world.org.org_id, "verb": "update", "sobject": "Lead", "id": lead, "values": values}
    world.emulator.before(path, act)


@pytest.mark.parametrize(("winner", "kept"), [("remote", "King"), ("local", "Lovelace")])
def test_f48_one_record_is_judged_again_where_somebody_typed_between_read_and_write(
    two_way: World, winner: str, kept: str
) -> None:
    world = two_way
    world.both_ways("Lead", winner=winner)
    lead, person = ada(world)
    world.edit(person, last_name="Lovelace")
    _typed_in_the_gap(world, lead, "/composite$", LastName="King", Title="Countess")
    world.sync_now(person)
    assert world.row("Lead", lead, "LastName")["LastName"] == world.person(lead).last_name == kept
    assert world.person(lead).title == "Countess"
    values = {text for line in history_of_names(world) for text in (line["before"], line["after"], line.get("lost"))}
    assert {"King", "Lovelace"} <= values
    assert is_settled(world)


def test_f48_by_the_hundred_only_our_own_fields_are_written_over_in_the_gap(two_way: World) -> None:
    world = two_way
    lead, person = ada(world)
    world.edit(person, last_name="Lovelace")
    gap = f"{COLLECTIONS}$"
    _typed_in_the_gap(world, lead, gap, LastName="King", Title="Countess")
    run = world.push()
    assert isinstance(run, SyncRun)
    world.poll()
    row = world.row("Lead", lead, "LastName", "Title")
    assert (row["LastName"], row["Title"]) == ("Lovelace", "Countess")
    assert (world.person(lead).last_name, world.person(lead).title) == ("Lovelace", "Countess")
    assert history_of_names(world) == [{"before": "Byron", "after": "Lovelace", "rule": "local_moved"}]
    assert is_settled(world)


# -- F49 --------------------------------------------------------------------------------------------------------


def test_f49_blank_clears_where_it_may_and_a_text_of_theirs_that_looks_like_it_clears_nothing(two_way: World) -> None:
    world = two_way
    world.settings(blank_out=True)
    lead, person = ada(world, Phone="1", Title="Clerk")
    world.edit(person, title="")
    world.push()
    assert world.row("Lead", lead, "Title", "Phone") == {"Id": lead, "Title": None, "Phone": "1"}
    for text in ("#N/A", "N/A", "null"):
        world.edit(person, title=text)
        world.push()
        assert world.row("Lead", lead, "Title")["Title"] == text
        world.poll()
        assert world.person(lead).title == text
    assert is_settled(world)


def test_f49_blank_is_held_back_where_it_may_not_go(two_way: World) -> None:
    world = two_way
    lead, person = ada(world, Title="Clerk")
    world.edit(person, title="")
    world.push()
    world.poll()
    assert world.row("Lead", lead, "Title")["Title"] == "Clerk"
    assert is_settled(world)


def test_f49_text_that_looks_like_a_blank_comes_in_by_bulk_as_text(world: World) -> None:
    texts = ["#N/A", "N/A", "#n/a", "null", '"', "a,b", "line\nbreak"]
    leads = {world.lead(Email=f"ada{number}@example.com", Title=text): text for number, text in enumerate(texts)}
    world.sync()
    assert {person.leading_remote_id: person.title for person in world.people()} == leads
