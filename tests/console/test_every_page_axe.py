"""Every page there is, with something on it: no violation of axe, one heading, nothing wider than the screen, in both
schemes and at both widths. A page that is added is missing here until it is listed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver, reverse
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from apps.tenants.roles import Role
from tests.console.one_of_everything import world
from tests.console.records.conftest import salesforce
from tests.console.salesforce.conftest import _plain_static_files, member
from tests.console.salesforce.test_connect_browser import browser, log_in

__all__ = ["_plain_static_files", "browser", "member", "salesforce", "world"]
pytestmark = [pytest.mark.django_db(transaction=True)]

# Names of the addresses that show a page, with the record each is about.
PAGES: dict[str, str] = {
    "overview": "",
    "hub": "",
    "salesforce": "",
    "salesforce-object": "object",
    "profiles": "",
    "step-add": "",
    "step-remove": "step",
    "step-statuses": "status_step",
    "step-filter": "step side",
    "step-preview": "step",
    "mapping-add": "step",
    "mapping-values": "mapping",
    "salesforce-disconnect": "",
    "salesforce-package": "",
    "notices": "",
    "salesforce-password": "",
    "salesforce-password-attempt": "attempt",
    "sync-settings": "",
    "sync-settings-full-sync": "",
    "log-list": "",
    "log-merges": "",
    "log-run": "run",
    "log-rows": "run",
    "errors-list": "",
    "errors-detail": "error",
    "errors-clear-all": "",
    "errors-retry-all": "",
    "people-list": "",
    "people-detail": "person",
    "people-new": "",
    "people-edit": "person",
    "people-why": "person",
    "companies-list": "",
    "companies-detail": "company",
    "companies-new": "",
    "companies-edit": "company",
    "companies-why": "company",
    "filters-new": "area",
    "filters-edit": "saved",
    "bulk-detail": "bulk",
    "queue-list": "",
    "why": "",
    "opportunities-list": "",
    "opportunities-detail": "opportunity",
    "opportunities-why": "opportunity",
    "records-list": "type",
    "records-detail": "type record",
    "records-new": "type",
    "records-edit": "type record",
    "records-why": "type record",
    "custom-objects": "",
    "owners": "",
    "lists-list": "",
    "lists-detail": "list",
    "lists-new": "",
    "sequences-list": "",
    "sequences-new": "",
    "sequences-detail": "sequence",
    "people-activity": "person",
    "custom-fields": "",
    "custom-fields-new": "",
    "custom-fields-edit": "custom_field",
    "custom-fields-remove": "custom_field",
    "scores": "",
    "members": "",
    "members-audit": "",
    "api-keys": "",
    "invitation": "token",
    "privacy": "",
    "people-erase": "person",
    "imports-list": "",
    "people-import": "",
    "companies-import": "",
    "imports-columns": "import",
    "imports-detail": "imported",
    "webhooks-list": "",
    "webhooks-new": "",
    "webhooks-detail": "webhook",
    "webhooks-edit": "webhook",
    "webhooks-delete": "webhook",
    "webhooks-delivery": "delivery",
    "actions-list": "",
    "actions-new": "",
    "actions-edit": "rule",
    "actions-log": "rule",
    "actions-try": "rule",
}
# What answers with something else: parts of pages, downloads, the outcome of a form, a redirect.
NO_PAGES = {
    "actions-steps", "actions-switch", "actions-move", "actions-delete", "actions-held",
    "api-keys-revoke",
    "lists-change", "lists-members", "sequences-change", "sequences-people", "people-score", "people-lists",
    "people-sequences",
    "privacy-allow", "people-data",
    "imports-cancel", "imports-errors-csv", "people-export", "companies-export", "lists-export",
    "webhooks-switch", "webhooks-test", "webhooks-rotate", "webhooks-replay",
    "records-active", "records-open", "records-open-why", "records-sync", "records-sync-run", "custom-objects-add",
    "custom-objects-look",
    "notices-open", "notices-read",
    "people-link", "people-unlink", "companies-link", "companies-unlink", "errors-settle",
    "bulk-ask", "bulk-start", "bulk-cancel", "filters-remove",
    "companies-active", "companies-sync", "companies-sync-run", "people-active", "people-consent", "people-sync",
    "people-sync-run", "queue-cancel", "queue-release", "queue-commands",
    "errors-clear", "errors-csv", "errors-retry", "healthz", "log-cancel", "log-rows-csv", "members-invite",
    "members-new-tenant",
    "members-profile", "members-remove", "members-role", "members-withdraw", "open-errors", "overview-live",
    "salesforce-package-cancel", "salesforce-package-install", "salesforce-package-progress",
    "salesforce-callback", "salesforce-checks", "salesforce-checks-run", "salesforce-connect",
    "profile-switch",  # shows something only with a choice; see tests/console/mappings/test_in_browser.py
    "object-on", "object-sync", "step-move", "step-on", "step-turn", "step-clone", "step-switches", "mappings-save",
    "step-list-views", "step-push-all",
    "salesforce-mappings-reviewed", "salesforce-status", "switch-tenant", "sync-settings-save", "theme",
}  # fmt: skip
BEFORE_CONNECTING = ("overview", "hub", "salesforce", "people-list", "companies-list", "lists-list")
OWN_ACCOUNT = (
    "mfa_index", "account_change_password", "account_email", "usersessions_list", "account_logout",
    "account_reauthenticate",
)  # fmt: skip
ANONYMOUS = ("account_login", "account_signup", "account_reset_password")
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]


def test_every_address_is_known_here_as_a_page_or_as_none() -> None:
    named = {name for name in get_resolver().namespace_dict["console"][1].reverse_dict if isinstance(name, str)}
    assert named == PAGES.keys() | NO_PAGES
    assert not PAGES.keys() & NO_PAGES


@pytest.fixture
def look(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """A browser's window on the live server."""
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(15_000)
    yield context
    context.close()


