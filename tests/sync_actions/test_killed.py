"""A worker that is killed at any point of a command's way: it is carried out once all the same (INV-7)."""

import subprocess
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.integrations.metadata import refresh_metadata
from apps.sync.due import begin_due_push
from apps.sync.models import RunLane, SyncRun
from apps.sync_actions.models import CrmAction
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.faults.processes import start
from tests.sync.world import World
from tests.sync_actions.automat import Automat, action

POINTS = ("commands_taken", "commands_looked", "commands_intended", "commands_written", "commands_settled")


@pytest.fixture
def crasher(emulator: EmulatorControl, transactional_db: None) -> Iterator["subprocess.Popen[str]"]:
    process = start("tests.faults.crashing", emulator=emulator)
    yield process
    process.kill()
    process.communicate()


def tell(process: "subprocess.Popen[str]", order: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(order + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def leases_run_out(world: World) -> None:
    past = timezone.now() - timedelta(seconds=1)
    with tenant_transaction(world.tenant_id):
        RunLane.objects.update(lease_until=past, due_at=past)
        CrmAction.objects.filter(state="in_flight").update(lease_until=past)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_any_point_makes_one_lead_one_case_and_one_task(
    world: World, crasher: "subprocess.Popen[str]"
) -> None:
    automat = Automat(world)
    world.emulator.change_org(world.org.org_id, package_fields=False)
    refresh_metadata(world.tenant_id, world.connection.pk)
    automat.rule(
        action("crm_person", **{"as": "Lead"}),
        action("crm_case", subject="Help"),
        action("crm_task", subject="Call", days="1"),
        trigger="form_submitted",
    )
    automat.happens("ada@example.com", form="Demo")
    automat.act()
    for point in (*POINTS, *POINTS, *POINTS, "-"):
        run_id = begin_due_push(world.tenant_id)
        if run_id is None:
            break
        with tenant_transaction(world.tenant_id):
            run = SyncRun.objects.get(id=run_id)
        fate = tell(crasher, f"{point} {run.tenant_id} {run.pk} push")
        assert fate in {"killed", "ended 0"}
        leases_run_out(world)
    for sobject in ("Lead", "Case", "Task"):
        assert len(automat.rows(sobject, "CreatedDate")) == 1, sobject
    assert [command.state for command in automat.commands()] == ["done"] * 3
