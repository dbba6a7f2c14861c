"""Why did this not sync: the gate that stays closed is named, and those before it are passed."""

from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import Person
from apps.domain.values import Unreadable
from apps.field_mappings.models import SyncStep
from apps.field_mappings.versions import save_version
from apps.integrations.models import Connection, ConnectionState, Health
from apps.outbox.models import OutboundChange
from apps.sync.models import RunKind, RunState, SyncRun
from apps.sync.selectors.gates import Gate, Verdict
from apps.sync.selectors.links import record_behind
from apps.sync.selectors.steps import active_steps, returning_fields
from apps.sync.selectors.why import why, why_not_now, why_remote
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World


def gates_of(world: World, person: Person) -> dict[str, Gate]:
    with tenant_transaction(world.tenant_id):
        found = why(Connection.objects.get(), local_type="person", record_id=person.pk)
    return {gate.key: gate for gate in found}


def closed(gates: dict[str, Gate]) -> list[str]:
    return [key for key, gate in gates.items() if gate.verdict is Verdict.FAILED]


def remote(world: World, remote_id: str) -> dict[str, Gate]:
    with tenant_transaction(world.tenant_id):
        return {gate.key: gate for gate in why_remote(Connection.objects.get(), remote_id=remote_id)}


def set_steps(world: World, sobject: str, **changes: Any) -> None:
    with tenant_transaction(world.tenant_id):
        SyncStep.objects.filter(sobject=sobject).update(**changes)
        save_version(Connection.objects.get())


def rule(field: str, value: str) -> dict[str, Any]:
    return {"field": field, "type": "string", "operator": "equals", "values": [value]}


def test_a_record_in_line_passes_every_gate_in_the_order_of_the_engine(world: World) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    gates = gates_of(world, world.person(lead))
    assert closed(gates) == []
    assert list(gates) == [
        "connection", "syncs", "health", "budget", "first_sync", "run", "object", "step", "filter_in", "filter_out",
        "active", "link", "ways", "blanks", "error", "queue", "stamps",
    ]  # fmt: skip
    assert [d.text for d in gates["link"].details] == ["leading"]
    assert "in: always; out: never" in {d.text for d in gates["ways"].details}


def test_without_a_connection_it_says_so_and_nothing_else(world: World) -> None:
    with tenant_transaction(world.tenant_id):
        assert [(g.key, g.verdict) for g in why(None, local_type="person", record_id=1)] == [("connection", "failed")]


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"state": ConnectionState.NEEDS_RECONNECT}, "connection"),
        ({"health": Health.PAUSED, "health_reason": "Your org has used up its calls."}, "health"),
    ],
)
def test_what_is_wrong_with_the_connection_is_named(world: World, change: dict[str, Any], gate: str) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    with tenant_transaction(world.tenant_id):
        Connection.objects.update(**change)
    assert closed(gates_of(world, world.person(lead))) == [gate]


def test_switched_off_syncs_and_a_failed_run_are_named_with_their_pages(world: World) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    world.settings(syncs_enabled=False)
    with tenant_transaction(world.tenant_id):
        run = SyncRun.objects.create(
            connection_id=world.connection.pk, kind=RunKind.DIFFERENTIAL, state=RunState.FAILED, failure="No answer."
        )
    gates = gates_of(world, world.person(lead))
    assert closed(gates) == ["syncs", "run"]
    door = gates["run"].door
    assert (gates["run"].finding, door and door.run_id) == ("No answer.", run.pk)


def test_before_the_first_sync_that_is_what_is_missing(world: World) -> None:
    with tenant_transaction(world.tenant_id):
        person = Person.objects.create(last_name="Byron")
    assert {"first_sync", "object", "link"} <= set(closed(gates_of(world, person)))


def test_the_rule_of_a_filter_that_refuses_is_named(world: World) -> None:
    world.both_ways("Lead")
    lead = world.lead(Email="ada@example.com", LastName="Byron", Title="Countess")
    world.sync()
    set_steps(world, "Lead", inbound_filter=rule("Title", "Engineer"))
    gates = gates_of(world, world.person(lead))
    assert {"step", "filter_in"} <= set(closed(gates))
    assert [d.text for d in gates["filter_in"].details] == ["Title is Engineer is asked for; it is Countess"]
    set_steps(world, "Lead", inbound_filter=None, outbound_filter=rule("title", "Engineer"))
    gates = gates_of(world, world.person(lead))
    assert closed(gates) == ["filter_out"]
    assert [d.text for d in gates["filter_out"].details] == ["title is Engineer is asked for; it is Countess"]


