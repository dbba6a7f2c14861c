"""Companies, opportunities and lists."""

import re

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.audience.models import Company, List, ListKind, ListMembership, Opportunity, OpportunityContactRole, Person
from apps.integrations.models import Connection
from apps.sync.models import RecordLink
from apps.sync_settings.models import SyncSettings
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE
from tests.console.records.test_people_pages import page


def test_a_company_shows_its_people_and_its_opportunities(
    viewer: Client, tenant: Tenant, salesforce: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name="Acme", website="acme.example", domain="acme.example")
        RecordLink.objects.create(
            connection_id=salesforce.pk, remote_id="001000000000001AAA", sobject="Account", company_id=company.pk
        )
        Person.objects.create(last_name="Lovelace", company=company)
        Opportunity.objects.create(name="Big deal", company=company)
    html = page(viewer, f"/companies/{company.pk}/")
    for words in ("Acme", "Lovelace", "Big deal", "https://northwind.my.salesforce.com/001000000000001AAA"):
        assert words in html, words
    assert "Lovelace" in page(viewer, f"/people/?company={company.pk}")
    assert "Acme" in page(viewer, "/companies/?q=acme")
    assert "Nothing matches" in page(viewer, "/companies/?q=globex")


def test_before_a_connection_there_are_no_opportunities(viewer: Client) -> None:
    response = viewer.get("/opportunities/", follow=True)
    assert response.redirect_chain == [(reverse("console:hub"), 302)]
    assert "Opportunities come from Salesforce. Connect it first." in response.content.decode()


@pytest.mark.usefixtures("salesforce")
def test_an_opportunity_is_read_only_and_says_why(viewer: Client, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        person = Person.objects.create(last_name="Lovelace")
        deal = Opportunity.objects.create(name="Engine", stage="Negotiation", amount="1200000.50")
        OpportunityContactRole.objects.create(
            opportunity=deal, person=person, role="Evaluator", is_primary=True, remote_id="00K000000000001AAA"
        )
    html = page(viewer, f"/opportunities/{deal.pk}/")
    for words in ("read-only here, because sales work is done in Salesforce", "Evaluator", "Lovelace", "1,200,000.5"):
        assert words in html, words
    main = html[html.index("<main") :]
    assert "<form" not in main
    assert "Engine" in page(viewer, "/opportunities/?q=eng&stage=Negotiation&closed=no")
    assert "Nothing matches" in page(viewer, "/opportunities/?closed=yes")


@pytest.mark.usefixtures("salesforce")
def test_empty_pages_name_the_gate_that_is_closed(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    assert "Syncs are switched off" in page(viewer, "/people/")
    with tenant_transaction(tenant.pk):
        SyncSettings.objects.update_or_create(connection=salesforce, defaults={"syncs_enabled": True})
    for url in ("/people/", "/companies/", "/opportunities/", "/lists/"):
        assert "No full sync has run yet" in page(viewer, url)


def test_a_campaign_counts_its_members_and_pages_them(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    assert salesforce.pk
    with tenant_transaction(tenant.pk):
        fair = List.objects.create(
            kind=ListKind.CAMPAIGN, name="Fair", status="Planned", remote_id="701000000000001AAA"
        )
        people = Person.objects.bulk_create(Person(last_name=f"Person {n}") for n in range(60))
        ListMembership.objects.bulk_create(
            ListMembership(list=fair, person=one, status="Sent" if n else "Responded") for n, one in enumerate(people)
        )
    overview = page(viewer, "/lists/")
    assert re.search(r'data-label="Members">60<', overview)
    html = page(viewer, f"/lists/{fair.pk}/")
    assert "60 members" in html
    assert "Sent: 59" in html
    assert html.count('data-label="Since"') == 50
    assert "https://northwind.my.salesforce.com/701000000000001AAA" in html


@pytest.mark.parametrize("path", ["/companies/", "/opportunities/", "/lists/"])
def test_the_number_of_questions_does_not_grow_with_the_rows(
    viewer: Client, tenant: Tenant, salesforce: Connection, path: str
) -> None:
    assert salesforce.pk

    def fill(count: int) -> None:
        with tenant_transaction(tenant.pk):
            for n in range(count):
                company = Company.objects.create(name=f"Company {n}")
                Opportunity.objects.create(name=f"Deal {n}", company=company)
                List.objects.create(name=f"List {n}")

    def questions() -> int:
        with CaptureQueriesContext(database) as captured:
            page(viewer, path)
        return len(captured)

    fill(1)
    one = questions()
    fill(20)
    assert questions() == one


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_shown_as_text(viewer: Client, tenant: Tenant, salesforce: Connection, text: str) -> None:
    assert salesforce.pk
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name=text[:250], description=text, website=text[:250])
        deal = Opportunity.objects.create(name=text[:120], next_step=text, stage=text[:250], company=company)
        listed = List.objects.create(name=text[:250], status=text[:250])
    for url in ("/companies/", "/opportunities/", "/lists/", f"/companies/{company.pk}/", f"/opportunities/{deal.pk}/",
                f"/lists/{listed.pk}/"):  # fmt: skip
        html = page(viewer, url)
        assert "<script>alert" not in html
        assert "<img src=x" not in html
