"""The walk of an erasure: killed it goes on, one worker has it at a time, and it leaves nothing of the person (I06)."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection as database
from django.utils import timezone

from apps.audience.models import Erasure, ErasureState, Person
from apps.outbox.models import OutboundChange
from apps.sync import erasing_walk
from apps.sync.erasing import LOGS
from apps.sync.erasing_walk import SEALED_FOR_GOOD, advance_erasure, wake_due_erasures
from apps.sync.models import ErasureJob, RecordLink, RunEntry, SyncRun
from apps.sync_errors.models import SyncError
from apps.tenants.models import AuditEntry
from apps.tenants.scope import tenant_transaction
from tests.privacy.test_erasing import ADA, busy, erase_at_once, mentions, walk
from tests.sync.conftest import connection, emulator, emulator_process, org, user, world
from tests.sync.world import World

__all__ = ["busy", "connection", "emulator", "emulator_process", "org", "user", "world"]
pytestmark = pytest.mark.django_db(transaction=True)


def job_of(world: World) -> ErasureJob | None:
    with tenant_transaction(world.tenant_id):
        found: ErasureJob | None = ErasureJob.objects.first()
        return found


def killed(world: World, job: ErasureJob, crash_at: str) -> int:
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database.settings_dict)
    environment = os.environ | {
        "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "1", "SYNCLINE_CRASH_AT": crash_at,
        "SYNCLINE_ENCRYPTION_KEYS": ",".join(settings.SYNCLINE_ENCRYPTION_KEYS),
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.privacy.driver", str(world.tenant_id), str(job.pk)]
    return subprocess.run(command, env=environment, timeout=120, check=False).returncode


def test_what_must_hold_at_once_holds_before_any_worker_came(busy: tuple[World, list[str]]) -> None:
    world, names = busy
    erasure = erase_at_once(world)
    with tenant_transaction(world.tenant_id):
        assert not Person.objects.filter(email=ADA).exists()
        assert not RecordLink.objects.filter(remote_id__in=names).exists()
        assert not OutboundChange.objects.filter(local_id=erasure.person_id).exists()
        assert not SyncError.objects.filter(remote_id__in=names).exists()
        assert Erasure.objects.get().state == ErasureState.ERASING
    left = mentions(world, *names)
    assert {place.partition(":")[0] for place in left} <= {*LOGS, "stored file"}
    assert left, "there is something to walk for"
    world.change("Lead", names[1], Title="Countess")
    world.poll()
    assert not [row for row in mentions(world, *names) if row not in left]


def test_walk_that_is_killed_over_and_over_comes_to_its_end(busy: tuple[World, list[str]]) -> None:
    world, names = busy
    erase_at_once(world)
    seen = []
    for crash_at in ("erasing_claimed", "erasing", "erasing_step", "erasing_step", "erasing", "erasing_step"):
        job = job_of(world)
        assert job is not None
        assert killed(world, job, crash_at) == -9, crash_at
        after = job_of(world)
        assert after is not None
        seen.append((after.at_span, after.cursor or [0]))
    assert seen[-1] > seen[0], "what was done before a kill stays done"
    assert mentions(world, *names), "it is not over yet"
    assert job is not None
    assert killed(world, job, "") == 0
    assert mentions(world, *names) == []
    assert job_of(world) is None
    with tenant_transaction(world.tenant_id):
        erasure = Erasure.objects.get()
        assert (erasure.state, erasure.finished_at is not None) == (ErasureState.ERASED, True)
        told = AuditEntry.objects.filter(subject=f"Person {erasure.person_id}").order_by("id")
        assert list(told.values_list("action", "actor_label"))[-2:] == [
            ("person_erasure_begun", world.user.email),
            ("person_erased", "Syncline"),
        ]
        assert told.values_list("after", flat=True).last() == {"rows": sum(erasure.counts.values())}


def test_entries_of_many_runs_are_looked_at_each_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing_walk, "_ROWS", 7)
    world.lead(Email=ADA, LastName="Lovelace")
    world.sync()
    with tenant_transaction(world.tenant_id):
        run: Any = SyncRun.objects.get()
        common = {"sobject": "Lead", "remote_id": "00Q1", "local_type": "person", "action": "updated"}
        for number in range(40):
            changes = {"title": {"before": ADA.upper() if number % 4 == 0 else "x"}}
            RunEntry.objects.create(run_id=run.pk + number % 3, local_id=10**9 + number, changes=changes, **common)
    erase_at_once(world)
    walk(world)
    assert mentions(world, ADA) == []
    with tenant_transaction(world.tenant_id):
        assert RunEntry.objects.filter(local_id__gte=10**9).count() == 30
        assert Erasure.objects.get().counts["sync_runentry"] == 11  # with the creation of her record


def test_one_worker_has_the_walk_and_one_that_died_is_followed(busy: tuple[World, list[str]]) -> None:
    world, _ = busy
    erase_at_once(world)
    with tenant_transaction(world.tenant_id):
        ErasureJob.objects.update(lease_until=timezone.now() + timedelta(seconds=60), fence=4)
    assert wake_due_erasures() == 0
    job = job_of(world)
    assert job is not None
    advance_erasure(world.tenant_id, job.pk)
    assert job_of(world) is not None
    with tenant_transaction(world.tenant_id):
        ErasureJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert wake_due_erasures() == 1
    advance_erasure(world.tenant_id, job.pk)
    assert job_of(world) is None


def test_what_is_looked_for_is_sealed_and_says_when_it_cannot_be_opened(
    busy: tuple[World, list[str]], settings: Any
) -> None:
    world, names = busy
    erase_at_once(world)
    job = job_of(world)
    assert job is not None
    assert not any(name in str(job.__dict__) for name in names)
    keys = settings.SYNCLINE_ENCRYPTION_KEYS
    settings.SYNCLINE_ENCRYPTION_KEYS = ["lost:" + "B" * 43 + "="]
    advance_erasure(world.tenant_id, job.pk)
    job = job_of(world)
    assert job is not None
    assert (job.problem, job.lease_until, wake_due_erasures()) == (SEALED_FOR_GOOD, None, 0)
    settings.SYNCLINE_ENCRYPTION_KEYS = keys
    with tenant_transaction(world.tenant_id):
        ErasureJob.objects.update(due_at=timezone.now())
    walk(world)
    assert mentions(world, *names) == []


def test_two_people_are_erased_side_by_side(busy: tuple[World, list[str]]) -> None:
    world, names = busy
    erase_at_once(world)
    erase_at_once(world, "other@example.com")
    walk(world)
    assert mentions(world, *names, "other@example.com") == []
    with tenant_transaction(world.tenant_id):
        assert set(Erasure.objects.values_list("state", flat=True)) == {ErasureState.ERASED}
