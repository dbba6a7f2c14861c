"""Owners (C16): who a member is there, and who owns what its owner here cannot own."""

from typing import Any

import pytest

from apps.audience.models import Owner, Person
from apps.integrations.models import Connection, ReferenceItem
from apps.sync.owners import CannotOwn, save_owners, sync_owners
from apps.tenants.models import AuditEntry, Membership
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


@pytest.fixture
def owned(near_world: World) -> World:
    """Leads and contacts go both ways, and the org has two more users and a queue."""
    world = near_world
    world.both_ways("Lead", "Contact")
    org = world.org.org_id
    for name in ("grace", "alan"):
        world.emulator.add_user(org, f"{name}@northwind.example", email=f"{name}@northwind.example")
    world.emulator.create(org, "Group", Name="Overflow", Type="Queue")
    world.sync()
    return world


def _id(world: World, part: str) -> str:
    with tenant_transaction(world.tenant_id):
        return str(Owner.objects.get(name__icontains=part).remote_id)


def _save(world: World, **facts: Any) -> bool:
    with tenant_transaction(world.tenant_id):
        connection = Connection.objects.get(id=world.connection.pk)
        return save_owners(
            connection=connection,
            user=world.user,
            **{"picks": {}, "fallback": "", "lead_assignment": ""} | facts,
        )


def _retire(world: World, user_id: str) -> None:
    world.change("User", user_id, IsActive=False)
    with tenant_transaction(world.tenant_id):
        ReferenceItem.objects.filter(key=user_id).update(is_active=False)
        sync_owners(Connection.objects.get(id=world.connection.pk))


def _own(world: World, person: Person, remote_id: str) -> None:
    with tenant_transaction(world.tenant_id):
        owner = Owner.objects.get(remote_id=remote_id)
    world.edit(person, owner=owner)


def test_a_member_is_found_by_e_mail_unless_somebody_picks_another_or_none(owned: World) -> None:
    grace, alan = _id(owned, "grace"), _id(owned, "alan")
    with tenant_transaction(owned.tenant_id):
        member = Membership.objects.create(user=owned.user, role="owner").pk
        Owner.objects.filter(remote_id=grace).update(email=owned.user.email)
        ReferenceItem.objects.filter(key=grace).update(data={"email": owned.user.email})
        sync_owners(Connection.objects.get(id=owned.connection.pk))

    def whose() -> dict[str, int | None]:
        with tenant_transaction(owned.tenant_id):
            rows = Owner.objects.filter(remote_id__in=[grace, alan])
            return dict(rows.values_list("remote_id", "member_id"))

    assert whose() == {grace: member, alan: None}
    assert _save(owned, picks={member: alan})
    assert whose() == {grace: None, alan: member}
    assert _save(owned, picks={member: ""})
    assert whose() == {grace: None, alan: None}
    assert _save(owned, picks={member: None})
    assert whose() == {grace: member, alan: None}
    assert not _save(owned, picks={member: None})
    with tenant_transaction(owned.tenant_id):
        assert AuditEntry.objects.filter(action="owners_changed").count() == 3


def test_what_is_no_user_or_is_picked_twice_is_refused(owned: World) -> None:
    grace = _id(owned, "grace")
    with pytest.raises(CannotOwn) as refused:
        _save(owned, picks={1: grace, 2: grace, 3: "005000000000000AAA"}, fallback="x", lead_assignment=grace)
    assert refused.value.errors.keys() == {"pick-2", "pick-3", "fallback", "lead_assignment"}


def test_the_owner_follows_both_ways(owned: World) -> None:
    grace, alan = _id(owned, "grace"), _id(owned, "alan")
    lead = owned.lead(LastName="Byron", OwnerId=grace)
    owned.poll()
    with tenant_transaction(owned.tenant_id):
        assert Person.objects.select_related("owner").get().owner.remote_id == grace
    _own(owned, owned.person(lead), alan)
    owned.push()
    assert owned.row("Lead", lead, "OwnerId")["OwnerId"] == alan


@pytest.mark.parametrize("has_fallback", [False, True])
def test_an_inactive_owner_makes_room_for_the_fallback_where_there_is_one(owned: World, has_fallback: bool) -> None:
    grace, alan = _id(owned, "grace"), _id(owned, "alan")
    _save(owned, fallback=alan if has_fallback else "")
    contact = owned.contact(LastName="Byron")
    owned.poll()
    before = owned.row("Contact", contact, "OwnerId")["OwnerId"]
    _retire(owned, grace)
    _own(owned, owned.person(contact), grace)
    owned.push()
    assert owned.row("Contact", contact, "OwnerId")["OwnerId"] == (alan if has_fallback else before)
    assert [error.category for error in owned.live_errors()] == ([] if has_fallback else ["owner_inactive"])
    if has_fallback:
        owned.poll()
        writes = owned.writes()
        owned.edit(owned.person(contact), phone="1")
        owned.push()
        assert owned.row("Contact", contact, "OwnerId", "Phone") == {"Id": contact, "OwnerId": alan, "Phone": "1"}
        assert owned.writes() == writes + 1 + 1  # the reading and the writing of the phone


def test_a_queue_owns_a_lead_and_for_a_contact_the_fallback_stands_in(owned: World) -> None:
    queue, alan = _id(owned, "Overflow"), _id(owned, "alan")
    _save(owned, fallback=alan)
    lead, contact = owned.lead(LastName="Byron"), owned.contact(LastName="King")
    owned.poll()
    for row in (lead, contact):
        _own(owned, owned.person(row), queue)
    owned.push()
    assert owned.row("Lead", lead, "OwnerId")["OwnerId"] == queue
    assert owned.row("Contact", contact, "OwnerId")["OwnerId"] == alan
    assert owned.live_errors() == []


@pytest.mark.parametrize("chosen", ["nothing", "fallback", "queue", "rule"])
def test_a_new_lead_without_an_owner_goes_where_the_setting_says(owned: World, chosen: str) -> None:
    queue, alan = _id(owned, "Overflow"), _id(owned, "alan")
    with tenant_transaction(owned.tenant_id):
        rule = ReferenceItem.objects.get(kind="assignment_rule").key
    assignment = {"queue": queue, "rule": rule}.get(chosen, "")
    _save(owned, fallback="" if chosen == "nothing" else alan, lead_assignment=assignment)
    owned.emulator.change_org(owned.org.org_id, assignment_owner=_id(owned, "grace"))
    person = owned.add_person(last_name="Byron", email="ada@example.com")
    owned.push()
    with tenant_transaction(owned.tenant_id):
        row = Person.objects.get(id=person.pk)
    owner = owned.row("Lead", row.leading_remote_id, "OwnerId")["OwnerId"]
    expected = {"fallback": alan, "queue": queue, "rule": _id(owned, "grace")}
    assert owner == expected.get(chosen, owner)
    assert owner not in {alan, queue, expected["rule"]} - {expected.get(chosen)}
    owned.poll()
    with tenant_transaction(owned.tenant_id):
        assert Person.objects.select_related("owner").get(id=person.pk).owner.remote_id == owner
