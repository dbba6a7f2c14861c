"""From an event to the page and to Salesforce, with a real browser: the switch, the timeline, the task."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from apps.audience.models import Engagement
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.salesforce.test_connect_browser import browser, log_in
from tests.sync.conftest import connection, emulator, emulator_process, org, user, world
from tests.sync.world import World

__all__ = ["browser", "connection", "emulator", "emulator_process", "org", "user", "world"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_form_is_seen_on_the_persons_page_and_becomes_a_task(
    world: World, member: Callable[[Role], Client], live_server: LiveServer, browser: Browser
) -> None:
    lead = world.lead(Email="ada@example.com", LastName="Byron")
    world.sync()
    person = world.person(lead)
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(20_000)
    log_in(context, member(Role.OWNER), live_server.url)
    page = context.new_page()
    page.goto("/integrations/salesforce/settings/")
    page.get_by_label("Form submissions").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Form submissions")).to_be_checked()
    details = {"form": "Whitepaper", "url": "https://example.com/w", "channel": "search"}
    with tenant_transaction(world.tenant_id):
        record_engagements(
            events=[EventDraft(kind="form_submitted", email="ada@example.com", details=details)], origin="api"
        )
    page.goto(f"/people/{person.pk}/")
    activity = page.get_by_role("region", name="Activity")
    expect(activity).to_contain_text("Form submitted Whitepaper")
    expect(activity).to_contain_text("Waits to be a task")
    expect(page.get_by_role("region", name="Score")).to_contain_text("10 points")
    with tenant_transaction(world.tenant_id):
        Engagement.objects.update(task_due_at=timezone.now())
    world.push()
    page.reload()
    expect(activity).to_contain_text("Task in Salesforce")
    soql = "SELECT WhoId, Subject, Status FROM Task"
    tasks = [(row["WhoId"], row["Subject"], row["Status"]) for row in world.emulator.query(world.org.org_id, soql)]
    assert tasks == [(lead, "Form submitted: Whitepaper", "Completed")]
    assert world.row("Lead", lead, "Syncline_Lead_Score__c")["Syncline_Lead_Score__c"] == 10
    context.close()
