"""A row asked for by its id there: brought in by the ordinary road and synced both ways, or the reason why not."""

import pytest

from apps.domain.filters import Operator, Rule, to_dict
from apps.domain.mapping import Direction, Step
from apps.domain.rows import RemoteRow
from apps.domain.values import FieldType
from apps.field_mappings.models import SyncStep
from apps.outbox.models import OutboundChange
from apps.sync.models import RecordLink, RunKind, RunObject, RunState, SyncRun
from apps.sync.pull.one_row import left_out_words
from apps.sync.services import CannotStart, sync_row_now
from apps.sync.verdicts import Tally
from apps.tenants.actors import KeyActor
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World

pytestmark = pytest.mark.django_db


def start(world: World, remote_id: str, sobject: str = "Lead") -> SyncRun:
    with tenant_transaction(world.tenant_id):
        return sync_row_now(
            connection=world.connection, sobject=sobject, remote_id=remote_id, user=KeyActor("Salesforce user Grace")
        )


def ask(world: World, remote_id: str, sobject: str = "Lead") -> tuple[SyncRun, str]:
    """The run at its end, and the reason that it names."""
    run = world.finish(start(world, remote_id, sobject))
    assert run.state == RunState.COMPLETED, run.failure
    with tenant_transaction(world.tenant_id):
        part = RunObject.objects.filter(run=run, sobject=sobject).first()
    return run, part.note if part else ""


@pytest.fixture
def read_once(world: World) -> World:
    """The org's fields are known: a full sync of nothing has run."""
    world.sync()
    return world


def test_a_lead_that_is_not_here_becomes_a_person_at_once(read_once: World) -> None:
    world = read_once
    lead = world.lead(FirstName="Ada", LastName="Lovelace", Email="ada@example.com")
    run, note = ask(world, lead)
    assert (note, run.requested_by_label, run.kind) == ("", "Salesforce user Grace", RunKind.RECORD)
    person = world.person(lead)
    assert (person.first_name, person.email, person.source) == ("Ada", "ada@example.com", "salesforce")
    assert (run.local_type, run.local_id) == ("person", person.pk)
    assert world.counts(run)["Lead"] == (1, 0, 0, 0, 0)


def test_a_row_of_a_known_person_is_synced_as_their_record_both_ways(read_once: World) -> None:
    world = read_once
    world.both_ways("Lead")
    lead = world.lead(FirstName="Ada", Email="ada@example.com")
    ask(world, lead)
    world.edit(world.person(lead), title="Countess")
    world.change("Lead", lead, Phone="123")
    run, _ = ask(world, lead)
    assert run.local_id == world.person(lead).pk
    assert world.person(lead).phone == "123"
    assert world.row("Lead", lead, "Title")["Title"] == "Countess"


def test_a_person_known_by_their_address_is_linked_and_their_news_goes_out(read_once: World) -> None:
    world = read_once
    world.both_ways("Lead")
    known = world.add_person(last_name="Lovelace", email="ada@example.com", phone="555")
    lead = world.lead(LastName="Lovelace", Email="ada@example.com")
    ask(world, lead)
    assert world.person(lead).pk == known.pk
    assert world.row("Lead", lead, "Phone")["Phone"] == "555"
    with tenant_transaction(world.tenant_id):
        assert not OutboundChange.objects.exists()


def test_a_filter_that_leaves_the_row_out_is_named_with_the_value_it_met(read_once: World) -> None:
    world = read_once
    with tenant_transaction(world.tenant_id):
        rule = Rule("Title", FieldType.STRING, Operator.EQUALS, ("CTO",))
        SyncStep.objects.filter(sobject="Lead").update(inbound_filter=to_dict(rule))
    lead = world.lead(Title="Clerk")
    _, note = ask(world, lead)
    assert note == "A filter leaves it out: Title is CTO is asked for; it is Clerk."
    assert world.people() == []


def test_creating_switched_off_is_said(read_once: World) -> None:
    world = read_once
    with tenant_transaction(world.tenant_id):
        SyncStep.objects.filter(sobject="Lead").update(create_local=False)
    _, note = ask(world, world.lead())
    assert "creating records here is off" in note
    assert world.people() == []


def test_a_step_that_only_pushes_brings_nothing_in(read_once: World) -> None:
    world = read_once
    with tenant_transaction(world.tenant_id):
        SyncStep.objects.filter(sobject="Lead").update(direction="push")
    _, note = ask(world, world.lead())
    assert note.startswith("No step brings Lead records in")


def test_a_row_that_nobody_shows_and_one_in_the_bin_are_told_apart(read_once: World) -> None:
    world = read_once
    gone, binned = world.lead(), world.lead()
    world.emulator.purge(world.org.org_id, "Lead", gone)
    world.emulator.delete(world.org.org_id, "Lead", binned)
    assert "does not show" in ask(world, gone)[1]
    assert "has been deleted" in ask(world, binned)[1]
    with tenant_transaction(world.tenant_id):
        assert not RecordLink.objects.exists()


def test_an_object_without_a_step_is_said(read_once: World) -> None:
    world = read_once
    assert ask(world, world.org.org_id, "Case")[1] == "No step syncs Case."


def test_pressed_twice_it_is_one_run(read_once: World) -> None:
    world = read_once
    lead = world.lead()
    assert start(world, lead).pk == start(world, lead).pk


def test_with_syncs_off_nothing_starts(read_once: World) -> None:
    world = read_once
    world.settings(syncs_enabled=False)
    with pytest.raises(CannotStart, match="switched off"):
        start(world, world.lead())


@pytest.mark.parametrize(
    ("reason", "words"),
    [("apart", "It was left out: unlinked by hand."), ("new_reason", "It was left out: new reason.")],
)
def test_any_other_reason_is_told_in_the_words_of_the_log(reason: str, words: str) -> None:
    step = Step("Lead", "person", Direction.PULL, ())
    assert left_out_words([step], RemoteRow("00Q000000000001EAA", {}), Tally(skipped={reason: 1})) == words
