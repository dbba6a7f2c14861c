"""The settings page and the start of a full sync (B01 to B07, B10 to B15)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.console.sync_settings.estimates import asked_objects
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import ApiUsage, Connection
from apps.notifications.models import Recipients
from apps.outbox.queue import queue_change
from apps.sync.models import Schedule, SyncRun
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
    as_before = {
        "frequency_minutes": "60",
        "default_account_name": "Unknown company",
        "default_last_name": "Unknown",
        "api_share_percent": "50",
        "notification_recipients": "ada@northwind.example",
        "blank_in": "on",
    }
    return {"tenant": str(tenant.pk), "version": "1", **as_before, **changes}


def test_page_shows_instance_username_and_every_switch(owner: Client, connection: Connection) -> None:
    page = owner.get(PAGE).content.decode()
    for words in (
        connection.instance_url,
        connection.username,
        "Syncs Enabled",
        "Using Salesforce Group/Essentials Edition",
        "Using Salesforce Person Accounts",
        "Allow Salesforce to Write Empty Fields to Syncline",
        "Allow Syncline to Write Empty Fields to Salesforce",
        "Sync Only The Lead Score On A Lead Score Change",
        "Default Account Name",
        "Default Last Name",
        "Full Sync &amp; Error Notification Recipient",
        "Automatically push changes to Salesforce",
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


def test_each_frequency_shows_what_it_costs(owner: Client, tenant: Tenant, connection: Connection) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(api_used=300, api_allowed=10_000, api_seen_at=timezone.now())
        SyncSettings.objects.update(group_edition=True)
        seed_custom_profile(connection)
        asked = asked_objects(connection, SyncSettings.objects.get())
    page = " ".join(owner.get(PAGE).content.decode().split())
    calls = 288 * -(-asked // 5)
    assert asked == 5  # Account, Contact, Lead, Opportunity and the roles of contacts in these
    assert f'Every 5 minutes</span><span class="muted small">about {calls} calls a day' in page
    assert "6 % of the share" in page
    assert 'Manual only</span><span class="muted small">no calls by itself' in page


def test_budget_is_shown_as_bars_with_words(owner: Client, tenant: Tenant, connection: Connection) -> None:
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        Connection.objects.update(api_used=8500, api_allowed=10_000, api_seen_at=now)
        ApiUsage.objects.create(connection=connection, hour=now, calls=4800)
    page = owner.get(PAGE).content.decode()
    assert "4,800 of 5,000" in page
    assert "only single records and opt-outs are synced" in page
    assert "8,500 of 10,000" in page
    assert "Little is left for anybody" in page
    assert "More is synced again about" in page


def test_changes_that_wait_while_syncs_are_off_are_counted(owner: Client, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        for number in range(3):
            queue_change(local_type="person", local_id=number, fields=["title"], origin="user", at=timezone.now())
    assert "3 changes for Salesforce wait." in owner.get(PAGE).content.decode()


@pytest.mark.parametrize("wrong", ["ada@", "ada@northwind.example; nobody", "a b"])
def test_wrong_recipient_is_named_and_nothing_is_saved(owner: Client, tenant: Tenant, wrong: str) -> None:
    answer = owner.post(PAGE + "save/", form(tenant, notification_recipients=wrong))
    assert answer.status_code == 422
    assert "is not an e-mail address" in answer.content.decode()
    assert saved(tenant).version == 1


def test_recipients_are_saved_one_a_line_and_once(owner: Client, tenant: Tenant) -> None:
    listed = "ada@northwind.example, eve@northwind.example\nada@northwind.example"
    owner.post(PAGE + "save/", form(tenant, notification_recipients=listed))
    assert saved(tenant).recipients == ["ada@northwind.example", "eve@northwind.example"]
    with tenant_transaction(tenant.pk):
        assert Recipients.objects.get().addresses == ["ada@northwind.example", "eve@northwind.example"]


def test_new_frequency_moves_the_schedule(owner: Client, tenant: Tenant, connection: Connection) -> None:
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        Schedule.objects.create(
            connection_id=connection.pk, differential_due_at=now + timedelta(hours=1), last_differential_at=now
        )
    owner.post(PAGE + "save/", form(tenant, frequency_minutes="5"))
    with tenant_transaction(tenant.pk):
        assert Schedule.objects.get().differential_due_at == now + timedelta(minutes=5)
    owner.post(PAGE + "save/", form(tenant, frequency_minutes="0", version="2"))
    with tenant_transaction(tenant.pk):
        assert Schedule.objects.get().differential_due_at is None


@pytest.mark.parametrize("frequency", ["7", "", "never"])
def test_frequency_that_is_no_choice_is_refused(owner: Client, tenant: Tenant, frequency: str) -> None:
    assert owner.post(PAGE + "save/", form(tenant, frequency_minutes=frequency)).status_code == 422


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
