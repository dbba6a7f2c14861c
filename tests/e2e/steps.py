"""What a person does on the pages, from sign-up to a full sync."""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from emulator.control import EmulatorControl

PASSWORD = "correct-horse-battery-7"
SALESFORCE_PASSWORD = "sync-me-please"
CHOSEN = [
    {"FirstName": "Zoë", "LastName": "O'Brien-Łukasiewicz", "Email": "zoe@quay.example", "Company": "Quay, Inc."},
    {"FirstName": "美咲", "LastName": "佐藤", "Email": "misaki@tokyo.example", "Company": "東京商会"},
    {"FirstName": "=SUM(A1)", "LastName": "<b>Bold</b>", "Email": "bold@markup.example", "Company": '"Quoted" & Sons'},
]
"""Leads among thousands of others, for people to be found."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A running copy and its org."""

    address: str
    emulator: EmulatorControl
    org_id: str
    username: str
    state: Path


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


def sync_leads(page: Page) -> None:
    """Press "Sync now" on the page of leads, and wait until the run is done."""
    page.goto("/integrations/salesforce/objects/lead/")
    page.get_by_role("button", name="Sync now").click()
    expect(page).to_have_url(re.compile(r"/integrations/salesforce/log/\d+/$"))
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=120_000)


def let_leads_flow_both_ways(page: Page) -> None:
    """Turn the step of leads to both ways, allow it to update Salesforce, and map every field two-way."""
    page.goto("/integrations/salesforce/objects/lead/")
    turn = page.get_by_role("button", name=re.compile("^Turn round .* Next: both ways$", re.IGNORECASE))
    if not turn.count():
        page.get_by_role("button", name=re.compile("^Turn round ")).click()
    turn.click()
    page.get_by_role("checkbox", name=re.compile("^Update in Salesforce")).check()
    page.get_by_role("button", name="Save switches").click()
    for box in page.get_by_role("checkbox", name=re.compile("^Select ")).all():
        box.check()
    page.get_by_label(re.compile("^With the selected mappings")).select_option("two_way")
    page.get_by_role("button", name=re.compile("^Apply")).click()
    expect(page.get_by_label("Title to Salesforce", exact=True)).to_have_value("overwrite")
