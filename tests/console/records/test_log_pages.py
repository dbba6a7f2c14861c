"""The activity log: runs while they go on, what they did to each row, and stopping them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.audience.models import Person
from apps.integrations.models import Connection, ConnectionState
from apps.sync.models import EntryAction, ObjectStage, RunEntry, RunKind, RunLane, RunObject, RunState, SyncRun
from apps.tenants.models import AuditEntry, Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE
from tests.console.records.test_people_pages import page

LOG = "/integrations/salesforce/log/"


@pytest.fixture
def run(tenant: Tenant, salesforce: Connection) -> SyncRun:
    """A full sync in the middle of its leads."""
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        made: SyncRun = SyncRun.objects.create(
            connection_id=salesforce.pk, kind=RunKind.FULL, state=RunState.RUNNING, step="Syncing Leads",
            requested_by_label="Ada", started_at=now - timedelta(seconds=100), warnings=["Notes are not synced."],
        )  # fmt: skip
        RunObject.objects.create(
            run=made, position=0, sobject="Account", label="Accounts", stage=ObjectStage.FETCHED, is_done=True,
            expected=500, fetched=500, created=500,
            started_at=now - timedelta(seconds=100), finished_at=now - timedelta(seconds=90),
        )  # fmt: skip
        RunObject.objects.create(
            run=made, position=1, sobject="Lead", label="Leads", stage=ObjectStage.FETCHING, expected=25000,
            fetched=12000, created=9000, updated=800, unchanged=150, skipped=30, failed=20,
            skip_reasons={"missing_parent": 20, "filtered": 10}, started_at=now - timedelta(seconds=90),
        )  # fmt: skip
    return made


def test_a_running_run_shows_phase_rate_and_time_left_and_asks_again(viewer: Client, run: SyncRun) -> None:
    html = page(viewer, f"{LOG}{run.pk}/")
    for words in (
        "Full sync", "Syncing Leads", "Fetching and saving", "10,000 of 25,000", "12,000 fetched", "rows/s", "left",
        "Notes are not synced.", "20 its parent is not synced", "10 left out by the step&#x27;s filter",
        'hx-trigger="every 2s"', "Records are visible as they arrive",
    ):  # fmt: skip
        assert words in html, words


def test_a_push_counts_what_reached_salesforce_and_names_nobody_twice(
    viewer: Client, tenant: Tenant, run: SyncRun
) -> None:
    with tenant_transaction(tenant.pk):
        push = SyncRun.objects.create(
            connection_id=run.connection_id, kind=RunKind.OUTBOUND, trigger="system", requested_by_label="Syncline"
        )
    html = page(viewer, f"{LOG}{push.pk}/")
    assert "changed in Salesforce" in html
    assert "rows from Salesforce" not in html
    assert "Started by Syncline by" not in html


def test_while_a_full_sync_runs_the_next_step_is_to_watch_it(viewer: Client, tenant: Tenant, run: SyncRun) -> None:
    home = "/integrations/salesforce/"
    assert f'href="{LOG}{run.pk}/">Watch the full sync' in page(viewer, home)
    with tenant_transaction(tenant.pk):
        SyncRun.objects.filter(id=run.pk).update(state=RunState.FAILED)
    html = page(viewer, home)
    assert "Run a full sync" in html
    assert "Watch the full sync" not in html


def test_a_connection_to_renew_has_its_button_in_the_warning(
    viewer: Client, member: Callable[[Role], Client], tenant: Tenant, salesforce: Connection
) -> None:
    home = "/integrations/salesforce/"
    with tenant_transaction(tenant.pk):
        Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT, health_reason="The access has ended.")
    html = page(member(Role.OWNER), home)
    assert html.count('form="reconnect"') == html.count('id="reconnect"') == 1
    told = page(viewer, home)
    assert "An admin has to reconnect it." in told
    assert 'reconnect"' not in told


def test_a_closed_run_no_longer_asks(viewer: Client, tenant: Tenant, run: SyncRun) -> None:
    with tenant_transaction(tenant.pk):
        SyncRun.objects.filter(id=run.pk).update(state=RunState.COMPLETED, finished_at=timezone.now(), step="")
    html = page(viewer, f"{LOG}{run.pk}/")
    assert "every 2s" not in html
    assert "Completed" in html


def test_counters_add_up_in_the_list(viewer: Client, run: SyncRun) -> None:
    html = page(viewer, LOG)
    for words in (
        'data-label="Read">10,500<',
        'data-label="Created">9,500<',
        'data-label="Failed">20<',
        "Ada",
        "Warnings",
    ):
        assert words in html, words
    assert f"{LOG}{run.pk}/" in html


@pytest.mark.parametrize("query", ["state=completed", "kind=record", "state=completed&kind=full"])
@pytest.mark.usefixtures("run")
def test_runs_are_filtered(viewer: Client, query: str) -> None:
    assert "Nothing matches" in page(viewer, f"{LOG}?{query}")


def test_a_marketer_cancels_a_run_and_a_viewer_does_not(
    marketer: Client, viewer: Client, tenant: Tenant, run: SyncRun
) -> None:
    with tenant_transaction(tenant.pk):
        RunLane.objects.create(run=run, name="fetch")
    url = f"{LOG}{run.pk}/cancel/"
    assert viewer.post(url, {"tenant": tenant.pk}).status_code == 403
    assert "Cancel run" not in page(viewer, f"{LOG}{run.pk}/")
    assert "Cancel run" in page(marketer, f"{LOG}{run.pk}/")
    assert marketer.get(url).status_code == 405
    response = marketer.post(url, {"tenant": tenant.pk}, follow=True)
    assert "asked to stop" in response.content.decode()
    with tenant_transaction(tenant.pk):
        assert SyncRun.objects.get(id=run.pk).state == RunState.CANCELLING


def entry(run: SyncRun, **fields: Any) -> RunEntry:
    made: RunEntry = RunEntry.objects.create(
        **{"run_id": run.pk, "sobject": "Lead", "remote_id": "00Q000000000001AAA", "local_type": "person"} | fields
    )
    return made


def test_rows_show_before_and_after_and_the_rule(viewer: Client, tenant: Tenant, run: SyncRun) -> None:
    with tenant_transaction(tenant.pk):
        person = Person.objects.create(first_name="Ada", last_name="Lovelace")
        entry(
            run, local_id=person.pk, action=EntryAction.UPDATED,
            changes={"city": {"before": "London", "after": "Turin", "rule": "conflict_remote", "lost": "Paris"},
                     "email_opt_out": {"before": "false", "after": "true", "rule": "consent"}},
        )  # fmt: skip
        entry(run, local_id=None, action=EntryAction.FAILED, remote_id="00Q000000000002AAA")
    html = page(viewer, f"{LOG}{run.pk}/rows/")
    for words in (
        "Ada Lovelace", "London", "Turin", "Both sides had changed it; Salesforce wins.", "Not used", "Paris",
        "E-mail opt-out", "An opt-out on either side counts on both.", "See the error",
    ):  # fmt: skip
        assert words in html, words
    failed = page(viewer, f"{LOG}{run.pk}/rows/?action=failed&object=Lead")
    assert "00Q000000000002AAA" in failed
    assert "Lovelace" not in failed
    assert "Nothing matches" in page(viewer, f"{LOG}{run.pk}/rows/?object=Account")


def test_the_number_of_questions_does_not_grow_with_the_rows(viewer: Client, tenant: Tenant, run: SyncRun) -> None:
    def questions(url: str) -> int:
        with CaptureQueriesContext(database) as captured:
            page(viewer, url)
        return len(captured)

    def work() -> None:
        with tenant_transaction(tenant.pk):
            person = Person.objects.create(last_name="Lovelace")
            entry(run, local_id=person.pk, action=EntryAction.CREATED)

    work()
    one = questions(f"{LOG}{run.pk}/rows/")
    for _ in range(20):
        work()
    assert questions(f"{LOG}{run.pk}/rows/") == one


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_harmless_on_the_page_and_in_the_download(
    viewer: Client, tenant: Tenant, run: SyncRun, text: str
) -> None:
    with tenant_transaction(tenant.pk):
        entry(run, local_id=None, action=EntryAction.UPDATED,
              changes={"city": {"before": text, "after": text, "rule": "remote_moved", "lost": text}})  # fmt: skip
    html = page(viewer, f"{LOG}{run.pk}/rows/")
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    response = viewer.get(f"{LOG}{run.pk}/rows.csv")
    assert b"Lead,00Q000000000001AAA" in b"".join(response.streaming_content)  # type: ignore[attr-defined]  # the stubs know no streams


@pytest.mark.parametrize("path", ["{}/", "{}/rows/", "{}/rows.csv"])
def test_another_tenants_run_is_not_found(viewer: Client, other_tenant: Tenant, path: str) -> None:
    with tenant_transaction(other_tenant.pk):
        link = Connection.objects.create(
            login_url="https://login.salesforce.com",
            instance_url="https://x.my.salesforce.com",
            org_id="00D",
            api_version="62.0",
        )
        theirs = SyncRun.objects.create(connection_id=link.pk, kind=RunKind.FULL)
    assert viewer.get(LOG + path.format(theirs.pk)).status_code == 404
    assert viewer.get(f"{LOG}99999999999999999999/").status_code == 404


def test_cancelling_is_written_down(marketer: Client, tenant: Tenant, run: SyncRun) -> None:
    marketer.post(f"{LOG}{run.pk}/cancel/", {"tenant": tenant.pk})
    marketer.post(f"{LOG}{run.pk}/cancel/", {"tenant": tenant.pk})
    with tenant_transaction(tenant.pk):
        assert AuditEntry.objects.filter(action="full_sync_cancelled").count() == 1
