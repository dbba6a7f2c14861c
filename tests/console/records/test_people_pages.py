"""The people pages: found, paged, shown harmlessly, and never another tenant's."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.audience.models import (
    CustomField,
    List,
    ListKind,
    ListMembership,
    Opportunity,
    OpportunityContactRole,
    Person,
)
from apps.integrations.models import Connection
from apps.sync.models import EntryAction, RunEntry
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE, linked_person

LIST = "/people/"


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def names(html: str) -> list[str]:
    found = re.findall(r'<a class="break" href="/people/\d+/"><bdi>(.*?)</bdi>', html, re.S)
    return [unescape(name) for name in found]


def beside(html: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return unescape(found[1]) if found else ""


@pytest.fixture
def crowd(tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        Person.objects.bulk_create(Person(last_name=f"Person {n:03}", email=f"p{n}@example.com") for n in range(120))


def test_an_empty_list_says_why_and_what_helps(viewer: Client) -> None:
    html = page(viewer, LIST)
    assert "Salesforce is not connected" in html
    assert f'href="{reverse("console:hub")}"' in html


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("sort", ["newest", "name", "name-back"])
def test_pages_lead_through_everyone_once_and_back(viewer: Client, sort: str) -> None:
    seen, urls, url = [], [], f"{LIST}?sort={sort}"
    while url:
        html = page(viewer, url)
        seen.append(names(html))
        urls.append(url)
        url = beside(html, "next")
    assert [len(part) for part in seen] == [50, 50, 20]
    assert len({name for part in seen for name in part}) == 120
    back = page(viewer, urls[-1])
    assert names(page(viewer, beside(back, "prev"))) == seen[1]


@pytest.mark.usefixtures("crowd")
def test_a_page_stays_put_while_people_arrive(viewer: Client, tenant: Tenant) -> None:
    second = beside(page(viewer, LIST), "next")
    before = names(page(viewer, second))
    with tenant_transaction(tenant.pk):
        Person.objects.bulk_create(Person(last_name=f"New {n}") for n in range(10))
    assert names(page(viewer, second)) == before


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "W10",
        "bnVsbA",
        "WyJuZXdlc3QiLGZhbHNlLCJ4Il0",
        "WyJuZXdlc3QiLGZhbHNlLDFlMzA5XQ",
        "WyJuYW1lIixmYWxzZSwiXHVkODAwIiwxXQ",
        "A" * 9000,
    ],
)
@pytest.mark.parametrize("sort", ["newest", "name"])
def test_a_hostile_cursor_leads_to_the_first_page(viewer: Client, cursor: str, sort: str) -> None:
    assert names(page(viewer, f"{LIST}?sort={sort}&at={cursor}")) == names(page(viewer, f"{LIST}?sort={sort}"))


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    "query",
    [
        "linked=maybe",
        "sort=%00",
        "company=-1",
        "company=99999999999999999999",
        "q=%00",
        "source=%27%3B--",
        "q=" + "a" * 3000,
    ],
)
def test_a_hostile_address_is_answered(viewer: Client, query: str) -> None:
    assert viewer.get(f"{LIST}?{query}").status_code == 200


@pytest.mark.usefixtures("crowd")
def test_search_keeps_its_words_in_the_address_of_the_next_page(viewer: Client) -> None:
    html = page(viewer, f"{LIST}?q=person")
    assert "120 people" in html
    assert "q=person" in beside(html, "next")
    assert len(names(page(viewer, beside(html, "next")))) == 50


def test_a_salesforce_id_finds_its_person_in_either_length(
    viewer: Client, tenant: Tenant, salesforce: Connection
) -> None:
    with tenant_transaction(tenant.pk):
        linked_person(salesforce, remote_id="00Q5e00000abcDEEAY")
    for typed in ("00Q5e00000abcDEEAY", "00Q5e00000abcDE"):
        assert names(page(viewer, f"{LIST}?q={typed}")) == ["Ada Lovelace"]


def test_the_number_of_questions_does_not_grow_with_the_rows(viewer: Client, tenant: Tenant) -> None:
    def questions(url: str) -> int:
        with CaptureQueriesContext(database) as captured:
            page(viewer, url)
        return len(captured)

    with tenant_transaction(tenant.pk):
        Person.objects.create(last_name="Person")
    one = questions(LIST), questions(f"{LIST}?q=person")
    with tenant_transaction(tenant.pk):
        Person.objects.bulk_create(Person(last_name=f"Person {n}") for n in range(60))
    assert (questions(LIST), questions(f"{LIST}?q=person")) == one


def test_a_persons_page_tells_all_that_is_known(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        CustomField.objects.create(record_type="person", key="shoe_size", label="Shoe size", kind="text")
        person = linked_person(salesforce, title="Countess", custom={"shoe_size": "38½"})
        campaign = List.objects.create(kind=ListKind.CAMPAIGN, name="Spring Fair", remote_id="701000000000001AAA")
        ListMembership.objects.create(list=campaign, person=person, status="Responded")
        deal = Opportunity.objects.create(name="Analytical Engine", stage="Negotiation")
        OpportunityContactRole.objects.create(
            opportunity=deal, person=person, role="Decision Maker", remote_id="00K000000000001AAA"
        )
        RunEntry.objects.create(
            run_id=9, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person.pk,
            action=EntryAction.UPDATED, at=now,
            changes={"title": {"before": "Miss", "after": "Countess", "rule": "remote_moved"}},
        )  # fmt: skip
        record_errors(
            [ErrorFact(category="too_long", message="The city is too long.", remote_id="00Q000000000001AAA")],
            connection_id=salesforce.pk, run_id=9, at=now,
        )  # fmt: skip
    html = page(viewer, f"/people/{person.pk}/")
    assert 'href="https://northwind.my.salesforce.com/00Q000000000001AAA" target="_blank" rel="noopener' in html
    for words in (
        "Ada Lovelace", "Countess", "Spring Fair", "Responded", "Analytical Engine", "Decision Maker", "38½",
        "A value is too long", "The city is too long.", "Only Salesforce had changed it.", "Miss", "Leading",
        "From Salesforce Lead", "/integrations/salesforce/log/9/", "/integrations/salesforce/log/7/",
    ):  # fmt: skip
        assert words in html, words


def test_somebody_deleted_in_salesforce_says_so(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(salesforce, is_active=False)
    assert "Deleted in Salesforce on" in page(viewer, f"/people/{person.pk}/")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_shown_as_text(viewer: Client, tenant: Tenant, salesforce: Connection, text: str) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(
            salesforce, first_name=text[:200], title=text[:200], description=text, custom={"a": text}, email=""
        )
        RunEntry.objects.create(
            run_id=9, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person.pk,
            action=EntryAction.UPDATED, changes={"title": {"before": text, "after": text, "rule": text[:50]}},
        )  # fmt: skip
    for url in (LIST, f"/people/{person.pk}/", f"{LIST}?q=lovelace"):
        html = page(viewer, url)
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "49 {%" not in html


@pytest.mark.parametrize("path", ["/people/{}/", "/companies/{}/", "/opportunities/{}/", "/lists/{}/"])
@pytest.mark.parametrize("record_id", ["0", "999999999", "99999999999999999999999"])
def test_what_is_not_there_is_not_found(viewer: Client, salesforce: Connection, path: str, record_id: str) -> None:
    assert salesforce.pk
    assert viewer.get(path.format(record_id)).status_code == 404


def test_another_tenants_person_is_not_found(viewer: Client, other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        hidden: Any = Person.objects.create(last_name="Secret")
    assert viewer.get(f"/people/{hidden.pk}/").status_code == 404
    assert names(page(viewer, f"{LIST}?q=secret")) == []
