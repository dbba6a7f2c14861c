"""Linking by hand on the pages: the forms of a record, the choice an error leaves, and the list of merges."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.audience.models import Company, Person
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection
from apps.outbox.models import OutboundChange
from apps.sync.models import EntryAction, MatchChoice, RecordLink, RunEntry, RunKind, SyncRun
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.sync_settings.services import settings_of
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE, linked_person

pytestmark = pytest.mark.django_db
LEAD, OTHER = "00Q000000000001EAA", "00Q000000000002EAA"


@pytest.fixture
def syncing(tenant: Tenant, salesforce: Connection) -> Connection:
    """The connection with its steps, and syncs on."""
    with tenant_transaction(tenant.pk):
        seed_custom_profile(salesforce)
        settings = settings_of(salesforce)
        settings.syncs_enabled = True
        settings.save()
    return salesforce


def an_error(connection: Connection, way: str = "in", **values: Any) -> SyncError:
    fact = ErrorFact(message="Several fit.", **{"category": "ambiguous_match", "local_type": "company"} | values)
    record_errors([fact], connection_id=connection.pk, run_id=None, at=timezone.now(), way=way)
    found: SyncError = SyncError.objects.latest("id")
    return found


def test_a_record_is_linked_by_the_address_that_was_pasted(
    tenant: Tenant, syncing: Connection, marketer: Client
) -> None:
    with tenant_transaction(tenant.pk):
        person = Person.objects.create(last_name="Byron")
    address = f"https://x.lightning.force.com/lightning/r/Lead/{OTHER}/view"
    form = {"tenant": tenant.pk, "remote_id": address}
    answer = marketer.post(reverse("console:people-link", args=[person.pk]), form)
    with tenant_transaction(tenant.pk):
        assert MatchChoice.objects.get().local_id == person.pk
        run = SyncRun.objects.get(kind=RunKind.RECORD)
        assert (run.remote_sobject, run.remote_id) == ("Lead", OTHER)
    assert f"run={run.pk}" in answer["Location"]


@pytest.mark.parametrize("typed", [*HOSTILE, "", "001000000000001AAA", "\0", "00Q" + "9" * 400])
def test_what_is_no_id_of_a_lead_or_contact_is_refused_in_words(
    tenant: Tenant, syncing: Connection, marketer: Client, typed: str
) -> None:
    with tenant_transaction(tenant.pk):
        person = Person.objects.create(last_name="Byron")
    form = {"tenant": tenant.pk, "remote_id": typed}
    page = marketer.post(reverse("console:people-link", args=[person.pk]), form, follow=True).content.decode()
    assert "no Salesforce id" in page or "id of something else" in page
    with tenant_transaction(tenant.pk):
        assert not MatchChoice.objects.exists()


def test_unlinking_is_told_on_the_record_with_who_did_it(tenant: Tenant, syncing: Connection, marketer: Client) -> None:
    with tenant_transaction(tenant.pk):
        person = linked_person(syncing, LEAD)
    form = {"tenant": tenant.pk, "remote_id": LEAD}
    page = marketer.post(reverse("console:people-unlink", args=[person.pk]), form, follow=True).content.decode()
    assert "Unlinked by hand" in page
    assert f"Unlinked from {LEAD} by hand" in page
    with tenant_transaction(tenant.pk):
        assert RecordLink.objects.get().is_apart


def test_an_ambiguous_row_shows_what_differs_and_is_settled(
    tenant: Tenant, syncing: Connection, marketer: Client
) -> None:
    with tenant_transaction(tenant.pk):
        east = Company.objects.create(name="Acme East", billing_city="Boston")
        west = Company.objects.create(name="Acme West", billing_city="Denver")
        details = {
            "candidates": [{"id": east.pk, "label": "Acme East"}, {"id": west.pk, "label": "Acme West"}],
            "row": {"name": "Acme", "billing_city": "Boston"},
        }
        error = an_error(syncing, sobject="Account", remote_id="001000000000001AAA", details=details)
    page = marketer.get(reverse("console:errors-detail", args=[error.pk])).content.decode()
    assert '<mark title="Differs"><bdi>Denver</bdi></mark>' in page
    assert '<mark title="Differs"><bdi>Boston</bdi></mark>' not in page
    settle = reverse("console:errors-settle", args=[error.pk])
    for choice in ("", "record:", "record:999999", "row:001000000000001AAA", "nonsense"):
        assert marketer.post(settle, {"tenant": tenant.pk, "choice": choice}).status_code == 302
    with tenant_transaction(tenant.pk):
        assert not MatchChoice.objects.exists()
    marketer.post(settle, {"tenant": tenant.pk, "choice": f"record:{west.pk}"})
    with tenant_transaction(tenant.pk):
        assert MatchChoice.objects.get().local_id == west.pk
    marketer.post(settle, {"tenant": tenant.pk, "choice": "new"})
    with tenant_transaction(tenant.pk):
        assert MatchChoice.objects.get().local_id is None


def test_a_held_duplicate_offers_the_rows_that_salesforce_named(
    tenant: Tenant, syncing: Connection, marketer: Client
) -> None:
    with tenant_transaction(tenant.pk):
        taken = linked_person(syncing, OTHER, email="other@x.example", last_name="Taken")
        person = Person.objects.create(last_name="Byron", email="ada@x.example")
        error = an_error(
            syncing, way="out", category="duplicate_detected", sobject="Lead", local_type="person",
            local_id=person.pk, details={"matched_ids": [LEAD, OTHER, "a0X000000000001AAA"]},
        )  # fmt: skip
    page = marketer.get(reverse("console:errors-detail", args=[error.pk])).content.decode()
    assert LEAD in page
    assert reverse("console:people-detail", args=[taken.pk]) in page
    assert "a0X000000000001AAA" not in page
    assert "make a new record" not in page
    settle = reverse("console:errors-settle", args=[error.pk])
    refused = marketer.post(settle, {"tenant": tenant.pk, "choice": f"row:{OTHER}"}, follow=True).content.decode()
    assert "linked with another record" in refused
    marketer.post(settle, {"tenant": tenant.pk, "choice": f"row:{LEAD}"})
    with tenant_transaction(tenant.pk):
        assert (MatchChoice.objects.get().remote_id, MatchChoice.objects.get().local_id) == (LEAD, person.pk)


def test_none_of_the_accounts_there_makes_a_new_one(tenant: Tenant, syncing: Connection, marketer: Client) -> None:
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name="Acme", website="acme.example")
        matched = {"matched_ids": ["001000000000001AAA", "001000000000002AAA"]}
        error = an_error(syncing, way="out", sobject="Account", local_id=company.pk, details=matched)
    settle = reverse("console:errors-settle", args=[error.pk])
    marketer.post(settle, {"tenant": tenant.pk, "choice": "new"})
    with tenant_transaction(tenant.pk):
        assert "make_new" in OutboundChange.objects.get().fields


def test_viewers_choose_nothing_and_closed_errors_leave_no_choice(
    tenant: Tenant, syncing: Connection, viewer: Client
) -> None:
    with tenant_transaction(tenant.pk):
        company = Company.objects.create(name="Acme")
        details = {"candidates": [{"id": company.pk, "label": "Acme"}], "row": {"name": "Acme"}}
        error = an_error(syncing, sobject="Account", remote_id="001000000000001AAA", details=details)
    url = reverse("console:errors-detail", args=[error.pk])
    assert 'name="choice"' not in viewer.get(url).content.decode()
    with tenant_transaction(tenant.pk):
        SyncError.objects.update(state="cleared")
    assert "Which one is it?" not in viewer.get(url).content.decode()


def test_merges_are_listed_with_their_rule(tenant: Tenant, salesforce: Connection, viewer: Client) -> None:
    assert "Nothing was merged" in viewer.get("/integrations/salesforce/log/merges/").content.decode()
    with tenant_transaction(tenant.pk):
        kept, other = Person.objects.create(last_name="Kept"), Person.objects.create(last_name="Other")
        for person, line in ((other, {"before": "CEO", "after": ""}), (kept, {"before": "", "after": "CEO"})):
            RunEntry.objects.create(
                run_id=1, sobject="Lead", remote_id=LEAD, local_type="person", local_id=person.pk,
                action=EntryAction.MERGED, reason="merged", changes={"title": line | {"rule": "merged"}},
            )  # fmt: skip
    page = viewer.get("/integrations/salesforce/log/merges/").content.decode()
    assert "a value that both have is never overwritten" in page
    assert page.index("Stayed") < page.index("Taken in")
