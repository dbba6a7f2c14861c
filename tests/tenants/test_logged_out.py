"""What somebody sees whose session has ended, or who opens the address of a form."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.tenants.models import Tenant
from apps.tenants.roles import Role

pytestmark = pytest.mark.django_db(transaction=True)
LOG_IN = "/accounts/login/?next="


def test_a_part_of_a_page_sends_the_whole_page_to_the_log_in_and_back() -> None:
    answer = Client().get("/live/", headers={"hx-request": "true", "hx-current-url": "http://testserver/people/?q=ada"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["HX-Redirect"] == f"{LOG_IN}/people/%3Fq%3Dada"


def test_a_part_that_names_another_host_leads_to_the_overview() -> None:
    answer = Client().get("/live/", headers={"hx-request": "true", "hx-current-url": "https://evil.example/people/"})
    assert answer["HX-Redirect"] == f"{LOG_IN}/"


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://testserver/people/1/?a=b", "/people/1/%3Fa%3Db"),
        ("https://evil.example/people/1/", "/"),
        ("", "/"),
    ],
)
def test_a_form_leads_back_to_its_page_and_says_that_nothing_was_saved(came_from: str, back: str) -> None:
    client = Client()
    answer = client.post("/people/1/sync/", headers={"referer": came_from})
    assert answer["Location"] == f"{LOG_IN}{back}"
    assert "You were logged out meanwhile, and nothing was saved." in client.get(answer["Location"]).content.decode()


def test_a_page_leads_back_to_itself() -> None:
    assert Client().get("/people/?q=ada")["Location"] == f"{LOG_IN}/people/%3Fq%3Dada"


def test_the_address_of_a_form_opened_by_itself_is_a_page_that_says_so(
    tenant: Tenant, member: Callable[[Role], Client]
) -> None:
    answer = member(Role.OWNER).get("/members/invite/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address shows no page" in answer.content.decode()
