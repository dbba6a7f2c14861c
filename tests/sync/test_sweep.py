"""The nightly sweep finds what no window shows."""

import pytest
from django.utils import timezone

from apps.field_mappings.models import FieldMapping
from apps.integrations.models import ObjectMetadata
from apps.sync.due import begin_due_sweep
from apps.sync.models import RecordLink, SyncRun
from apps.sync_errors.services import ErrorFact, record_errors, resolve_errors
from apps.tenants.scope import tenant_transaction
from tests.sync.world import World


def test_a_commit_later_than_the_look_back_is_found(world: World) -> None:
    """F22."""
    lead = world.lead(LastName="Byron")
    world.sync()
    world.emulator.shift_clock(world.org.org_id, 7200)
    world.poll()
    stamp = world.emulator.org_time(world.org.org_id)
    world.emulator.shift_clock(world.org.org_id, 7200)
    world.poll()
    world.emulator.act(world.org.org_id, "update", sobject="Lead", id=lead, values={"LastName": "Late"}, stamp=stamp)
    world.poll()
    assert world.person(lead).last_name == "Byron"
    run = world.sweep()
    assert world.person(lead).last_name == "Late"
    assert world.counts(run)["Lead"][1] == 1


def test_a_bin_that_was_emptied_before_we_looked_deactivates_after_a_look_at_each_id(world: World) -> None:
    """F32."""
    kept, gone = world.lead(LastName="Kept"), world.lead(LastName="Gone")
    world.sync()
    world.emulator.delete(world.org.org_id, "Lead", gone)
    world.emulator.purge(world.org.org_id, "Lead", gone)
    world.poll()
    assert all(person.is_active for person in world.people())
    world.sweep()
    assert {person.last_name: person.is_active for person in world.people()} == {"Kept": True, "Gone": False}
    assert world.link(kept).is_live


def test_rows_that_vanish_in_numbers_are_a_question_and_nobody_is_deactivated(world: World) -> None:
    """F31."""
    leads = [world.lead(LastName=f"Name {n}") for n in range(60)]
    world.sync()
    world.emulator.hide_rows(world.org.org_id, *leads[:30])
    run = world.sweep()
    assert all(person.is_active for person in world.people())
    assert [error.category for error in world.live_errors()] == ["rows_out_of_sight"]
    assert "30 fewer" in run.warnings[0]


def test_a_quiet_org_is_compared_without_a_change(world: World) -> None:
    world.emulator.seed(world.org.org_id, seed=3, accounts=5, contacts=10, leads=20, opportunities=5)
    world.sync()
    versions = [(person.pk, person.version) for person in world.people()]
    run = world.sweep()
    assert [(person.pk, person.version) for person in world.people()] == versions
    assert world.counts(run)["Lead"] == (0, 0, 20, 0, 0)


def test_a_full_sync_that_moves_the_watermark_past_a_deletion_compares_at_once(world: World) -> None:
    """Found by histories, seed 2142: a full sync asks for rows that are there, and its watermark passes over others."""
    world.lead(LastName="Kept")
    gone = world.lead(LastName="Gone")
    world.sync()
    assert begin_due_sweep(world.tenant_id, world.connection.pk) is None, "nothing is linked that could be missing"
    world.emulator.delete(world.org.org_id, "Lead", gone)
    world.emulator.shift_clock(world.org.org_id, 7200)
    world.sync()
    world.poll()
    assert all(person.is_active for person in world.people())
    run_id = begin_due_sweep(world.tenant_id, world.connection.pk)
    assert run_id is not None
    with tenant_transaction(world.tenant_id):
        run = SyncRun.objects.get(id=run_id)
    world.finish(run)
    assert {person.last_name: person.is_active for person in world.people()} == {"Kept": True, "Gone": False}


