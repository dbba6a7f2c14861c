"""Settings: paused at first, saved as versions, never overwritten unseen (A09, B02, J03)."""

import pytest
from django.db import IntegrityError, transaction

from apps.integrations.models import Connection
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import SettingsMoved, enable_syncs, save_settings, settings_of
from apps.tenants.models import AuditEntry, Tenant, User
from apps.tenants.scope import tenant_transaction


def test_new_connection_starts_paused_and_reads_only_what_is_safe(connection: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        settings = settings_of(connection)
        assert not settings.syncs_enabled
        assert not settings.blank_out
        assert settings_of(connection).pk == settings.pk


def test_second_of_two_forms_saves_nothing(connection: Connection, tenant: Tenant, user: User) -> None:
    with tenant_transaction(tenant.pk):
        seen = settings_of(connection).version
        save_settings(connection=connection, user=user, seen_version=seen, values={"api_share_percent": 70})
        with pytest.raises(SettingsMoved):
            save_settings(connection=connection, user=user, seen_version=seen, values={"api_share_percent": 20})
        assert SyncSettings.objects.get().api_share_percent == 70


def test_audit_entry_names_only_what_differs(connection: Connection, tenant: Tenant, user: User) -> None:
    with tenant_transaction(tenant.pk):
        seen = settings_of(connection).version
        values = {"api_share_percent": 70, "sync_members": True}
        save_settings(connection=connection, user=user, seen_version=seen, values=values)
        entry = AuditEntry.objects.get(action="settings_changed")
    assert (entry.before, entry.after) == ({"api_share_percent": 50}, {"api_share_percent": 70})


def test_switching_on_twice_is_one_version_and_one_entry(connection: Connection, tenant: Tenant, user: User) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection)
        for _ in range(2):
            enable_syncs(connection=connection, user=user)
        assert (SyncSettings.objects.get().version, AuditEntry.objects.filter(action="settings_changed").count()) == (
            2,
            1,
        )


@pytest.mark.parametrize("share", [0, 101])
def test_database_refuses_a_share_that_is_no_percentage(connection: Connection, tenant: Tenant, share: int) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection)
        with pytest.raises(IntegrityError), transaction.atomic():
            SyncSettings.objects.update(api_share_percent=share)


def test_settings_of_another_tenant_are_not_seen(connection: Connection, tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection)
    with tenant_transaction(other_tenant.pk):
        assert not SyncSettings.objects.exists()
