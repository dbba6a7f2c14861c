"""The panel in a real browser: framed by another site, with third-party cookies and storage blocked (F76)."""

import json
import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from apps.audience.models import ConsentChange, Person
from apps.field_mappings.models import SyncStep
from apps.sync.models import RunState, SyncRun
from apps.tenants.scope import tenant_transaction
from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.console.salesforce.conftest import _plain_static_files
from tests.integrations.conftest import connection, emulator, emulator_process, org, user
from tests.sync.conftest import world
from tests.sync.world import World

__all__ = ["_plain_static_files", "connection", "emulator", "emulator_process", "org", "user", "world"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BLOCKED = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}


@pytest.fixture
def browser_context(tmp_path: Path) -> Iterator[BrowserContext]:
    """A profile in which third-party cookies, and with them storage in foreign frames, are blocked."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    (profile / "Preferences").write_text(json.dumps(BLOCKED), encoding="utf-8")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs on the test's thread
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile.parent),
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu"],
            viewport={"width": 1280, "height": 1000},
        )
        context.set_default_timeout(15_000)
        expect.set_options(timeout=15_000)
        yield context
        context.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(live_server: LiveServer, settings: Settings, world: World) -> str:
    """Syncline as another site than Salesforce: localhost beside 127.0.0.1."""
    url = live_server.url.replace("127.0.0.1", "localhost")
    assert url.startswith("http://localhost:")
    settings.SYNCLINE_BASE_URL = url
    world.emulator.register_app(CLIENT_ID, CLIENT_SECRET, name="Syncline", canvas_url=f"{url}/embedded/salesforce/")
    world.sync()
    return url


@pytest.fixture
def salesforce_page(browser_context: BrowserContext, site: str, world: World) -> Page:
    """A tab in which the Salesforce user is logged in."""
    page = browser_context.new_page()
    page.goto(f"{world.emulator.base_url}/login")
    page.get_by_label("Username").fill(world.org.username)
    page.get_by_label("Password").fill(world.org.password)
    page.get_by_role("button", name="Log In").click()
    page.get_by_role("heading", level=1).wait_for()
    return page


def panel_on(page: Page, world: World, sobject: str, record_id: str) -> FrameLocator:
    """The panel on a record's page: a frame in the frame of the Visualforce page."""
    page.goto(f"{world.emulator.base_url}/lightning/r/{sobject}/{record_id}/view")
    return page.frame_locator("iframe[title='Syncline panel']").frame_locator("iframe[title='Syncline']")


def drive_runs(world: World) -> SyncRun:
    """What the worker does."""
    with tenant_transaction(world.tenant_id):
        run = SyncRun.objects.filter(kind="record").latest("id")
    return world.finish(run)


