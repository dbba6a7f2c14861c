"""From sign-up to a synced audience, as a new user meets it: web, workers, clock, database and Redis are real."""

import pytest
from playwright.sync_api import Page

from tests.e2e.steps import CHOSEN, find

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_sign_up_to_people_found_by_search(synced: Page) -> None:
    for values in CHOSEN:
        find(synced, values["Email"], f"{values['FirstName']} {values['LastName']}")
    find(synced, "O'Brien", "Zoë O'Brien-Łukasiewicz")
    for path in ("/companies/", "/opportunities/"):
        synced.goto(path)
        assert synced.get_by_role("row").count() > 20
