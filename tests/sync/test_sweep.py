"""The nightly sweep finds what no window shows."""

from apps.field_mappings.models import FieldMapping
from apps.sync.due import begin_due_sweep
from apps.sync.models import RecordLink, SyncRun
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


def test_what_stays_unknown_is_asked_for_once(world: World) -> None:
    """Found by histories, seed 4114009251: a field was hidden, and is in no direction of the mapping any more."""
    lead = world.lead(LastName="Byron")
    world.both_ways("Lead")
    world.sync()
    with tenant_transaction(world.tenant_id):
        FieldMapping.objects.filter(step__sobject="Lead", remote_field="Company").update(way_in="off", way_out="off")
        base = world.link(lead).base_remote
        known = [None if text == "Acme" else text for text in base]
        RecordLink.objects.filter(remote_id=lead).update(base_remote=known)
    assert None in known
    run = world.sweep()
    assert world.counts(run)["Lead"] == (0, 0, 1, 0, 0)
    with tenant_transaction(world.tenant_id):
        assert None in world.link(lead).base_remote
