"""The record, log and error pages in a real browser: search while typing, a run that ends, and no violation of axe."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from apps.audience.models import Company, List, ListKind, ListMembership, Opportunity, Person
from apps.integrations.models import Connection
from apps.sync.models import EntryAction, ObjectStage, RunEntry, RunKind, RunObject, RunState, SyncRun
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE, linked_person
from tests.console.salesforce.test_connect_browser import browser, log_in

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LOG = "/integrations/salesforce/log/"
ERRORS = "/integrations/salesforce/errors/"


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, marketer: Client) -> Iterator[Page]:
    """A tab of a marketer; what its console complains of is in ``page.problems``."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    expect.set_options(timeout=10_000)
    log_in(context, marketer, live_server.url)
    yield context.new_page()
    context.close()


def test_search_answers_while_typing_and_the_address_can_be_shared(page: Page, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        Person.objects.create(first_name="Ada", last_name="Lovelace")
        Person.objects.create(first_name="Grace", last_name="Hopper")
    page.goto("/people/")
    page.get_by_label("Search", exact=True).press_sequentially("love")
    expect(page.get_by_role("link", name="Grace Hopper")).to_have_count(0)
    expect(page.get_by_role("link", name="Ada Lovelace")).to_be_visible()
    expect(page).to_have_url(re.compile("[?&]q=love"))
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    shared = page.context.new_page()
    shared.goto(page.url)
    expect(shared.get_by_role("link", name="Ada Lovelace")).to_be_visible()
    assert shared.get_by_role("link", name="Grace Hopper").count() == 0


def test_a_running_run_moves_on_its_page_and_stops_asking_at_its_end(
    page: Page, tenant: Tenant, salesforce: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        run = SyncRun.objects.create(
            connection_id=salesforce.pk, kind=RunKind.FULL, state=RunState.RUNNING, started_at=timezone.now()
        )
        row = RunObject.objects.create(run=run, position=0, sobject="Lead", label="Leads", stage=ObjectStage.FETCHING)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{LOG}{run.pk}/")
    with tenant_transaction(tenant.pk):
        RunObject.objects.filter(id=row.pk).update(created=1234, fetched=2000, expected=4000)
    expect(page.get_by_text("1,234 of 4,000").first).to_be_visible()
    with tenant_transaction(tenant.pk):
        RunObject.objects.filter(id=row.pk).update(created=4000, fetched=4000, is_done=True)
        SyncRun.objects.filter(id=run.pk).update(state=RunState.COMPLETED, finished_at=timezone.now())
    expect(page.get_by_text("Completed")).to_be_visible()
    expect(page.locator("[hx-trigger='every 2s']")).to_have_count(0)
    assert [url for url in asked if url.endswith(f"{LOG}{run.pk}/")][1:]  # it has asked for itself


def test_errors_are_ticked_and_cleared(page: Page, tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        facts = [ErrorFact(category="too_long", message="x", remote_id=f"00Q{n:012}AAA") for n in range(3)]
        record_errors(facts, connection_id=salesforce.pk, run_id=1, at=timezone.now())
    page.goto(ERRORS)
    page.get_by_label("Tick all").check()
    page.get_by_role("button", name="Clear selected").click()
    expect(page.get_by_text("3 errors are cleared.")).to_be_visible()
    with tenant_transaction(tenant.pk):
        assert set(SyncError.objects.values_list("state", flat=True)) == {"cleared"}


@pytest.fixture
def world(tenant: Tenant, salesforce: Connection) -> list[str]:
    """One of everything, with hostile words in it; gives the addresses of all pages."""
    now = timezone.now()
    script, image, formula, rtl, emoji, _, long = HOSTILE
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name=script, website=image, industry=rtl)
        person = linked_person(
            salesforce, first_name=rtl, last_name=emoji, title=script, description=long, company=company
        )
        fair: Any = List.objects.create(
            kind=ListKind.CAMPAIGN, name=image, status=formula, remote_id="701000000000001AAA"
        )
        ListMembership.objects.create(list=fair, person=person, status=script)
        deal = Opportunity.objects.create(name=formula, stage=script, company=company)
        run = SyncRun.objects.create(
            connection_id=salesforce.pk, kind=RunKind.FULL, state=RunState.RUNNING, started_at=now, warnings=[script]
        )
        RunObject.objects.create(
            run=run, position=0, sobject="Lead", label="Leads", expected=10, skip_reasons={"filtered": 3}, skipped=3
        )
        RunEntry.objects.create(
            run_id=run.pk, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person.pk,
            action=EntryAction.UPDATED,
            changes={"title": {"before": long, "after": script, "rule": "remote_moved", "lost": image}},
        )  # fmt: skip
        record_errors(
            [ErrorFact(category="ambiguous_match", message=script, remote_id="00Q000000000001AAA", record_label=rtl,
                       raw=long, field="City", details={"candidates": image})],
            connection_id=salesforce.pk, run_id=run.pk, at=now,
        )  # fmt: skip
        error = SyncError.objects.get()
    return [
        "/people/", "/people/?q=nobody", f"/people/{person.pk}/", "/companies/", f"/companies/{company.pk}/",
        "/opportunities/", f"/opportunities/{deal.pk}/", "/lists/", f"/lists/{fair.pk}/", LOG, f"{LOG}{run.pk}/",
        f"{LOG}{run.pk}/rows/", ERRORS, f"{ERRORS}{error.pk}/", f"{ERRORS}clear-all/",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_hold_hostile_words_without_a_violation(page: Page, world: list[str], scheme: Any, width: int) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for url in world:
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200, url
        found = [violation["id"] for violation in Axe().run(page).response["violations"]]
        assert found == [], url
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, url
    assert problems == []
