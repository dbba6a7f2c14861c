"""From sign-up to a synced audience, as a new user meets it: web, workers, clock, database and Redis are real."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import SALESFORCE_PASSWORD, Copy

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "correct-horse-battery-7"
CHOSEN = [
    {
        "FirstName": "Zoë",
        "LastName": "O'Brien-Łukasiewicz",
        "Email": "zoe.obrien@quay.example",
        "Company": "Quay, Inc.",
    },
    {"FirstName": "美咲", "LastName": "佐藤", "Email": "misaki@tokyo.example", "Company": "東京商会"},
    {"FirstName": "=SUM(A1)", "LastName": "<b>Bold</b>", "Email": "bold@markup.example", "Company": '"Quoted" & Sons'},
]


@pytest.fixture(scope="module")
def session(copy: Copy, browser: Browser) -> Iterator[BrowserContext]:
    """The browser of a person who has no account yet."""
    context = browser.new_context(base_url=copy.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()


def test_from_sign_up_to_people_found_by_search(copy: Copy, session: BrowserContext) -> None:
    for values in CHOSEN:
        copy.emulator.create(copy.org_id, "Lead", **values)
    page = session.new_page()
    sign_up(page)
    connect(page, copy)
    run_full_sync(page)
    for values in CHOSEN:
        find(page, values["Email"], f"{values['FirstName']} {values['LastName']}")
    find(page, "O'Brien", "Zoë O'Brien-Łukasiewicz")
    page.goto("/companies/")
    assert page.get_by_role("row").count() > 20
    page.goto("/opportunities/")
    assert page.get_by_role("row").count() > 20


def sign_up(page: Page) -> None:
    """Make an account with e-mail, password and company name."""
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill("ada@fabrikam.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Company name").fill("Fabrikam")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign up")


def connect(page: Page, copy: Copy) -> None:
    """Press the button, log in to Salesforce in the popup, allow."""
    page.goto("/integrations/salesforce/")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Connect Salesforce Account").click()
    popup = opened.value
    popup.get_by_label("Username").fill(copy.username)
    popup.get_by_label("Password").fill(SALESFORCE_PASSWORD)
    popup.get_by_role("button", name="Log In").click()
    popup.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fabrikam Salesforce")


def run_full_sync(page: Page) -> None:
    """From the settings to the run's live page, and wait there until it is done."""
    page.goto("/integrations/salesforce/settings/")
    page.get_by_role("button", name="Run a Full Sync").click()
    page.get_by_role("button", name="Turn syncs on and run").click()
    expect(page).to_have_url(re.compile(r"/integrations/salesforce/log/\d+/$"))
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=120_000)


def find(page: Page, text: str, name: str) -> None:
    """Search people as a marketer would."""
    page.goto("/people/")
    page.get_by_role("searchbox").first.fill(text)
    page.get_by_role("searchbox").first.press("Enter")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
