"""A mapping and a filter made with the keyboard alone, in a real browser; and the pages that need a choice, by axe."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.domain.filters import Group, Operator, Rule, to_dict
from apps.domain.values import FieldType
from tests.console.mappings.conftest import Desk
from tests.console.salesforce.test_connect_browser import browser, log_in

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BASE = "/integrations/salesforce/"
_ACTIVE = "document.activeElement"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, desk: Desk) -> Iterator[Page]:
    """A tab in which the marketer is logged in."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    log_in(context, desk.client, live_server.url)
    yield context.new_page()
    context.close()


def tab_to(page: Page, what: str) -> None:
    """Press Tab until the focus is on a control whose text or id begins so."""
    for _ in range(150):
        page.keyboard.press("Tab")
        here = page.evaluate(f"[{_ACTIVE}.id, {_ACTIVE}.textContent.trim()]")
        if any(text.startswith(what) for text in here):
            return
    raise AssertionError(f"The keyboard does not reach {what}.")


def focus_is_on(page: Page, element_id: str) -> None:
    expect(page.locator(f'[id="{element_id}"]')).to_be_focused()


def pick(page: Page, typed: str) -> None:
    """Search in the list that has the focus, and take the first hit."""
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


def test_a_mapping_and_a_filter_are_made_with_the_keyboard_alone(page: Page, desk: Desk) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{BASE}objects/lead/")
    tab_to(page, "Add mapping")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Add mapping")
    tab_to(page, "remote_field-picker")
    pick(page, "city")
    focus_is_on(page, "local_field-picker")
    pick(page, "city")
    tab_to(page, "Two-way")
    page.keyboard.press("Enter")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_text("“City” is mapped to “City”.")).to_be_visible()
    assert ("City", "city", "overwrite", "overwrite") in desk.mapped()

    tab_to(page, "Add filter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which rows of Salesforce are synced")
    tab_to(page, "filter.0-field-picker")
    pick(page, "city")
    focus_is_on(page, "filter.0-operator")
    page.keyboard.press("Tab")
    page.keyboard.type("London")
    tab_to(page, "Add rule")
    page.keyboard.press("Enter")
    focus_is_on(page, "filter.1-field-picker")
    pick(page, "annualrev")
    focus_is_on(page, "filter.1-operator")
    with page.expect_response(f"**/steps/{desk.step().pk}/filter/in/"):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
    focus_is_on(page, "filter.1-operator")
    page.keyboard.press("Tab")
    page.keyboard.type("1,000")
    tab_to(page, "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The filter is saved.")).to_be_visible()
    city = Rule("City", FieldType.STRING, Operator.EQUALS, ("London",))
    revenue = Rule("AnnualRevenue", FieldType.CURRENCY, Operator.LESS, ("1000",))
    assert desk.step().inbound_filter == to_dict(Group((city, revenue)))
    assert problems == []


def test_the_search_in_the_table_leaves_the_rows_that_fit(page: Page) -> None:
    page.goto(f"{BASE}objects/lead/")
    page.get_by_role("searchbox", name="Search fields of Lead → Person").fill("title")
    expect(page.locator("tr[data-row]:visible")).to_have_count(1)
    page.get_by_role("searchbox", name="Search fields of Lead → Person").fill("nothing at all")
    expect(page.get_by_text("No field is called like that.")).to_be_visible()
    assert page.locator("tr[data-row]:visible").all_text_contents() == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_that_need_a_choice_can_be_used_by_everybody(page: Page, desk: Desk, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    wrong = []
    number = desk.step().pk
    for rest in (
        "profiles/switch/?to=default", f"objects/lead/?saved={number}", "objects/campaign/", "objects/opportunity/",
        f"steps/{number}/mappings/add/?remote_field=Status", f"steps/{number}/filter/out/",
    ):  # fmt: skip
        page.goto(BASE + rest)
        wrong += [f"{one['id']} on {rest}" for one in Axe().run(page).response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{rest} is wider than the screen")
    assert wrong == []