def picture(page: Page, name: str) -> None:
    """Kept where ``SYNCLINE_PICTURES`` names a folder."""
    if folder := os.environ.get("SYNCLINE_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_lead_is_synced_now_from_the_panel_and_both_sides_have_it(salesforce_page: Page, world: World) -> None:
    world.both_ways("Lead")
    problems: list[str] = []
    salesforce_page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    lead = world.lead(FirstName="Ada", LastName="Lovelace", Email="ada@example.com", Title="Miss")
    panel = panel_on(salesforce_page, world, "Lead", lead)
    expect(panel.get_by_role("heading", name="Not in Syncline yet")).to_be_visible()
    picture(salesforce_page, "panel-unknown")
    panel.get_by_role("button", name="Sync now").click()
    expect(panel.get_by_text("Waiting to start")).to_be_visible()
    assert drive_runs(world).state == RunState.COMPLETED
    expect(panel.get_by_role("link", name="Ada Lovelace")).to_be_visible()
    expect(panel.get_by_text("Synced", exact=True)).to_be_visible()
    world.edit(world.person(lead), title="Countess")
    world.change("Lead", lead, Phone="123")
    panel.get_by_role("button", name="Sync now").click()
    expect(panel.get_by_text("Waiting to start")).to_be_visible()
    drive_runs(world)
    expect(panel.get_by_role("heading", name="Written to Salesforce")).to_be_visible()
    expect(panel.get_by_role("heading", name="Changed in Syncline")).to_be_visible()
    picture(salesforce_page, "panel-synced")
    assert world.row("Lead", lead, "Title")["Title"] == "Countess"
    assert world.person(lead).phone == "123"
    assert problems == []


def test_it_works_without_cookies_and_storage_which_are_really_blocked(
    salesforce_page: Page, world: World, site: str
) -> None:
    lead = world.lead(FirstName="Ada", Email="ada@example.com")
    panel = panel_on(salesforce_page, world, "Lead", lead)
    panel.get_by_role("button", name="Sync now").wait_for()
    frame = next(one for one in salesforce_page.frames if one.url.startswith(site))
    assert (
        frame.evaluate("() => { try { localStorage.x = '1'; return 'open' } catch { return 'blocked' } }") == "blocked"
    )
    assert frame.evaluate("document.cookie") == ""
    assert frame.evaluate("document.getElementById('panel').dataset.token") is None
    assert "eyJ" not in frame.content()
    cookies = salesforce_page.context.cookies()
    assert [one["name"] for one in cookies if "syncline" in one["name"].lower()] == []
    panel.get_by_role("button", name="Sync now").click()
    expect(panel.get_by_text("Waiting to start")).to_be_visible()
    drive_runs(world)
    panel.get_by_text("Opt out of e-mail").click()
    panel.get_by_role("button", name="Opt out now").click()
    expect(panel.get_by_text("Unsubscribed").first).to_be_visible()
    with tenant_transaction(world.tenant_id):
        assert ConsentChange.objects.get().source == "Salesforce user Integration User"
        assert Person.objects.get().email_opt_out


def test_a_filter_that_leaves_the_lead_out_is_told_in_the_panel(salesforce_page: Page, world: World) -> None:
    with tenant_transaction(world.tenant_id):
        SyncStep.objects.filter(sobject="Lead").update(create_local=False)
    panel = panel_on(salesforce_page, world, "Lead", world.lead())
    panel.get_by_role("button", name="Sync now").click()
    expect(panel.get_by_text("Waiting to start")).to_be_visible()
    drive_runs(world)
    expect(panel.get_by_text("creating records here is off")).to_be_visible()
    expect(panel.get_by_text("It was not brought in")).to_be_visible()
    assert world.people() == []
    picture(salesforce_page, "panel-left-out")


def test_the_keyboard_alone_syncs_and_the_focus_stays_on_the_button(salesforce_page: Page, world: World) -> None:
    panel = panel_on(salesforce_page, world, "Contact", world.contact(FirstName="Ada", Email="ada@example.com"))
    button = panel.get_by_role("button", name="Sync now")
    button.focus()
    salesforce_page.keyboard.press("Enter")
    expect(panel.get_by_text("Waiting to start")).to_be_visible()
    drive_runs(world)
    expect(panel.get_by_role("link", name="Ada Contact")).to_be_visible()
    expect(button).to_be_enabled()
    assert button.evaluate("button => button === document.activeElement")


@pytest.mark.parametrize("width", [300, 480])
def test_the_panel_is_readable_for_everybody_and_never_wider_than_its_frame(
    browser_context: BrowserContext, world: World, site: str, width: int
) -> None:
    lead = world.lead(FirstName="Ada" * 10, LastName="Lovelace" * 9, Email="ada@example.com", Title="Countess of " * 8)
    text = world.emulator.signed_request(world.org.org_id, "Lead", lead)
    page = browser_context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    for attempt in range(2):
        page.set_content(
            f"<form method=post action='{site}/embedded/salesforce/'><input name=signed_request value='{text}'></form>"
        )
        page.evaluate("document.forms[0].submit()")
        page.locator("main").wait_for()
        picture(page, f"panel-{width}-{attempt}")
        assert [rule["id"] for rule in Axe().run(page).response["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        world.poll()
        text = world.emulator.signed_request(world.org.org_id, "Lead", lead)
    assert page.get_by_text("Score").is_visible()


class _Foreign(BaseHTTPRequestHandler):
    """A site that would like to frame the panel."""

    def __init__(self, action: str, text: str, *arguments: object) -> None:
        self.page = (
            f"<form method=post action='{action}' target=f><input name=signed_request value='{text}'></form>"
            "<iframe name=f></iframe>"
        )
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the server's
        """Silent."""


def test_a_foreign_site_cannot_frame_it_with_a_request_that_it_caught(
    browser_context: BrowserContext, world: World, site: str
) -> None:
    lead = world.lead(LastName="Lovelace", Email="ada@example.com")
    world.poll()
    text = world.emulator.signed_request(world.org.org_id, "Lead", lead)
    foreign = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Foreign, f"{site}/embedded/salesforce/", text))
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    try:
        page = browser_context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.goto(f"http://127.0.0.1:{foreign.server_address[1]}/")
        with page.expect_event("console"):
            page.evaluate("document.forms[0].submit()")
        assert any("frame-ancestors" in words for words in problems), problems
        assert all("Lovelace" not in frame.content() for frame in page.frames)
    finally:
        foreign.shutdown()
        foreign.server_close()


def test_the_link_on_the_record_opens_the_person_for_a_member(
    salesforce_page: Page, world: World, client: Client, site: str
) -> None:
    lead = world.lead(FirstName="Ada", Email="ada@example.com")
    world.poll()
    panel_on(salesforce_page, world, "Lead", lead)
    link = salesforce_page.get_by_role("link", name="View in Syncline").get_attribute("href")
    assert link == f"{site}/embedded/salesforce/view/?org={world.org.org_id}&id={lead}"
