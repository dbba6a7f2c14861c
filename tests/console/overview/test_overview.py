"""The overview says how the connection does, what waits, and what usually helps."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.field_mappings.models import FieldMapping
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import ApiUsage, Connection, Health
from apps.outbox.models import OutboundChange
from apps.sync.models import RunKind, RunObject, RunState, Schedule, SyncRun, Watermark
from apps.sync_errors.services import ErrorFact, record_errors
from apps.sync_settings.models import SyncSettings
from apps.tenants.models import Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import salesforce
from tests.console.salesforce.conftest import _plain_static_files, member

__all__ = ["_plain_static_files", "member", "salesforce"]
pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def viewer(member: Callable[[Role], Client]) -> Client:
    """A browser of somebody who may look."""
    return member(Role.VIEWER)


@pytest.fixture
def synced(tenant: Tenant, salesforce: Connection) -> Connection:
    """A connection whose full sync has ended, with syncs on and every hour."""
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        SyncSettings.objects.create(connection=salesforce, syncs_enabled=True, frequency_minutes=60)
        seed_custom_profile(salesforce)
        run = SyncRun.objects.create(
            connection_id=salesforce.pk, kind=RunKind.FULL, state=RunState.COMPLETED, started_at=now, finished_at=now
        )
        RunObject.objects.create(
            run=run,
            position=0,
            sobject="Lead",
            label="Leads",
            is_done=True,
            fetched=1234,
            created=1234,
            finished_at=now,
        )
        Watermark.objects.create(connection_id=salesforce.pk, sobject="Lead", covered_to=now - timedelta(minutes=5))
        Schedule.objects.create(
            connection_id=salesforce.pk, differential_due_at=now + timedelta(minutes=54, seconds=30)
        )
    return salesforce


def shown(client: Client, url: str = "/") -> str:
    """The page's words, without marks and with single spaces."""
    answer = client.get(url)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


def test_a_synced_account_is_in_line_and_says_when_it_syncs_next(viewer: Client, synced: Connection) -> None:
    words = shown(viewer)
    assert "Everything is in line" in words
    assert "Next sync In 54 min at " in words
    assert "Lag 5 min" in words
    assert "From Salesforce 1,234" in words


def test_what_waits_and_what_is_held_is_counted_both_ways(viewer: Client, tenant: Tenant, synced: Connection) -> None:
    with tenant_transaction(tenant.pk):
        for number, state in enumerate(["waiting", "waiting", "in_flight", "held"]):
            OutboundChange.objects.create(local_type="person", local_id=number, state=state)
        run = SyncRun.objects.create(
            connection_id=synced.pk, kind=RunKind.DIFFERENTIAL, state=RunState.RUNNING, started_at=timezone.now()
        )
        RunObject.objects.create(run=run, position=0, sobject="Lead", label="Leads", fetched=50, created=20)
    words = shown(viewer)
    assert "Going out 3 and 1 held, see the queue" in words
    assert "Coming in 30" in words
    assert "Next sync Running now" in words


def test_errors_are_counted_by_category_with_a_way_to_them(viewer: Client, tenant: Tenant, synced: Connection) -> None:
    with tenant_transaction(tenant.pk):
        facts = [ErrorFact(category="too_long", message="x", remote_id=f"00Q{n:012}AAA") for n in range(3)]
        record_errors(facts, connection_id=synced.pk, run_id=1, at=timezone.now())
    assert "3 records need you" in shown(viewer)
    assert 'href="/integrations/salesforce/errors/?category=too_long"' in viewer.get("/").content.decode()


@pytest.mark.parametrize(
    ("health", "title"),
    [
        (Health.NEEDS_YOU, "Salesforce needs you"),
        (Health.PAUSED, "Syncing is paused"),
        (Health.DELAYED, "Salesforce is delayed"),
    ],
)
def test_what_is_wrong_with_the_connection_goes_before_everything_else(
    viewer: Client, tenant: Tenant, synced: Connection, health: Health, title: str
) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(health=health, health_reason="The limit is used up until 14:00.")
    words = shown(viewer)
    assert title in words
    assert "The limit is used up until 14:00." in words


@pytest.mark.parametrize(
    ("settings", "next_words"),
    [({"syncs_enabled": False}, "Not while syncs are off"), ({"frequency_minutes": 0}, "When you start it")],
)
def test_without_a_next_sync_the_reason_stands_there(
    viewer: Client, tenant: Tenant, synced: Connection, settings: dict[str, Any], next_words: str
) -> None:
    with tenant_transaction(tenant.pk):
        SyncSettings.objects.update(**settings)
    assert f"Next sync {next_words}" in shown(viewer)


def test_api_use_stands_beside_the_share_and_the_allowance(viewer: Client, tenant: Tenant, synced: Connection) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(api_used=90_000, api_allowed=100_000)
        SyncSettings.objects.update(api_share_percent=20)
        ApiUsage.objects.create(connection=synced, hour=timezone.now().replace(minute=0), calls=17_000)
    words = shown(viewer)
    assert "17,000 of 20,000 calls, its 20 % share" in words
    assert "Syncline has used 85 % of its share." in words
    assert "90,000 of 100,000 calls that Salesforce allows" in words


def test_the_days_of_the_chart_can_be_chosen_from_three(viewer: Client, synced: Connection) -> None:
    assert "Rows synced per day over 90 days" in shown(viewer, "/?days=90")
    assert "Rows synced per day over 14 days" in shown(viewer, "/?days=100000")


def test_troubles_that_show_here_come_first_with_what_was_found(
    viewer: Client, tenant: Tenant, synced: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        Watermark.objects.update(covered_to=timezone.now() - timedelta(hours=9))
        FieldMapping.objects.update(way_in="off", way_out="off")
    words = shown(viewer)
    assert "Every mapping is off both ways, so no value has a direction." in words
    assert "Changes of the last 9 h are not in yet" in words
    assert words.index("Values are old") < words.index("Somebody is there twice")


def test_the_moving_part_asks_for_a_new_page_when_a_run_begins_or_ends(
    viewer: Client, tenant: Tenant, synced: Connection
) -> None:
    assert viewer.get("/live/").status_code == 200
    assert viewer.get("/live/?running").headers["HX-Refresh"] == "true"
    with tenant_transaction(tenant.pk):
        SyncRun.objects.create(connection_id=synced.pk, kind=RunKind.FULL, state=RunState.RUNNING)
    assert viewer.get("/live/").headers["HX-Refresh"] == "true"
    assert viewer.get("/live/?running").status_code == 200


def test_before_connecting_the_five_steps_and_one_button_are_there(viewer: Client, tenant: Tenant) -> None:
    words = shown(viewer)
    assert "Connect Salesforce Account" in words
    for step in ("Connect Salesforce", "Review the settings", "Review the mappings", "Run a full sync", "panel"):
        assert step in words
