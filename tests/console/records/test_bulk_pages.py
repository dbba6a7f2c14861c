"""Saved filters above the lists, and doing one thing with many records: pages, words, and what is refused."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.audience.models import Company, Person, SavedFilter
from apps.audience.selectors import saved_filters as selectors
from apps.sync.bulk import advance_bulk
from apps.sync.models import BulkAction
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE

pytestmark = pytest.mark.django_db


def make(tenant: Tenant, *people: tuple[str, str]) -> list[int]:
    with tenant_transaction(tenant.pk):
        return [Person.objects.create(last_name=name, city=city).pk for name, city in people]


def rule(tenant: Tenant, name: str = "Romans", **changes: str) -> dict[str, str]:
    """What the filter's form sends."""
    row = {"field": "city", "operator": "equals", "value": "Rome"} | changes
    return {"tenant": str(tenant.pk), "name": name, "filter.match": "all"} | {
        f"filter.0.{key}": value for key, value in row.items()
    }


def test_a_filter_is_saved_chosen_changed_and_removed(tenant: Tenant, marketer: Client) -> None:
    make(tenant, ("Romulus", "Rome"), ("Olaf", "Oslo"))
    answer = marketer.post(reverse("console:filters-new", args=["people"]), rule(tenant), follow=True)
    page = answer.content.decode()
    assert "Romulus" in page
    assert "Olaf" not in page
    with tenant_transaction(tenant.pk):
        saved = SavedFilter.objects.get()
    edit = reverse("console:filters-edit", args=[saved.pk])
    assert 'value="Rome"' in marketer.get(edit).content.decode()
    answer = marketer.post(edit, rule(tenant, "Northerners", value="Oslo"), follow=True)
    assert "Olaf" in answer.content.decode()
    marketer.post(reverse("console:filters-remove", args=[saved.pk]), {"tenant": tenant.pk})
    assert "?filter=" not in marketer.get("/people/").content.decode()


def test_the_builders_buttons_save_nothing(tenant: Tenant, marketer: Client) -> None:
    form = rule(tenant) | {"filter.do": "rule:"}
    answer = marketer.post(reverse("console:filters-new", args=["companies"]), form)
    assert answer.status_code == 200
    with tenant_transaction(tenant.pk):
        assert not SavedFilter.objects.exists()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_values_are_shown_as_they_are_or_refused(tenant: Tenant, marketer: Client, text: str) -> None:
    answer = marketer.post(reverse("console:filters-new", args=["people"]), rule(tenant, text[:80], value=text[:255]))
    assert answer.status_code in {302, 422}
    page = marketer.get("/people/").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_filter_that_no_index_answers_says_how_far_it_has_looked(
    tenant: Tenant, marketer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(selectors, "_STRIDE", 2)
    make(tenant, ("Remus", "Rome"), ("Olaf", "Oslo"), ("Kari", "Oslo"))
    page = marketer.post(reverse("console:filters-new", args=["people"]), rule(tenant), follow=True).content.decode()
    assert "2 records were looked at" in page
    following = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Remus" in marketer.get(following).content.decode()


def test_ticked_people_are_asked_about_and_then_pushed(tenant: Tenant, marketer: Client) -> None:
    ids = make(tenant, ("One", ""), ("Two", ""), ("Three", ""))
    ask = {"tenant": tenant.pk, "action": "push", "id": ids[:2]}
    page = marketer.post(reverse("console:bulk-ask", args=["people"]), ask).content.decode()
    assert "Push: 2 people?" in page
    answer = marketer.post(reverse("console:bulk-start", args=["people"]), ask)
    with tenant_transaction(tenant.pk):
        action = BulkAction.objects.get()
    assert answer["Location"] == reverse("console:bulk-detail", args=[action.pk])
    assert 'hx-trigger="every 2s"' in marketer.get(answer["Location"]).content.decode()
    advance_bulk(tenant.pk, action.pk)
    page = marketer.get(answer["Location"]).content.decode()
    assert "Done" in page
    assert "every 2s" not in page


def test_all_that_match_the_search_are_counted_and_frozen(tenant: Tenant, marketer: Client) -> None:
    ids = make(tenant, ("Smith", ""), ("Smithson", ""), ("Jones", ""))
    form = {"tenant": tenant.pk, "action": "deactivate", "scope": "all", "query": "q=smith"}
    assert "Deactivate: 2 people?" in marketer.post(reverse("console:bulk-ask", args=["people"]), form).content.decode()
    marketer.post(reverse("console:bulk-start", args=["people"]), form)
    with tenant_transaction(tenant.pk):
        assert BulkAction.objects.get().criteria["ids"] == ids[:2]


def test_all_companies_that_match_the_filters_are_meant(tenant: Tenant, marketer: Client) -> None:
    with tenant_transaction(tenant.pk):
        Company.objects.create(name="Acme")
        Company.objects.create(name="Gone", is_active=False)
    form: dict[str, Any] = {"tenant": tenant.pk, "action": "push", "scope": "all", "query": "status=yes"}
    assert "Push: 1 company?" in marketer.post(reverse("console:bulk-ask", args=["companies"]), form).content.decode()
    marketer.post(reverse("console:bulk-start", args=["companies"]), form)
    with tenant_transaction(tenant.pk):
        action = BulkAction.objects.get()
    advance_bulk(tenant.pk, action.pk)
    with tenant_transaction(tenant.pk):
        assert BulkAction.objects.get().looked_at == 1


def test_nothing_ticked_and_unknown_deeds_are_told_so(tenant: Tenant, marketer: Client) -> None:
    ask = reverse("console:bulk-ask", args=["people"])
    answer = marketer.post(ask, {"tenant": tenant.pk, "action": "push", "query": "linked=no&q=\0x"}, follow=True)
    assert "Tick the people first." in answer.content.decode()
    assert answer.request["QUERY_STRING"] == "linked=no&q=x"
    for form in ({"action": "explode", "id": "1"}, {"action": "", "id": "1"}):
        assert marketer.post(ask, {"tenant": tenant.pk} | form).status_code == 404
    assert marketer.post(reverse("console:bulk-ask", args=["deals"]), {"tenant": tenant.pk}).status_code == 404
    forged = {"tenant": tenant.pk, "action": "push", "id": ["-1", "9" * 40, "x", "٣", "\0"]}
    assert "Tick the people first." in marketer.post(ask, forged, follow=True).content.decode()


def test_a_viewer_sees_no_buttons(tenant: Tenant, viewer: Client) -> None:
    make(tenant, ("One", ""))
    page = viewer.get("/people/").content.decode()
    assert "bulk-bar" not in page
    assert "New filter" not in page
