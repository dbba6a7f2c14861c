"""The sync errors pages: words, remedies, clearing one, some and all, and a harmless export."""

import csv
import io
from collections.abc import Sequence

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.integrations.models import Connection
from apps.sync_errors.models import ErrorState, SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import AuditEntry, Tenant
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE
from tests.console.records.test_people_pages import page

ERRORS = "/integrations/salesforce/errors/"


def record(tenant: Tenant, connection: Connection, facts: Sequence[ErrorFact]) -> None:
    with tenant_transaction(tenant.pk):
        record_errors(facts, connection_id=connection.pk, run_id=1, at=timezone.now())


def fact(n: int, category: str = "too_long", label: str = "", raw: str = "", field: str = "") -> ErrorFact:
    return ErrorFact(
        category=category,
        message=f"Row {n} is wrong.",
        sobject="Lead",
        remote_id=f"00Q{n:012}AAA",
        record_label=label or f"Person {n:03}",
        raw=raw,
        field=field,
    )


def live(tenant: Tenant) -> int:
    with tenant_transaction(tenant.pk):
        return SyncError.objects.filter(state=ErrorState.OPEN).count()


def test_an_error_says_what_happened_why_and_what_helps(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    record(tenant, salesforce, [fact(1, raw='{"errorCode":"STRING_TOO_LONG"}', field="City"), fact(2, "invalid_grant")])
    html = page(viewer, ERRORS)
    for words in ("A value is too long", "Row 1 is wrong.", "Shorten the value.", "Person 001", "Open the connection"):
        assert words in html, words
    with tenant_transaction(tenant.pk):
        error = SyncError.objects.get(category="too_long")
    detail = page(viewer, f"{ERRORS}{error.pk}/")
    for words in ("The field holds fewer characters.", "STRING_TOO_LONG", "City",
                  "https://northwind.my.salesforce.com/00Q000000000001AAA", "From Salesforce"):  # fmt: skip
        assert words in detail, words


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=person+00", 9),
        ("q=person+001", 1),
        ("q=00Q000000000003AAA", 1),
        ("category=invalid_email", 3),
        ("object=Contact", 0),
        ("object=Lead", 12),
        ("state=cleared", 0),
        ("state=every", 12),
        ("age=day", 12),
        ("age=older", 0),
        ("q=%25", 0),
    ],
)
def test_errors_are_searched_and_filtered(
    viewer: Client, tenant: Tenant, salesforce: Connection, query: str, shown: int
) -> None:
    record(tenant, salesforce, [fact(n, "invalid_email" if n > 9 else "too_long") for n in range(1, 13)])
    assert page(viewer, f"{ERRORS}?{query}").count('data-label="What happened"') == shown


@pytest.mark.parametrize("sort", ["last-seen", "oldest-seen", "newest", "first-seen", "record", "record-back"])
def test_each_sort_pages_through_all_errors(viewer: Client, tenant: Tenant, salesforce: Connection, sort: str) -> None:
    record(tenant, salesforce, [fact(n) for n in range(60)])
    first = page(viewer, f"{ERRORS}?sort={sort}")
    assert first.count('data-label="What happened"') == 50
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert page(viewer, older).count('data-label="What happened"') == 10


def test_a_marketer_clears_one_the_ticked_and_all_that_match(
    marketer: Client, tenant: Tenant, salesforce: Connection
) -> None:
    record(tenant, salesforce, [fact(n, "invalid_email" if n > 9 else "too_long") for n in range(1, 13)])
    with tenant_transaction(tenant.pk):
        ids = list(SyncError.objects.filter(category="too_long").values_list("id", flat=True))
    marketer.post(f"{ERRORS}clear/", {"tenant": tenant.pk, "error": [ids[0]]})
    assert live(tenant) == 11
    marketer.post(f"{ERRORS}clear/", {"tenant": tenant.pk, "error": [ids[0], ids[1], ids[2], "x", "-1", "9" * 30]})
    assert live(tenant) == 9
    assert "Clear 3 errors?" in page(marketer, f"{ERRORS}clear-all/?category=invalid_email")
    marketer.post(f"{ERRORS}clear-all/?category=invalid_email", {"tenant": tenant.pk})
    assert live(tenant) == 6
    with tenant_transaction(tenant.pk):
        audited = AuditEntry.objects.filter(action="errors_cleared").order_by("id").values_list("subject", flat=True)
        assert list(audited) == ["1 sync errors", "2 sync errors", "3 sync errors"]


