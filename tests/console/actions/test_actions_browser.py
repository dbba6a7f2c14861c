"""A marketer builds a rule in the browser, tries it on somebody, switches it on, and sees its effect after a sync."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.console.salesforce.test_connect_browser import browser, log_in
from tests.sync.world import World
from tests.sync_actions.automat import Automat

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(browser: Browser, live_server: LiveServer, owner: Client, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=request.param, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    log_in(context, owner, live_server.url)
    yield context.new_page()
    context.close()


def test_a_rule_is_built_tried_and_seen_at_work(page: Page, world: World) -> None:
    world.lead(Email="ada@example.com", FirstName="ADA", LastName="BYRON", Title="Countess")
    world.sync()
    page.goto("/integrations/salesforce/actions/")
    page.get_by_role("link", name="Add rule").click()
    page.get_by_label("Name of the rule").fill("Readable names")
    page.get_by_label("Add an action").select_option(label="Change capital letters")
    page.get_by_role("button", name="Add action").click()
    page.get_by_label("Field", exact=True).select_option(label="First name")
    page.get_by_label("Letters").select_option(label="Capital First Letters")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Try “Readable names”")).to_be_visible()
    page.get_by_role("button", name="ADA BYRON").click()
    expect(page.get_by_text("The rule would run.")).to_be_visible()
    expect(page.get_by_text("ADA → Ada")).to_be_visible()
    assert world.people()[0].first_name == "ADA"
    page.get_by_role("button", name="switch it on").click()
    expect(page.get_by_role("switch", name="Readable names")).to_have_attribute("aria-checked", "true")
    world.lead(Email="grace@example.com", FirstName="GRACE", LastName="HOPPER")
    world.poll()
    Automat(world).act()
    assert [person.first_name for person in world.people()] == ["ADA", "Grace"]
    page.goto("/integrations/salesforce/actions/")
    page.get_by_role("link", name=re.compile("what Readable names did")).click()
    expect(page.get_by_role("link", name="Grace HOPPER")).to_be_visible()
    expect(page.get_by_text("GRACE → Grace")).to_be_visible()
