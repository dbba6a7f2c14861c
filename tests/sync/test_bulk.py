"""Doing one thing with many records: chunk by chunk, once each, to be stopped, and safe to run twice."""

from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import Company, ListMembership, Person, RecordChange
from apps.audience.selectors.companies import CompanyFilter
from apps.audience.selectors.people import PeopleFilter
from apps.audience.services.lists import add_to_list, create_list
from apps.outbox.models import OutboundChange
from apps.sync import bulk
from apps.sync.bulk import Criteria, advance_bulk, cancel_bulk, start_bulk, wake_due_bulk
from apps.sync.models import BulkAction, BulkKind, BulkState
from apps.tenants.models import AuditEntry, Tenant, User
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]
pytestmark = pytest.mark.django_db(transaction=True)

ROMANS = {"field": "city", "type": "string", "operator": "equals", "values": ["Rome"]}


def begin(tenant: Tenant, user: User, kind: BulkKind, criteria: Criteria) -> BulkAction:
    with tenant_transaction(tenant.pk):
        return start_bulk(kind=kind, criteria=criteria, user=user)


def end(tenant: Tenant, action: BulkAction) -> BulkAction:
    """Work at the action until it is over."""
    for _ in range(20):
        advance_bulk(tenant.pk, action.pk)
        with tenant_transaction(tenant.pk):
            row: BulkAction = BulkAction.objects.get(id=action.pk)
        if not row.is_open:
            return row
    raise AssertionError("It does not come to its end.")


def people(tenant: Tenant, count: int, **values: Any) -> list[int]:
    with tenant_transaction(tenant.pk):
        return [
            Person.objects.create(last_name=f"P{n}", city="Rome" if n % 2 else "Oslo", **values).pk
            for n in range(count)
        ]


def test_all_that_match_a_saved_filter_are_pushed_once_each(
    tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_ROWS", 3)
    monkeypatch.setattr(bulk, "_LOOKED_AT", 4)
    ids = people(tenant, 11)
    action = begin(tenant, user, BulkKind.PUSH, Criteria("person", wanted=PeopleFilter(), tree=ROMANS))
    people(tenant, 2)
    row = end(tenant, action)
    assert (row.state, row.looked_at, row.done) == (BulkState.DONE, 11, 5)
    with tenant_transaction(tenant.pk):
        queued = {change.local_id: set(change.fields) for change in OutboundChange.objects.all()}
    assert queued == {number: {"last_name", "city"} for number in ids[1::2]}


def test_only_chosen_ones_are_deactivated_with_their_history(tenant: Tenant, user: User) -> None:
    ids = people(tenant, 4)
    with tenant_transaction(tenant.pk):
        Person.objects.filter(id=ids[0]).update(is_active=False)
    row = end(tenant, begin(tenant, user, BulkKind.DEACTIVATE, Criteria("person", ids=ids[:3])))
    assert (row.done, row.unchanged) == (2, 1)
    with tenant_transaction(tenant.pk):
        assert list(Person.objects.order_by("id").values_list("is_active", flat=True)) == [False, False, False, True]
        assert set(RecordChange.objects.values_list("actor_label", flat=True)) == {user.display_name}
        assert AuditEntry.objects.filter(action="bulk_deactivate").count() == 1


def test_the_filters_of_the_list_hold_for_companies_too(tenant: Tenant, user: User) -> None:
    with tenant_transaction(tenant.pk):
        for number in range(3):
            Company.objects.create(name=f"C{number}", source="salesforce" if number else "manual")
    criteria = Criteria("company", wanted=CompanyFilter(source="salesforce"))
    assert end(tenant, begin(tenant, user, BulkKind.DEACTIVATE, criteria)).done == 2
    with tenant_transaction(tenant.pk):
        assert Company.objects.get(is_active=True).name == "C0"


def test_many_join_a_list_and_those_who_are_on_it_stay(tenant: Tenant, user: User) -> None:
    ids = people(tenant, 3)
    with tenant_transaction(tenant.pk):
        fair = create_list(name="Fair", user=user)
        add_to_list(people=ids[:1], to=fair, origin="user")
        criteria = Criteria("person", ids=ids)
        action = start_bulk(kind=BulkKind.ADD_TO_LIST, criteria=criteria, user=user, list_id=fair.pk)
    row = end(tenant, action)
    assert (row.done, row.unchanged) == (2, 1)
    with tenant_transaction(tenant.pk):
        assert set(ListMembership.objects.values_list("person_id", flat=True)) == set(ids)


def test_a_stopped_action_does_nothing_more(tenant: Tenant, user: User) -> None:
    ids = people(tenant, 2)
    action = begin(tenant, user, BulkKind.DEACTIVATE, Criteria("person", ids=ids))
    with tenant_transaction(tenant.pk):
        assert cancel_bulk(action=action, user=user)
        assert not cancel_bulk(action=action, user=user)
    advance_bulk(tenant.pk, action.pk)
    with tenant_transaction(tenant.pk):
        assert Person.objects.filter(is_active=True).count() == 2
        assert BulkAction.objects.get().state == BulkState.CANCELLED


def test_an_action_whose_worker_died_is_found_and_goes_on(tenant: Tenant, user: User) -> None:
    action = begin(tenant, user, BulkKind.PUSH, Criteria("person", ids=people(tenant, 2)))
    with tenant_transaction(tenant.pk):
        BulkAction.objects.update(lease_until=timezone.now() + bulk._LEASE, fence=4)
    assert wake_due_bulk() == 0
    with tenant_transaction(tenant.pk):
        BulkAction.objects.update(lease_until=timezone.now() - bulk._LEASE)
    assert wake_due_bulk() == 1
    assert end(tenant, action).done == 2


def test_nothing_of_another_tenant_is_touched(tenant: Tenant, other_tenant: Tenant, user: User) -> None:
    theirs = people(other_tenant, 1)
    mine = people(tenant, 1)
    end(tenant, begin(tenant, user, BulkKind.DEACTIVATE, Criteria("person", ids=mine + theirs)))
    with tenant_transaction(other_tenant.pk):
        assert Person.objects.get().is_active


def test_sync_now_of_many_brings_in_and_sends_out(near_world: World, tenant: Tenant) -> None:
    world = near_world
    world.both_ways("Lead")
    first, second = world.lead(LastName="First", Email="first@x.example"), world.lead(LastName="Second")
    world.sync()
    world.change("Lead", first, Title="Countess")
    world.edit(world.person(second), title="Baron")
    fresh = world.add_person(last_name="Fresh", company_name="Acme", email="fresh@x.example")
    with tenant_transaction(tenant.pk):
        OutboundChange.objects.all().delete()
        ids = list(Person.objects.values_list("id", flat=True))
    end(tenant, begin(tenant, world.user, BulkKind.SYNC, Criteria("person", ids=ids)))
    world.push()
    assert world.person(first).title == "Countess"
    assert world.row("Lead", second, "Title")["Title"] == "Baron"
    with tenant_transaction(tenant.pk):
        assert Person.objects.get(id=fresh.pk).is_linked
