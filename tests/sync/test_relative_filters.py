"""Filters with dates that move with the calendar: asked of Salesforce by a full sync, evaluated here by all others."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.audience.models import Opportunity
from apps.field_mappings.models import SyncStep
from apps.field_mappings.versions import save_version
from apps.integrations.metadata import refresh_metadata, user_zone
from apps.integrations.models import ReferenceItem
from apps.sync.contexts import steps_of
from apps.sync.models import SyncRun
from apps.sync.selectors.steps import active_steps
from apps.tenants.scope import tenant_transaction
from tests.emulator.near import local, near_world, user
from tests.sync.world import World

__all__ = ["local", "near_world", "user"]


@pytest.fixture
def world(near_world: World) -> World:
    """Only opportunities that close within the next 30 days come in."""
    rule = {"field": "CloseDate", "type": "date", "operator": "equals", "values": ["NEXT_N_DAYS:30"]}
    with tenant_transaction(near_world.tenant_id):
        assert SyncStep.objects.filter(sobject="Opportunity").update(inbound_filter=rule)
    return near_world


def deal(world: World, name: str, days: int) -> str:
    facts = {"Name": name, "StageName": "Prospecting", "CloseDate": in_days(world, days)}
    return world.emulator.create(world.org.org_id, "Opportunity", **facts)


def in_days(world: World, days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def deals(world: World) -> list[str]:
    with tenant_transaction(world.tenant_id):
        return sorted(Opportunity.objects.values_list("name", flat=True))


def test_a_full_sync_and_a_differential_one_admit_the_same(world: World) -> None:
    deal(world, "Soon", 10)
    late = deal(world, "Late", 90)
    deal(world, "Past", -10)
    world.sync()
    assert deals(world) == ["Soon"]
    deal(world, "Far", 200)
    deal(world, "New", 5)
    world.change("Opportunity", late, CloseDate=in_days(world, 20))
    world.poll()
    assert deals(world) == ["Late", "New", "Soon"]


def test_the_days_are_those_of_the_sync_users_zone_at_the_runs_begin(world: World) -> None:
    connection = world.connection
    refresh_metadata(world.tenant_id, connection.pk)
    with tenant_transaction(world.tenant_id):
        connection.refresh_from_db()
        assert user_zone(connection) == "Europe/Berlin"
    for zone, first in (
        ("Pacific/Kiritimati", date(2026, 3, 3)),
        ("", date(2026, 3, 2)),
        ("Nowhere", date(2026, 3, 2)),
    ):
        with tenant_transaction(world.tenant_id):
            users = ReferenceItem.objects.filter(kind="user", key=connection.user_remote_id)
            users.update(data={"zone": zone})
            version = save_version(connection)
            run = SyncRun(mapping_version_id=version.pk, queued_at=datetime(2026, 3, 1, 20, tzinfo=UTC))
            (step,) = (one for one in steps_of(run) if one.sobject == "Opportunity")
        assert first.isoformat() in str(step.inbound_filter)
    with tenant_transaction(world.tenant_id):
        assert "NEXT_N_DAYS" not in str(active_steps(connection))
