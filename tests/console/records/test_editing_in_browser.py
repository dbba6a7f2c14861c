"""Editing in a real browser: what a colleague saved meanwhile and what was typed stand side by side."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.audience.models import Person
from apps.audience.services.people import update_person
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.sync.models import RunKind, RunState, SyncRun
from apps.sync_settings.services import settings_of
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import linked_person
from tests.console.salesforce.test_connect_browser import browser, log_in

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, marketer: Client) -> Iterator[Page]:
    """A tab of a marketer."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    expect.set_options(timeout=10_000)
    log_in(context, marketer, live_server.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def ada(tenant: Tenant) -> Person:
    with tenant_transaction(tenant.pk):
        made: Person = Person.objects.create(first_name="Ada", last_name="Byron", email="ada@example.com")
    return made


def violations(page: Page) -> list[str]:
    return [str(violation["id"]) for violation in Axe().run(page).response["violations"]]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_an_edit_that_was_overtaken_loses_nothing(
    page: Page, tenant: Tenant, ada: Person, scheme: Any, width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"/people/{ada.pk}/")
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Last name").fill("Lovelace")
    page.get_by_label("Title", exact=True).fill("Countess")
    with tenant_transaction(tenant.pk):
        theirs = {"last_name": "King", "phone": "1234"}
        update_person(person=ada, values=theirs, seen_version=1, user=None)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("was changed meanwhile")
    expect(page.get_by_text("Syncline changed Last name, Phone")).to_be_visible()
    expect(page.get_by_text("Lovelace")).to_be_visible()
    expect(page.get_by_label("Yours")).to_be_checked()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Save this").click()
    expect(page.get_by_text("Ada Lovelace is saved.")).to_be_visible()
    with tenant_transaction(tenant.pk):
        now = Person.objects.get()
        assert (now.last_name, now.title, now.phone) == ("Lovelace", "Countess", "1234")
        assert set(OutboundChange.objects.get().fields) == {"last_name", "title", "phone"}


def test_a_sync_of_one_record_moves_on_the_page_until_its_end(
    page: Page, tenant: Tenant, salesforce: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(salesforce)
        row = settings_of(salesforce)
        row.syncs_enabled = True
        row.save()
        run = SyncRun.objects.create(
            connection_id=salesforce.pk, kind=RunKind.RECORD, local_type="person", local_id=person.pk
        )
    page.goto(f"/people/{person.pk}/")
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    with tenant_transaction(tenant.pk):
        SyncRun.objects.filter(id=run.pk).update(state=RunState.RUNNING, step="Reading the row")
    expect(page.get_by_text("Reading the row")).to_be_visible()
    assert violations(page) == []
    with tenant_transaction(tenant.pk):
        SyncRun.objects.filter(id=run.pk).update(state=RunState.COMPLETED, finished_at=timezone.now(), step="")
    expect(page.get_by_text("Nothing to do: both sides agree")).to_be_visible()
    expect(page.get_by_role("button", name="Sync now")).to_be_enabled()


def test_somebody_is_unsubscribed_and_opted_in_again_with_their_words(page: Page, ada: Person) -> None:
    page.goto(f"/people/{ada.pk}/")
    page.get_by_text("Unsubscribe…").click()
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_text("is unsubscribed and gets no e-mail from here.")).to_be_visible()
    page.get_by_text("Opt in again…").click()
    page.get_by_role("button", name="Opt in again", exact=True).click()
    expect(page.get_by_label("Who said so, and where")).to_be_focused()
    page.get_by_label("Who said so, and where").fill("Asked for it at the fair")
    assert violations(page) == []
    page.get_by_role("button", name="Opt in again", exact=True).click()
    expect(page.get_by_text("Asked for it at the fair")).to_be_visible()