def complaints(page: Page, url: str, status: int = 200) -> list[str]:
    """What is wrong with the page at this address."""
    answer = page.goto(url)
    assert answer is not None
    found = [f"{violation['id']} on {url}" for violation in Axe().run(page).response["violations"]]
    if answer.status != status:
        found.append(f"{url} answers {answer.status}")
    if page.locator("h1").count() != 1:
        found.append(f"{page.locator('h1').count()} headings of the first level on {url}")
    if page.locator("main").count() != 1:
        found.append(f"no main part on {url}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{url} is wider than the screen")
    return found


def dressed(context: BrowserContext, scheme: Any, width: int) -> Page:
    """A tab in one scheme, as wide as asked for."""
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    return page


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_can_be_used_by_everybody(
    look: BrowserContext,
    live_server: LiveServer,
    member: Callable[[Role], Client],
    world: dict[str, Any],
    scheme: str,
    width: int,
) -> None:
    log_in(look, member(Role.OWNER), live_server.url)
    page = dressed(look, scheme, width)
    urls = [reverse(f"console:{name}", args=[world[one] for one in of.split()]) for name, of in PAGES.items()]
    urls += [reverse(name) for name in OWN_ACCOUNT]
    assert [one for url in urls for one in complaints(page, url)] == []
    assert complaints(page, "/there-is-nothing-here/", 404) == []


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_before_connecting_can_be_used_by_everybody(
    look: BrowserContext, live_server: LiveServer, member: Callable[[Role], Client], scheme: str, width: int
) -> None:
    log_in(look, member(Role.VIEWER), live_server.url)
    page = dressed(look, scheme, width)
    assert [one for name in BEFORE_CONNECTING for one in complaints(page, reverse(f"console:{name}"))] == []
    assert complaints(page, reverse("console:members-audit"), 403) == []


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_before_log_in_can_be_used_by_everybody(look: BrowserContext, scheme: str, width: int) -> None:
    page = dressed(look, scheme, width)
    page.route("**/broken/", lambda route: route.fulfill(body=render_to_string("500.html"), content_type="text/html"))
    assert [one for name in ANONYMOUS for one in complaints(page, reverse(name))] == []
    assert complaints(page, "/broken/") == []


@pytest.mark.browser
def test_the_keyboard_reaches_the_content_by_the_first_link_and_sees_where_it_is(
    look: BrowserContext, live_server: LiveServer, member: Callable[[Role], Client], world: dict[str, Any]
) -> None:
    log_in(look, member(Role.OWNER), live_server.url)
    page = dressed(look, "light", 1280)
    page.goto("/people/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.browser
def test_the_drawer_of_a_phone_keeps_the_page_behind_it_out_of_reach(
    look: BrowserContext, live_server: LiveServer, member: Callable[[Role], Client]
) -> None:
    log_in(look, member(Role.OWNER), live_server.url)
    page = dressed(look, "light", 390)
    page.goto("/")
    page.get_by_role("link", name="Show navigation").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="People").wait_for()
    assert page.evaluate("document.getElementById('page').inert") is True
    page.keyboard.press("Escape")
    page.wait_for_function("!document.getElementById('page').inert")
    assert page.evaluate("document.activeElement.className") == "drawer-button"
