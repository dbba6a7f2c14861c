"""The import wizard in a real browser: a file, its columns, progress that moves by itself, and the people."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from apps.audience.models import Person
from apps.imports.drive import advance
from apps.imports.models import Import
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.salesforce.conftest import (
    _plain_static_files,
    connection,
    emulator,
    emulator_process,
    org,
    owner,
    user,
)
from tests.console.salesforce.test_connect_browser import browser, page

__all__ = [
    "_plain_static_files", "browser", "connection", "emulator", "emulator_process", "org", "owner", "page", "user",
]  # fmt: skip
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_file_is_taken_in_and_the_page_follows_by_itself(page: Page, tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "fair.csv"
    file.write_text("Email,First name,Town\nada@example.com,Ada,London\nnonsense,Eve,Paris\n", encoding="utf-8")
    page.goto("/people/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Upload and look at the columns").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What do the columns mean?")
    expect(page.get_by_label("Town")).to_have_value("city")
    page.get_by_label("Put everybody on a list").select_option("A new list")
    page.get_by_label("Name of the new list").fill("Fair")
    page.get_by_role("button", name="Import people").click()
    expect(page.get_by_text("Waiting")).to_be_visible()
    with tenant_transaction(tenant.pk):
        row = Import.objects.get()
    advance(tenant.pk, row.pk)
    expect(page.get_by_text("Finished")).to_be_visible()
    expect(page.get_by_text("E-mail: This is no e-mail address")).to_be_visible()
    page.reload()
    page.get_by_role("link", name="See the people").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fair")
    expect(page.get_by_role("link", name="Ada")).to_be_visible()
    with tenant_transaction(tenant.pk):
        assert list(Person.objects.values_list("email", "city")) == [("ada@example.com", "London")]
