"""What a run's end is told of: the finished full sync, and new errors only, once (B05)."""

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.notifications.models import Notice, NoticeKind
from apps.notifications.sending import send_due
from apps.notifications.services import DIGEST_EVERY
from apps.sync.models import RunState
from apps.tenants.scope import tenant_transaction
from tests.sync.conftest import connection, emulator, emulator_process, org, user, world
from tests.sync.world import World

__all__ = ["connection", "emulator", "emulator_process", "org", "user", "world"]


def notices(world: World, kind: NoticeKind) -> list[Notice]:
    with tenant_transaction(world.tenant_id):
        return list(Notice.objects.filter(kind=kind).order_by("id"))


def test_finished_full_sync_is_one_mail_with_its_counts(world: World) -> None:
    for name in ("a", "b"):
        world.lead(Email=f"{name}@example.com")
    run = world.sync()
    send_due(world.tenant_id)
    (sent,) = mail.outbox
    assert sent.to == ["ada@northwind.example"]
    assert sent.subject == "The full sync of Northwind Org has finished"
    assert "Created: 2\n" in sent.body
    assert f"/integrations/salesforce/log/{run.pk}/" in sent.body


def test_differential_sync_without_trouble_tells_nobody(world: World) -> None:
    world.sync()
    send_due(world.tenant_id)
    mail.outbox.clear()
    world.lead(Email="new@example.com")
    world.poll()
    with time_machine.travel(timezone.now() + DIGEST_EVERY):
        send_due(world.tenant_id)
    assert mail.outbox == []


@pytest.mark.parametrize("again", [1, 3])
def test_error_is_told_when_it_is_new_and_not_each_time_it_is_met(world: World, again: int) -> None:
    world.both_ways("Lead", winner="local")
    lead = world.lead(Email="a@example.com")
    world.sync()
    world.emulator.add_validation_rule(world.org.org_id, "Lead", "Title", "^bad", "No bad titles.")
    for number in range(again):
        world.edit(world.person(lead), title=f"bad {number}")
        run = world.push()
        assert run is not None
        assert run.state == RunState.COMPLETED
    assert [error.category for error in world.live_errors()] == ["validation_rule"]
    (digest,) = notices(world, NoticeKind.SYNC_ERRORS)
    assert digest.facts == {"validation_rule": 1}


def test_full_sync_that_failed_is_told_with_the_reason(world: World) -> None:
    # A plain 400 is none of the failures that wait, park the run or leave an object out.
    body = [{"errorCode": "INVALID_AUTH_HEADER", "message": "What is this?"}]
    world.emulator.fault("/services/data/", status=400, body=body, times=999)
    run = world.sync()
    assert run.state == RunState.FAILED
    (notice,) = notices(world, NoticeKind.FULL_SYNC_FINISHED)
    assert notice.subject == "The full sync of Northwind Org did not come to its end"
    assert ["Why", "What is this?"] in notice.facts
