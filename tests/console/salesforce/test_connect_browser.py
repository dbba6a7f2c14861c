"""The way to Salesforce and back in a real browser: popup, redirect without scripts, and a window closed too early."""

import os
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.integrations.jobs import run_job
from apps.integrations.models import Connection, ConnectionJob, ConnectionState
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.integrations.world import OrgUser

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOME = "/integrations/salesforce/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs on the test's thread
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(
    browser: Browser, live_server: LiveServer, owner: Client, settings: Settings, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A tab in which the owner is logged in; ``no_script`` switches scripts off."""
    settings.SYNCLINE_BASE_URL = live_server.url
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=getattr(request, "param", True),
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(10_000)
    expect.set_options(timeout=10_000)
    log_in(context, owner, live_server.url)
    yield context.new_page()
    context.close()


def log_in(context: BrowserContext, client: Client, url: str) -> None:
    cookie = client.cookies["syncline_session"]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": url}])


def allow(page: Page, org: OrgUser, decision: str = "Allow") -> None:
    """What a person does on Salesforce's pages."""
    page.get_by_label("Username").fill(org.username)
    page.get_by_label("Password").fill(org.password)
    page.get_by_role("button", name="Log In").click()
    page.get_by_role("button", name=decision).click()


def press_connect(page: Page) -> Page:
    """Press the button; gives the window that opens."""
    page.goto(HOME)
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Connect Salesforce Account").click()
    return popup.value


def test_popup_connects_and_the_page_behind_it_goes_on_by_itself(page: Page, org: OrgUser) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    allow(press_connect(page), org)
    expect(page.get_by_role("heading", level=1)).to_have_text("Northwind Org")
    expect(page.get_by_text("Next step")).to_be_visible()
    assert problems == []


def connected_orgs(tenant: Tenant) -> list[str]:
    """The ids of the orgs that the tenant is connected with."""
    with tenant_transaction(tenant.pk):
        return list(Connection.objects.filter(state=ConnectionState.CONNECTED).values_list("org_id", flat=True))


def test_denying_in_the_popup_explains_itself_there_and_leaves_the_page_usable(
    page: Page, tenant: Tenant, org: OrgUser
) -> None:
    popup = press_connect(page)
    allow(popup, org, "Deny")
    expect(popup.get_by_role("heading", level=1)).to_have_text("Access was not allowed")
    popup.get_by_role("button", name="Close this window").click()
    expect(page.get_by_role("status").filter(has_text="window is closed")).to_be_visible()
    expect(page.get_by_role("button", name="Connect Salesforce Account")).to_be_enabled()
    assert connected_orgs(tenant) == []


def test_closing_the_popup_is_said_and_a_second_try_works(page: Page, tenant: Tenant, org: OrgUser) -> None:
    press_connect(page).close()
    expect(page.get_by_role("status").filter(has_text="window is closed")).to_be_visible()
    assert connected_orgs(tenant) == []
    allow(press_connect(page), org)
    expect(page.get_by_role("heading", level=1)).to_have_text("Northwind Org")
    assert connected_orgs(tenant) == [org.org_id]


@pytest.mark.parametrize("page", [False], indirect=True)
def test_without_scripts_the_same_window_goes_there_and_back(page: Page, tenant: Tenant, org: OrgUser) -> None:
    page.goto(HOME)
    page.get_by_role("button", name="Connect Salesforce Account").click()
    allow(page, org)
    expect(page.get_by_role("heading", level=1)).to_have_text("Northwind Org")
    assert connected_orgs(tenant) == [org.org_id]
    assert len(page.context.pages) == 1


def test_hub_searches_while_typing(page: Page) -> None:
    page.goto("/integrations/")
    page.evaluate("window.isSamePage = true")
    page.get_by_role("searchbox", name="Search integrations").press_sequentially("zoho")
    expect(page.get_by_role("heading", level=3)).to_have_text(["Zoho"])
    assert page.evaluate("window.isSamePage") is True


def test_checks_appear_without_reloading_when_the_worker_is_done(page: Page, tenant: Tenant, org: OrgUser) -> None:
    allow(press_connect(page), org)
    expect(page.get_by_role("heading", level=1)).to_have_text("Northwind Org")
    with tenant_transaction(tenant.pk):
        job = ConnectionJob.objects.get()
    page.evaluate("window.isSamePage = true")
    run_job(tenant.pk, job.pk)
    page.get_by_text("checks passed").click()
    expect(page.get_by_text("All 7 mapped fields can be read.").first).to_be_visible()
    expect(page.get_by_role("button", name="Run checks again")).to_be_enabled()
    assert page.evaluate("window.isSamePage") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_an_axe_violation_or_scrolls_sideways(
    page: Page, tenant: Tenant, org: OrgUser, scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    found = [*look_at(page, "/integrations/"), *look_at(page, HOME)]
    allow(press_connect(page), org)
    expect(page.get_by_role("heading", level=1)).to_have_text("Northwind Org")
    with tenant_transaction(tenant.pk):
        job, _ = ConnectionJob.objects.get(), Connection.objects.get()
    run_job(tenant.pk, job.pk)
    for path in ("", "settings/", "settings/full-sync/", "objects/lead/", "disconnect/", "callback/?state=x"):
        found += look_at(page, HOME + path)
    assert found == []


def look_at(page: Page, path: str) -> list[str]:
    """Open a page and name what is wrong with it; a picture is kept where ``SYNCLINE_PICTURES`` names a folder."""
    page.goto(path)
    size, scheme = page.viewport_size, page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    width = size["width"] if size else 0
    folder = os.environ.get("SYNCLINE_PICTURES")
    if folder:
        title = page.title().partition(" · ")[0].replace(" ", "-")
        name = f"{title}-{width}-{'dark' if scheme else 'light'}.png"
        page.screenshot(path=f"{folder}/{name}", full_page=True)
    found = [
        f"{path} {width}: {rule['id']} at {[node['target'] for node in rule['nodes']]}"
        for rule in Axe().run(page).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"{path} {width}: scrolls sideways")
    return found
