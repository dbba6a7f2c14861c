"""The documentation page in a browser: Swagger UI from here, under the policy that every page has."""

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.console.salesforce.test_connect_browser import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def test_the_documentation_shows_every_operation_and_breaks_no_rule(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto("/api/docs/")
    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    page.get_by_text("List people", exact=True).wait_for(timeout=20_000)
    page.get_by_text("Change a person", exact=True).click()
    page.get_by_text("Needs the scope").first.wait_for(timeout=10_000)
    context.close()
    assert complaints == []
    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {live_server.url.split("/")[2]}
