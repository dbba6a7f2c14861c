"""Wake-up calls: a broker that is down or frozen costs a later start, not the person's time, and never the work."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery, current_app
from django.db import transaction
from django.test import Client
from django.utils import timezone

from apps.core.queue import wake
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection
from apps.sync.models import RunLane
from apps.sync.tasks import tick
from apps.sync_settings.services import enable_syncs, settings_of
from apps.tenants.access import TENANT_FIELD
from apps.tenants.models import Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from config.runner.valkey import EmbeddedValkey, embedded_valkey
from tests.console.records.conftest import salesforce
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member", "salesforce"]
pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 0.5


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A broker of the test's own, which it may stop and freeze."""
    before = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy's way to what it stands for
    with embedded_valkey(tmp_path / "broker", durable=False) as server:
        app = Celery("tests", broker=server.url, set_as_current=True)
        yield server
        before.set_current()
        app.close()


def _waiting(broker: EmbeddedValkey, queue: str = "interactive") -> int:
    with redis.Redis.from_url(broker.url) as client:
        return int(client.llen(queue))


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_a_call_is_sent_when_the_transaction_commits_and_not_before(broker: EmbeddedValkey) -> None:
    with transaction.atomic():
        wake("some.task", 1, 2)
        assert _waiting(broker) == 0
    assert _waiting(broker) == 1
    with transaction.atomic():
        wake("some.task", 1, 2)
        transaction.set_rollback(True)
    assert _waiting(broker) == 1


def test_f58_a_broker_that_is_down_costs_less_than_half_a_second(broker: EmbeddedValkey) -> None:
    wake("some.task", 1)
    broker.stop()
    assert _seconds(lambda: wake("some.task", 1)) < PATIENCE
    broker.start()
    wake("some.task", 1)
    assert _waiting(broker) == 1


def test_f58_a_broker_that_never_was_there_costs_less_than_half_a_second(broker: EmbeddedValkey) -> None:
    broker.stop()
    assert _seconds(lambda: wake("some.task", 1)) < PATIENCE


def test_a_frozen_broker_costs_less_than_half_a_second(broker: EmbeddedValkey) -> None:
    wake("some.task", 1)
    with redis.Redis.from_url(broker.url) as client:
        client.client_pause(3_000)
    assert _seconds(lambda: wake("some.task", 1)) < PATIENCE


def test_f58_the_button_answers_while_the_broker_is_down_and_the_tick_finds_the_work(
    broker: EmbeddedValkey, tenant: Tenant, salesforce: Connection, member: Callable[[Role], Client]
) -> None:
    client = member(Role.OWNER)
    with tenant_transaction(tenant.pk):
        seed_custom_profile(salesforce)
        settings_of(salesforce)
        enable_syncs(connection=salesforce, user=User.objects.get())
    address = "/integrations/salesforce/settings/full-sync/"
    assert client.get(address).status_code == 200
    broker.stop()
    answers = []
    spent = _seconds(lambda: answers.append(client.post(address, {TENANT_FIELD: str(tenant.pk)})))
    assert answers[0].status_code == 302
    assert spent < PATIENCE
    with tenant_transaction(tenant.pk):
        lanes = RunLane.objects.filter(due_at__lte=timezone.now(), is_done=False).count()
    assert lanes == 3
    broker.start()
    tick()
    assert _waiting(broker, "bulk") == lanes
