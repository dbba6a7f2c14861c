"""The settings page and the start of a full sync (B01, B02, B13)."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.integrations.models import Connection
from apps.sync.models import SyncRun
from apps.sync_settings.models import SyncSettings
from apps.sync_settings.services import settings_of
from apps.tenants.models import AuditEntry, Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction

PAGE = "/integrations/salesforce/settings/"


@pytest.fixture(autouse=True)
def _settings_exist(connection: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        settings_of(connection)


def saved(tenant: Tenant) -> SyncSettings:
    with tenant_transaction(tenant.pk):
        row: SyncSettings = SyncSettings.objects.get()
        return row


def form(tenant: Tenant, **changes: str) -> dict[str, str]:
    return {"tenant": str(tenant.pk), "version": "1", "api_share_percent": "50", "blank_in": "on", **changes}


def test_page_shows_instance_username_and_every_switch(owner: Client, connection: Connection) -> None:
    page = owner.get(PAGE).content.decode()
    for words in (
        connection.instance_url,
        connection.username,
        "Syncs Enabled",
        "Using Salesforce Group/Essentials Edition",
        "Using Salesforce Person Accounts",
        "Allow Salesforce to Write Empty Fields to Syncline",
        "Sync Salesforce Campaign Members to Corresponding Lists",
        "Run a Full Sync",
    ):
        assert words in page


def test_save_writes_a_new_version_with_its_audit_entry(owner: Client, tenant: Tenant) -> None:
    answer = owner.post(PAGE + "save/", form(tenant, syncs_enabled="on", api_share_percent="70"))
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    row = saved(tenant)
    assert (row.version, row.syncs_enabled, row.api_share_percent, row.sync_members) == (2, True, 70, False)
    with tenant_transaction(tenant.pk):
        entry = AuditEntry.objects.get(action="settings_changed")
    assert (entry.before["api_share_percent"], entry.after["api_share_percent"]) == (50, 70)
    assert "blank_in" not in entry.after


def test_form_that_is_older_than_the_settings_saves_nothing_and_says_so(owner: Client, tenant: Tenant) -> None:
    owner.post(PAGE + "save/", form(tenant, api_share_percent="70"))
    answer = owner.post(PAGE + "save/", form(tenant, api_share_percent="20"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "somebody changed these settings" in page
    assert 'value="70"' in page
    assert saved(tenant).api_share_percent == 70


def test_share_outside_a_percentage_is_refused_beside_its_field(owner: Client, tenant: Tenant) -> None:
    answer = owner.post(PAGE + "save/", form(tenant, api_share_percent="101"))
    assert answer.status_code == 422
    assert "between 1 and 100" in answer.content.decode()
    assert saved(tenant).version == 1


@pytest.mark.parametrize("role", [Role.MARKETER, Role.VIEWER])
def test_roles_without_the_right_read_the_settings_and_cannot_save(
    role: Role, member: Callable[[Role], Client], tenant: Tenant
) -> None:
    client = member(role)
    page = client.get(PAGE).content.decode()
    assert ">Save<" not in page
    assert client.post(PAGE + "save/", form(tenant)).status_code == 403


def test_switches_follow_what_was_found_until_somebody_saves(tenant: Tenant, connection: Connection) -> None:
    with tenant_transaction(tenant.pk):
        row = Connection.objects.get()
        row.has_person_accounts, row.has_campaigns, row.metadata_at = True, False, row.connected_at
        row.save()
        settings = settings_of(row)
        assert (settings.person_accounts, settings.group_edition, settings.version) == (True, True, 1)
        SyncSettings.objects.update(version=2, person_accounts=False)
        assert not settings_of(row).person_accounts


def test_full_sync_with_syncs_off_offers_to_turn_them_on_and_runs(owner: Client, tenant: Tenant) -> None:
    page = owner.get(PAGE + "full-sync/").content.decode()
    assert "Turn syncs on and run" in page
    assert "API calls" in page
    answer = owner.post(PAGE + "full-sync/", {"tenant": tenant.pk, "turn_on": "1"})
    with tenant_transaction(tenant.pk):
        run = SyncRun.objects.get()
    assert answer["Location"].endswith(f"/log/{run.pk}/")
    assert saved(tenant).syncs_enabled


def test_full_sync_is_not_started_while_syncs_are_off(owner: Client, tenant: Tenant) -> None:
    answer = owner.post(PAGE + "full-sync/", {"tenant": tenant.pk})
    assert answer.status_code == 422
    assert "Syncs are switched off" in answer.content.decode()
    with tenant_transaction(tenant.pk):
        assert not SyncRun.objects.exists()


def test_while_one_runs_the_button_is_off_with_its_reason_and_leads_to_the_run(owner: Client, tenant: Tenant) -> None:
    owner.post(PAGE + "full-sync/", {"tenant": tenant.pk, "turn_on": "1"})
    page = owner.get(PAGE).content.decode()
    assert "A sync is running." in page
    assert 'disabled aria-describedby="full-sync-reason"' in page
    again = owner.post(PAGE + "full-sync/", {"tenant": tenant.pk, "turn_on": "1"})
    with tenant_transaction(tenant.pk):
        assert again["Location"].endswith(f"/log/{SyncRun.objects.get().pk}/")


def test_marketer_may_run_but_not_turn_syncs_on(member: Callable[[Role], Client], tenant: Tenant) -> None:
    client = member(Role.MARKETER)
    assert "your role does not allow turning them on" in client.get(PAGE + "full-sync/").content.decode()
    assert client.post(PAGE + "full-sync/", {"tenant": tenant.pk, "turn_on": "1"}).status_code == 422
    assert not saved(tenant).syncs_enabled


def test_viewer_cannot_start_a_sync(member: Callable[[Role], Client], tenant: Tenant) -> None:
    assert member(Role.VIEWER).post(PAGE + "full-sync/", {"tenant": tenant.pk}).status_code == 403
