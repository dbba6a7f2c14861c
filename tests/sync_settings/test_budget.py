"""The standing of a connection, read in one question, and what it does to health (B14)."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.domain.budget import COUNTED_FOR, Level, Work
from apps.integrations.models import ApiUsage, Connection, Health, HealthCause
from apps.sync_settings.budget import note_standing, standing_of
from apps.sync_settings.services import save_settings, settings_of
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction

NOW = timezone.now().replace(minute=30, second=0, microsecond=0)
HOUR = NOW.replace(minute=0)


def used(connection: Connection, *, hours_ago: int, calls: int, purpose: str = "") -> None:
    ApiUsage.objects.create(connection=connection, hour=HOUR - timedelta(hours=hours_ago), calls=calls, purpose=purpose)


def allow(calls: int) -> Connection:
    Connection.objects.update(api_used=0, api_allowed=calls, api_seen_at=NOW)
    found: Connection = Connection.objects.get()
    return found


def test_standing_is_one_question_and_counts_each_purpose(connection: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        ApiUsage.objects.all().delete()
        used(connection, hours_ago=0, calls=30, purpose="pull")
        used(connection, hours_ago=0, calls=10, purpose="push")
        used(connection, hours_ago=24, calls=2)
        used(connection, hours_ago=25, calls=100)
        row, settings = allow(100), settings_of(connection)
        with CaptureQueriesContext(
            database,
        ) as asked:
            found = standing_of(row, settings, now=NOW)
    assert len(asked) == 1
    assert (found.own_calls, found.allowance, found.level) == (42, 50, Level.WARNED)


@pytest.mark.parametrize(
    ("calls", "health"), [(94, Health.HEALTHY), (95, Health.DELAYED), (99, Health.DELAYED), (100, Health.PAUSED)]
)
def test_health_follows_the_standing(connection: Connection, tenant: Tenant, calls: int, health: Health) -> None:
    with tenant_transaction(tenant.pk):
        ApiUsage.objects.all().delete()
        used(connection, hours_ago=3, calls=calls)
        row, settings = allow(200), settings_of(connection)
        standing = standing_of(row, settings, now=NOW)
        note_standing(connection=row, standing=standing)
        row = Connection.objects.get()
        assert row.health == health
        if health is not Health.HEALTHY:
            assert row.resumes_at == HOUR - timedelta(hours=3) + COUNTED_FOR


def test_pause_eases_and_ends_as_hours_leave_the_window(connection: Connection, tenant: Tenant) -> None:
    seen = []
    with tenant_transaction(tenant.pk):
        ApiUsage.objects.all().delete()
        used(connection, hours_ago=20, calls=5)
        used(connection, hours_ago=10, calls=60)
        used(connection, hours_ago=0, calls=36)
        allow(200)
        settings = settings_of(connection)
        for hours in (0, 5, 15, 25):
            row = Connection.objects.get()
            found = standing_of(row, settings, now=NOW + timedelta(hours=hours))
            note_standing(connection=row, standing=found)
            seen.append((Connection.objects.get().health, found.allows(Work.ESSENTIAL), found.allows(Work.ROUTINE)))
    assert seen == [
        (Health.PAUSED, False, False),
        (Health.DELAYED, True, False),
        (Health.HEALTHY, True, True),
        (Health.HEALTHY, True, True),
    ]


def test_larger_share_ends_the_pause_at_once(connection: Connection, tenant: Tenant, user: User) -> None:
    with tenant_transaction(tenant.pk):
        ApiUsage.objects.all().delete()
        ApiUsage.objects.create(connection=connection, hour=timezone.now(), calls=100)
        row, settings = allow(200), settings_of(connection)
        note_standing(connection=row, standing=standing_of(row, settings, now=timezone.now()))
        assert Connection.objects.get().health_cause == HealthCause.SHARE
        save_settings(connection=connection, user=user, seen_version=settings.version, values={"api_share_percent": 90})
        assert Connection.objects.get().health == Health.HEALTHY


def test_settings_of_costs_one_question(connection: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection)
        fresh = Connection.objects.get()
        with CaptureQueriesContext(database) as asked:
            settings_of(fresh)
    assert len(asked) == 1


def test_who_connected_is_told_until_somebody_says_otherwise(connection: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        assert settings_of(connection).recipients == ["ada@northwind.example"]