@pytest.mark.parametrize(("way_in", "looks"), [("overwrite", 1), ("off", 0)])
def test_an_unknown_value_is_asked_for_where_it_is_brought_in(world: World, way_in: str, looks: int) -> None:
    """Found by histories, seed 4114009251: a field was hidden, and no direction of the mapping reads it any more."""
    lead = world.lead(LastName="Byron")
    world.both_ways("Lead")
    world.sync()
    with tenant_transaction(world.tenant_id):
        FieldMapping.objects.filter(step__sobject="Lead", remote_field="Company").update(way_in=way_in, way_out="off")
        known = [None if text == "Acme" else text for text in world.link(lead).base_remote or []]
        RecordLink.objects.filter(remote_id=lead).update(base_remote=known)
    assert None in known
    world.emulator.clear_calls()
    world.sweep()
    reads = [call for call in world.emulator.calls() if "queryAll" in call["path"]]
    assert len(reads) == looks
    with tenant_transaction(world.tenant_id):
        assert (None in (world.link(lead).base_remote or [])) is (way_in == "off")


def looks(world: World) -> int:
    """How many times a comparison reads rows by their ids."""
    world.emulator.clear_calls()
    world.sweep()
    return len([call for call in world.emulator.calls() if "queryAll" in call["path"]])


def test_a_reference_is_looked_at_again_only_once_what_it_names_is_here(world: World) -> None:
    """The account of a contact may be out of sight for good: no comparison asks for it night after night."""
    account = world.emulator.create(world.org.org_id, "Account", Name="Out of sight")
    contact = world.contact(AccountId=account)
    world.emulator.hide_rows(world.org.org_id, account)
    world.sync()
    with tenant_transaction(world.tenant_id):
        assert None in (world.link(contact).base_remote or [])
    assert looks(world) == 0
    world.emulator.hide_rows(world.org.org_id, account, visible=True)
    assert looks(world) == 2  # the account itself, then the contact
    assert world.person(contact).company_id is not None
    with tenant_transaction(world.tenant_id):
        assert None not in (world.link(contact).base_remote or [])
    assert looks(world) == 0


def test_a_reference_that_was_hidden_and_is_blank_is_looked_at(world: World) -> None:
    contact = world.contact(AccountId=None)
    world.sync()
    with tenant_transaction(world.tenant_id):
        link = world.link(contact)
        known = [text or None for text in link.base_remote or []]
        RecordLink.objects.filter(remote_id=contact).update(base_remote=known)
    assert None in known
    assert looks(world) == 1
    with tenant_transaction(world.tenant_id):
        assert None not in (world.link(contact).base_remote or [])
    assert looks(world) == 0


def test_a_value_that_cannot_be_read_is_not_read_again_as_long_as_its_error_stands(world: World) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    with tenant_transaction(world.tenant_id):
        known = [None if text == "Acme" else text for text in world.link(lead).base_remote or []]
        RecordLink.objects.filter(remote_id=lead).update(base_remote=known)
        unreadable = ErrorFact("unreadable_value", "The value of Company cannot be read.", "Lead", lead)
        record_errors([unreadable], connection_id=world.connection.pk, run_id=None, at=timezone.now())
    assert looks(world) == 0
    with tenant_transaction(world.tenant_id):
        resolve_errors(connection_id=world.connection.pk, remote_ids=[lead], at=timezone.now())
    assert looks(world) == 1


def test_a_field_that_is_hidden_is_not_asked_for_until_it_is_shown(world: World) -> None:
    lead = world.lead(LastName="Byron")
    world.sync()
    with tenant_transaction(world.tenant_id):
        known = [None if text == "Acme" else text for text in world.link(lead).base_remote or []]
        RecordLink.objects.filter(remote_id=lead).update(base_remote=known)
        row = ObjectMetadata.objects.get(sobject="Lead")
        whole = row.schema
        row.schema = whole | {"fields": {name: one for name, one in whole["fields"].items() if name != "Company"}}
        row.save()
    assert looks(world) == 0
    with tenant_transaction(world.tenant_id):
        ObjectMetadata.objects.filter(sobject="Lead").update(schema=whole)
    assert looks(world) == 1