def test_a_viewer_clears_nothing(viewer: Client, tenant: Tenant, salesforce: Connection) -> None:
    record(tenant, salesforce, [fact(1)])
    assert viewer.post(f"{ERRORS}clear/", {"tenant": tenant.pk, "error": ["1"]}).status_code == 403
    assert viewer.get(f"{ERRORS}clear-all/").status_code == 403
    assert "Clear selected" not in page(viewer, ERRORS)
    assert live(tenant) == 1


def test_a_form_of_another_tenant_clears_nothing(
    marketer: Client, tenant: Tenant, other_tenant: Tenant, salesforce: Connection
) -> None:
    record(tenant, salesforce, [fact(1)])
    assert marketer.post(f"{ERRORS}clear-all/", {"tenant": other_tenant.pk}).status_code == 409
    assert live(tenant) == 1


def test_the_export_is_whole_and_opens_without_running_anything(
    viewer: Client, tenant: Tenant, salesforce: Connection
) -> None:
    labels = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'a "quoted", name', "line\nbreak", "Zoë 👩‍👧"]
    record(tenant, salesforce, [fact(n, label=label) for n, label in enumerate(labels)])
    record(tenant, salesforce, [fact(n) for n in range(100, 1200)])
    response = viewer.get(f"{ERRORS}errors.csv")
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # the stubs know no streams
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(labels) + 1100
    shown = {row["Record"] for row in rows}
    assert {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", 'a "quoted", name', "line\nbreak", "Zoë 👩‍👧"} <= shown
    assert response["Content-Disposition"] == 'attachment; filename="syncline-errors.csv"'


def test_the_number_of_questions_does_not_grow_with_the_rows(
    viewer: Client, tenant: Tenant, salesforce: Connection
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(database) as captured:
            page(viewer, ERRORS)
        return len(captured)

    record(tenant, salesforce, [fact(1)])
    one = questions()
    record(tenant, salesforce, [fact(n) for n in range(2, 40)])
    assert questions() == one


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_shown_as_text(viewer: Client, tenant: Tenant, salesforce: Connection, text: str) -> None:
    with tenant_transaction(tenant.pk):
        record_errors(
            [ErrorFact(category="internal", message=text, record_label=text, raw=text, field=text[:100],
                       details={"candidates": text}, remote_id="javascript:alert")],
            connection_id=salesforce.pk, run_id=None, at=timezone.now(),
        )  # fmt: skip
        error = SyncError.objects.get()
    for url in (ERRORS, f"{ERRORS}{error.pk}/"):
        html = page(viewer, url)
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert 'href="javascript:' not in html
        assert "salesforce.com/javascript" not in html


def test_no_errors_is_good_news(viewer: Client, salesforce: Connection) -> None:
    assert salesforce.pk
    assert viewer.get(ERRORS).status_code == 200


def test_another_tenants_error_is_not_found(viewer: Client, other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        link = Connection.objects.create(
            login_url="https://login.salesforce.com",
            instance_url="https://x.my.salesforce.com",
            org_id="00D",
            api_version="62.0",
        )
        record_errors([fact(1)], connection_id=link.pk, run_id=None, at=timezone.now())
        theirs = SyncError.objects.get()
    assert viewer.get(f"{ERRORS}{theirs.pk}/").status_code == 404
