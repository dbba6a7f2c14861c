"""A custom object is added in a real browser, synced from the emulator, and its records are looked at."""

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from apps.audience.models import CustomRecord
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.jobs import run_job
from apps.integrations.metadata import refresh_metadata
from apps.integrations.models import Connection, ConnectionJob
from apps.sync_settings.services import enable_syncs
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.console.salesforce.test_connect_browser import browser, page
from tests.integrations.world import OrgUser
from tests.sync.world import World

__all__ = ["browser", "page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(
    tenant: Tenant, connection: Connection, user: User, owner: Client, org: OrgUser, emulator: EmulatorControl
) -> World:
    """An org with projects, connected, its syncs on."""
    made = World(tenant.pk, connection, user, org, emulator)
    contact = made.contact(LastName="Lovelace", Email="ada@example.com")
    fields = (
        {"name": "Budget__c", "type": "currency", "label": "Budget", "precision": 12, "scale": 2},
        {"name": "Contact__c", "type": "reference", "label": "Contact", "referenceTo": ["Contact"]},
    )
    emulator.add_object(org.org_id, "Project__c", *fields, label="Project", plural="Projects")
    emulator.create(org.org_id, "Project__c", Name="Bridge", Budget__c=1250, Contact__c=contact)
    with tenant_transaction(tenant.pk):
        seed_custom_profile(connection)
        made.settings()
        enable_syncs(connection=connection, user=user)
    refresh_metadata(tenant.pk, connection.pk)
    return made


def test_a_custom_object_is_added_and_its_records_are_seen(page: Page, world: World) -> None:
    page.goto("/integrations/salesforce/")
    page.get_by_role("link", name="Add a custom object").click()
    page.get_by_label("Custom object", exact=True).select_option("Project__c")
    page.get_by_role("button", name="Show its fields").click()
    expect(page.get_by_role("heading", name="Reading its fields…")).to_be_visible()
    with tenant_transaction(world.tenant_id):
        job = ConnectionJob.objects.get(kind="describe")
    run_job(world.tenant_id, job.pk)
    expect(page.get_by_role("heading", name="What its fields become")).to_be_visible()
    expect(page.get_by_role("cell", name="Person")).to_be_visible()
    page.get_by_label("One of them is called").fill("Undertaking")
    page.get_by_label("Many of them are called").fill("Undertakings")
    page.get_by_role("button", name="Add object").click()
    expect(page.get_by_role("status").filter(has_text="Undertakings are added.")).to_be_visible()
    world.sync()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Undertakings").click()
    page.get_by_role("link", name="Bridge").click()
    expect(page.get_by_role("heading", name="Bridge")).to_be_visible()
    expect(page.get_by_text("1250")).to_be_visible()
    page.get_by_role("link", name="Lovelace").click()
    expect(page.get_by_role("link", name="Bridge")).to_be_visible()
    with tenant_transaction(world.tenant_id):
        assert CustomRecord.objects.get().name == "Bridge"
