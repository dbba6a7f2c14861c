"""Linking by hand: what a person says goes before every rule, once, and taking apart lasts."""

import pytest

from apps.audience.models import Company, Person
from apps.outbox.models import OutboundChange
from apps.sync.linking import CannotLink, link_by_hand, make_record_of, send_as_new, unlink
from apps.sync.models import EntryAction, RecordLink, RunState
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]
pytestmark = pytest.mark.django_db(transaction=True)


def link(world: World, record: Person | Company, remote_id: str) -> None:
    with tenant_transaction(world.tenant_id):
        run = link_by_hand(connection=world.connection, record=record, remote_id=remote_id, user=world.user)
    assert world.finish(run).state == RunState.COMPLETED


def take_apart(world: World, record: Person | Company, remote_id: str) -> None:
    with tenant_transaction(world.tenant_id):
        unlink(connection=world.connection, record=record, remote_id=remote_id, user=world.user)


def account(world: World, **values: object) -> str:
    return world.emulator.create(world.org.org_id, "Account", **values)


def company(world: World, name: str) -> Company:
    with tenant_transaction(world.tenant_id):
        found: Company = Company.objects.get(name=name)
        return found


def test_a_row_that_nothing_matches_becomes_the_record_that_was_named(near_world: World) -> None:
    world = near_world
    world.both_ways("Lead", create=False)
    world.sync()
    person = world.add_person(last_name="Byron", email="ada@here.example", title="Countess")
    lead = world.lead(LastName="Lovelace", Email="ada@there.example")
    link(world, person, lead[:15])
    with tenant_transaction(world.tenant_id):
        person = Person.objects.get()
    assert (person.leading_sobject, person.leading_remote_id) == ("Lead", lead)
    assert world.link(lead).is_leading
    assert world.row("Lead", lead, "Title")["Title"] == "Countess"


def test_a_second_row_of_somebody_leads_where_it_ranks_higher(near_world: World) -> None:
    world = near_world
    lead = world.lead(Email="ada@x.example")
    world.sync()
    person = world.person(lead)
    contact = world.contact(Email="other@x.example")
    link(world, person, contact)
    assert world.person(contact).pk == person.pk
    assert not world.link(lead).is_leading


def test_what_was_taken_apart_stays_apart_until_it_is_linked_again(near_world: World) -> None:
    world = near_world
    world.both_ways("Lead")
    lead = world.lead(LastName="Lovelace", Email="ada@x.example")
    world.sync()
    person = world.person(lead)
    take_apart(world, person, lead)
    world.change("Lead", lead, Title="Countess")
    world.edit(person, title="Baroness")
    world.poll()
    world.push()
    world.sync()
    world.sweep()
    with tenant_transaction(world.tenant_id):
        kept = Person.objects.get()
        assert (kept.title, kept.is_linked, kept.is_active) == ("Baroness", False, True)
    assert world.row("Lead", lead, "Title")["Title"] == "Countess"
    assert len(world.emulator.query(world.org.org_id, "SELECT Id FROM Lead")) == 1
    link(world, kept, lead)
    assert world.person(lead).pk == person.pk


def test_the_other_link_leads_when_one_is_taken_away(near_world: World) -> None:
    world = near_world
    lead, contact = world.lead(Email="ada@x.example"), world.contact(Email="ada@x.example")
    world.sync()
    person = world.person(contact)
    take_apart(world, person, contact)
    assert world.person(lead).pk == person.pk
    assert world.link(lead).is_leading


def test_ambiguous_companies_are_settled_by_the_one_that_was_chosen(near_world: World) -> None:
    world = near_world
    with tenant_transaction(world.tenant_id):
        for name in ("Acme East", "Acme West"):
            Company.objects.create(name=name, website="https://acme.example", domain="acme.example")
    row = account(world, Name="Acme", Website="https://www.acme.example")
    world.sync()
    (error,) = world.live_errors()
    assert [one["label"] for one in error.details["candidates"]] == ["Acme East", "Acme West"]
    assert error.details["row"]["name"] == "Acme"
    chosen = company(world, "Acme West")
    link(world, chosen, row)
    assert world.live_errors() == []
    with tenant_transaction(world.tenant_id):
        assert RecordLink.objects.get(remote_id=row).company_id == chosen.pk


def test_ambiguous_companies_are_settled_by_one_of_its_own(near_world: World) -> None:
    world = near_world
    with tenant_transaction(world.tenant_id):
        for name in ("Acme East", "Acme West"):
            Company.objects.create(name=name, website="https://acme.example", domain="acme.example")
    row = account(world, Name="Acme", Website="https://www.acme.example")
    world.sync()
    with tenant_transaction(world.tenant_id):
        run = make_record_of(connection=world.connection, local_type="company", remote_id=row, user=world.user)
    run = world.finish(run)
    assert [entry.remote_id for entry in world.entries(run, EntryAction.CREATED)] == [row]
    assert world.live_errors() == []
    with tenant_transaction(world.tenant_id):
        assert Company.objects.count() == 3


def test_a_record_is_sent_as_a_new_one_whatever_looks_alike_there(near_world: World) -> None:
    world = near_world
    world.both_ways("Account")
    world.sync()
    for _ in range(2):
        account(world, Name="Acme", Website="acme.example")
    with tenant_transaction(world.tenant_id):
        made = Company.objects.create(name="Our Acme", website="acme.example", domain="acme.example")
        run = send_as_new(connection=world.connection, record=made, user=world.user)
    world.finish(run)
    rows = world.emulator.query(world.org.org_id, "SELECT Id, Name FROM Account")
    assert sorted(row["Name"] for row in rows) == ["Acme", "Acme", "Our Acme"]
    with tenant_transaction(world.tenant_id):
        assert not OutboundChange.objects.exists()


def test_what_cannot_be_is_refused_in_words(near_world: World) -> None:
    world = near_world
    first, second = world.lead(Email="a@x.example"), world.lead(Email="b@x.example")
    world.sync()
    person = world.person(first)
    for remote_id, words in [
        (second, "linked with another record"),
        (first, "linked already"),
        ("001000000000001AAA", "id of something else"),
        ("nonsense", "no Salesforce id"),
        ("", "no Salesforce id"),
    ]:
        with tenant_transaction(world.tenant_id), pytest.raises(CannotLink, match=words):
            link_by_hand(connection=world.connection, record=person, remote_id=remote_id, user=world.user)
    with tenant_transaction(world.tenant_id), pytest.raises(CannotLink, match="not linked any more"):
        unlink(connection=world.connection, record=person, remote_id=second, user=world.user)


def test_a_row_that_is_not_to_be_seen_links_nothing(near_world: World) -> None:
    world = near_world
    world.sync()
    person = world.add_person(last_name="Byron")
    link(world, person, "00Q000000000001AAA")
    with tenant_transaction(world.tenant_id):
        assert not Person.objects.get().is_linked
        assert not RecordLink.objects.exists()
