"""From sign-up to the first synced record in a real browser, by clicks alone, and not more than fifteen (A08)."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.sync.models import RunState, SyncRun
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.console.salesforce.test_connect_browser import allow, browser
from tests.integrations.world import OrgUser
from tests.sync.world import World

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MOST_CLICKS = 15
_COUNT = "addEventListener('click', (event) => { if (event.isTrusted) window.counted(); }, true);"


def test_the_first_synced_record_is_fifteen_clicks_from_signing_up_at_most(
    browser: Browser, live_server: LiveServer, settings: Settings, emulator: EmulatorControl, org: OrgUser
) -> None:
    settings.SYNCLINE_BASE_URL = live_server.url
    emulator.create(org.org_id, "Lead", FirstName="Ada", LastName="Lovelace", Company="Engines", Email="ada@x.example")
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    clicks: list[str] = []
    context.expose_binding("counted", lambda source: clicks.append(source["page"].url))
    context.add_init_script(_COUNT)
    page = context.new_page()

    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill("grace@navy.example")
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_label("Company name").fill("Navy")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("main").get_by_role("link", name="Connect Salesforce").first.click()
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Connect Salesforce Account").click()
    allow(popup.value, org)
    expect(page.get_by_role("heading", level=1)).to_have_text("Northwind Org")
    page.get_by_role("main").get_by_role("link", name="Review the settings").last.click()
    page.get_by_role("button", name="Run a Full Sync").click()
    page.get_by_role("button", name="Turn syncs on and run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Full sync")
    _let_the_workers_do_it(emulator, org)
    page.get_by_role("link", name="People").first.click()
    page.get_by_role("link", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Lovelace")
    context.close()
    assert 5 < len(clicks) <= MOST_CLICKS, clicks


def _let_the_workers_do_it(emulator: EmulatorControl, org: OrgUser) -> None:
    with app_transaction():
        tenant, user = Tenant.objects.get(), User.objects.get()
    with tenant_transaction(tenant.pk):
        connection, run = Connection.objects.get(), SyncRun.objects.get()
    ended = World(tenant.pk, connection, user, org, emulator).finish(run)
    assert ended.state == RunState.COMPLETED, ended.failure
