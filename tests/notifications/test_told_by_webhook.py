"""What webhooks hear of the engine and of members: records, runs, errors, health (I04, K08)."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.audience.models import Person
from apps.audience.services.people import create_person, deactivate_person, update_person
from apps.domain.failures import AuthorizationLost, Category, Transient
from apps.domain.webhooks import RECORD_EVENTS, WebhookEvent
from apps.integrations.health import Proof, delayed, healthy, note_failure
from apps.notifications.models import Delivery
from apps.sync.announcing import announce_records
from apps.sync.contexts import context_of
from apps.tenants.scope import tenant_transaction
from tests.notifications.conftest import Make
from tests.sync.conftest import connection, emulator, emulator_process, org, user, world
from tests.sync.world import World

__all__ = ["connection", "emulator", "emulator_process", "org", "user", "world"]


def told(world: World, *events: WebhookEvent) -> list[tuple[str, dict[str, Any]]]:
    with tenant_transaction(world.tenant_id):
        rows = Delivery.objects.filter(event__in=[event.value for event in events or WebhookEvent]).order_by("id")
        return [(row.event, row.payload) for row in rows]


def test_member_who_works_is_heard_of(world: World, endpoint: Make) -> None:
    endpoint(*RECORD_EVENTS)
    with tenant_transaction(world.tenant_id):
        person = create_person(values={"email": "ada@example.com", "title": "Ms"}, user=None)
        person = update_person(person=person, values={"title": "Countess"}, seen_version=1, user=None)
        update_person(person=person, values={"title": "Countess"}, seen_version=2, user=None)
        deactivate_person(person=person, user=None)
    heard = told(world)
    assert [event for event, _ in heard] == ["record.created", "record.updated", "record.deactivated"]
    assert [data["changes"] for _, data in heard] == [
        {"email": "ada@example.com", "title": "Ms"}, {"title": "Countess"}, {"is_active": "false"},
    ]  # fmt: skip
    assert {(data["type"], data["id"], data["origin"]) for _, data in heard} == {("person", person.pk, "user")}


def test_full_sync_is_one_word_where_nobody_asked_for_each_record(world: World, endpoint: Make) -> None:
    endpoint(*RECORD_EVENTS, WebhookEvent.RUN_FINISHED)
    for name in ("a", "b", "c"):
        world.lead(Email=f"{name}@example.com")
    run = world.sync()
    ((event, data),) = told(world)
    assert (event, data["run"], data["kind"], data["state"]) == ("run.finished", run.pk, "full", "completed")
    assert data["counts"]["created"] == 3


def test_each_record_of_a_full_sync_where_somebody_asked_for_it(world: World, endpoint: Make) -> None:
    endpoint(*RECORD_EVENTS, with_bulk=True)
    ids = {world.lead(Email=f"{name}@example.com") for name in ("a", "b", "c")}
    world.sync()
    heard = told(world, WebhookEvent.RECORD_CREATED)
    assert {data["salesforce"]["id"] for _, data in heard} == ids
    with tenant_transaction(world.tenant_id):
        assert {data["id"] for _, data in heard} == set(Person.objects.values_list("id", flat=True))
        assert set(Delivery.objects.values_list("record_id", flat=True)) == {data["id"] for _, data in heard}
    world.sync()
    assert len(told(world)) == 3, "nothing new"


def test_change_in_salesforce_is_heard_of_with_its_values(world: World, endpoint: Make) -> None:
    lead = world.lead(Email="a@example.com")
    world.sync()
    endpoint(*RECORD_EVENTS)
    world.change("Lead", lead, Title="Countess")
    world.lead(Email="new@example.com")
    world.poll()
    world.emulator.delete(world.org.org_id, "Lead", lead)
    world.poll()
    heard = told(world)
    assert [event for event, _ in heard] == ["record.updated", "record.created", "record.deactivated"]
    assert heard[0][1]["changes"] == {"title": "Countess"}
    assert heard[0][1]["salesforce"] == {"object": "Lead", "id": lead}
    assert heard[1][1]["email"] == "new@example.com"


def test_new_errors_of_a_run_are_one_event(world: World, endpoint: Make) -> None:
    endpoint(WebhookEvent.ERROR_OPENED)
    lead = world.lead(Email="a@example.com")
    world.sync()
    assert told(world) == []
    with tenant_transaction(world.tenant_id):
        person = Person.objects.get()
    world.both_ways("Lead")
    world.edit(person, title="x" * 300)
    world.push()
    ((_, data),) = told(world)
    assert (data["count"], data["errors"][0]["salesforce_id"]) == (1, lead)
    assert data["errors"][0]["type"] == "person"
    world.push()
    assert len(told(world)) == 1


def test_idle_batch_asks_nothing_more_than_who_listens(
    world: World, django_assert_num_queries: Callable[[int], Any]
) -> None:
    world.lead(Email="a@example.com")
    run = world.sync()
    with tenant_transaction(world.tenant_id):
        context = context_of(run, "Lead")
        with django_assert_num_queries(0):
            announce_records(context, [], [])


LIMIT = Transient(Category.REQUEST_LIMIT, "No more calls today.")
LOST = AuthorizationLost(Category.INVALID_GRANT, "The grant is gone.")


@pytest.mark.parametrize("times", [1, 3])
def test_health_is_told_when_it_changes_only(world: World, endpoint: Make, times: int) -> None:
    endpoint(WebhookEvent.HEALTH_CHANGED)
    number = world.connection.pk
    with tenant_transaction(world.tenant_id):
        for _ in range(times):
            delayed(connection_id=number, reason="Slow")
        healthy(connection_id=number)
        for _ in range(times):
            note_failure(connection_id=number, failure=LIMIT)
        for _ in range(times):
            note_failure(connection_id=number, failure=LOST)
        healthy(connection_id=number, proof=Proof.PERSON)
    heard = [(data["before"], data["health"]) for _, data in told(world)]
    assert heard == [("healthy", "paused"), ("paused", "needs_you"), ("needs_you", "healthy")]
    assert told(world)[-1][1]["title"] == "Salesforce is healthy again: Northwind Org"