def test_a_filter_over_what_is_not_kept_is_not_judged(world: World) -> None:
    lead = world.lead(LastName="Byron", Rating="Hot")
    world.sync()
    set_steps(world, "Lead", inbound_filter=rule("Rating", "Hot"))
    with tenant_transaction(world.tenant_id):
        found = why(Connection.objects.get(), local_type="person", record_id=world.person(lead).pk)
    assert "filter_in" in {gate.key for gate in found}


def test_a_record_that_no_step_makes_is_not_synced_and_the_button_says_why(world: World) -> None:
    world.sync()
    with tenant_transaction(world.tenant_id):
        person = Person.objects.create(last_name="Byron", title="Miss")
    gates = gates_of(world, person)
    assert gates["step"].finding == "No step creates records there."

    def button() -> str:
        with tenant_transaction(world.tenant_id):
            return why_not_now(Connection.objects.get(), local_type="person", record=Person.objects.get())

    assert button() == "It is not in Salesforce, and no step creates records there."
    world.both_ways("Lead")
    set_steps(world, "Lead", outbound_filter=rule("title", "Countess"))
    assert "title is Countess is asked for; it is Miss" in button()
    set_steps(world, "Lead", outbound_filter=None)
    assert button() == ""
    assert "step" not in closed(gates_of(world, person))
    with tenant_transaction(world.tenant_id):
        Person.objects.update(is_active=False)
    assert "inactive" in button()


def test_a_deleted_row_an_open_error_and_a_waiting_change_are_named(world: World) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    person = world.person(lead)
    world.edit(person, title="Countess")
    with tenant_transaction(world.tenant_id):
        OutboundChange.objects.update(state="held", reason="The title is too long.")
        fact = ErrorFact(category="too_long", message="The title is too long.", remote_id=lead, field="Title")
        record_errors([fact], connection_id=world.connection.pk, run_id=1, at=timezone.now())
    gates = gates_of(world, person)
    assert {"error", "queue"} <= set(closed(gates))
    assert gates["queue"].finding.startswith("Title: held since ")
    assert "Salesforce's value returns" in {d.text.rsplit(": ", 1)[-1] for d in gates["ways"].details}
    world.emulator.delete(world.org.org_id, "Lead", lead)
    world.poll()
    gates = gates_of(world, person)
    assert {"active", "link"} <= set(closed(gates))
    assert gates["step"].verdict is Verdict.NOT_APPLICABLE


def test_a_blank_that_is_held_back_is_named(world: World) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron", Title="Miss")
    world.settings(blank_in=False)
    world.sync()
    world.change("Lead", lead, Title=None)
    world.poll()
    gates = gates_of(world, world.person(lead))
    assert closed(gates) == ["blanks"]
    assert [d.label for d in gates["blanks"].details] == ["Title"]


def test_a_row_is_found_by_its_id_whether_linked_or_not(world: World) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    newer = world.lead(LastName="Later")
    with tenant_transaction(world.tenant_id):
        connection = Connection.objects.get()
        assert record_behind(connection, lead[:15]) == ("person", world.person(lead).pk)
    assert "ways" in remote(world, lead)
    gates = remote(world, newer)
    assert closed(gates) == ["link"]
    assert gates["object"].finding == "It is a row of Lead."
    assert "Changes of Lead up to" in gates["stamps"].finding
    assert closed(remote(world, "zzz000000000001AAA")) == ["object", "link"]
    with pytest.raises(Unreadable):
        remote(world, "what")


def test_an_unlinked_rows_closed_steps_and_errors_are_named(world: World) -> None:
    world.sync()
    newer = world.lead(LastName="Later")
    set_steps(world, "Lead", create_local=False)
    with tenant_transaction(world.tenant_id):
        fact = ErrorFact(category="too_long", message="Too long.", remote_id=newer)
        record_errors([fact], connection_id=world.connection.pk, run_id=1, at=timezone.now())
    assert closed(remote(world, newer)) == ["step", "link", "error"]
    set_steps(world, "Lead", is_enabled=False)
    assert "object" in closed(remote(world, newer))


def test_fields_that_salesforce_rules_are_told_apart(world: World) -> None:
    world.sync()
    with tenant_transaction(world.tenant_id):
        steps = active_steps(world.connection, "person")
    assert {"email", "title"} <= returning_fields(steps)
    world.both_ways("Lead")
    set_steps(world, "Lead")
    with tenant_transaction(world.tenant_id):
        steps = active_steps(world.connection, "person")
    assert "title" in returning_fields(steps, "Contact")
    assert "title" not in returning_fields(steps, "Lead")
    assert "title" not in returning_fields(steps)
