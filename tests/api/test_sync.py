"""The sync over the API: how it does, starting it, its runs and its errors."""

from typing import Any

import pytest
from django.utils import timezone

from apps.audience.models import Company, Opportunity
from apps.field_mappings.setup import seed_custom_profile
from apps.integrations.models import Connection
from apps.sync.models import RunKind, RunState, Schedule, SyncRun, Watermark
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.sync_settings.models import SyncSettings
from apps.tenants.models import AuditEntry, Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.conftest import Caller
from tests.console.records.conftest import linked_person

pytestmark = pytest.mark.django_db


def test_without_a_connection_the_status_says_so_and_nothing_can_be_started(call: Caller) -> None:
    body = call("GET", "/sync/").body
    assert (body["connection"], body["syncs_enabled"], body["covered_to"]) == (None, False, None)
    for path in ("/sync/full/", "/sync/differential/"):
        answer = call("POST", path)
        assert (answer.status, answer.code) == (409, "not_connected")


def test_the_status_tells_health_runs_queue_and_errors(call: Caller, connected: Connection, tenant: Tenant) -> None:
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        Watermark.objects.create(connection_id=connected.pk, sobject="Lead", covered_to=now)
        Schedule.objects.create(connection_id=connected.pk, differential_due_at=now)
        SyncRun.objects.create(
            connection_id=connected.pk, kind=RunKind.DIFFERENTIAL, state=RunState.COMPLETED, finished_at=now
        )
        record_errors([ErrorFact(category="row_locked", message="x")], connection_id=connected.pk, run_id=None, at=now)
    call("POST", "/people/", {"last_name": "x"})
    body = call("GET", "/sync/").body
    assert body["connection"]["org_name"] == "Northwind"
    assert body["connection"]["health"] == "healthy"
    assert (body["open_run"], body["last_run"]["kind"]) == (None, "differential")
    assert body["covered_to"] == body["next_sync_at"] == now.isoformat().replace("+00:00", "Z")
    assert body["queue"] == {"waiting": 1, "in_flight": 0, "held": 0}
    assert body["open_errors"] == {"row_locked": 1}
    assert "token" not in call("GET", "/sync/").text


def test_a_record_is_synced_now_and_its_run_can_be_followed(
    call: Caller, connected: Connection, tenant: Tenant
) -> None:
    stranded = call("POST", "/people/", {"last_name": "x"}).body
    refused = call("POST", f"/people/{stranded['id']}/sync/")
    assert (refused.status, refused.code) == (409, "cannot_start")
    with tenant_transaction(tenant.pk):
        seed_custom_profile(connected)
        made = {"id": linked_person(connected).pk}
    answer = call("POST", f"/people/{made['id']}/sync/")
    assert answer.status == 202, answer.text
    run = answer.body
    assert (run["kind"], run["record"], run["is_open"]) == ("record", {"type": "person", "id": made["id"]}, True)
    assert run["requested_by"] == "API key Website"
    assert answer.headers["Location"] == f"/api/v1/runs/{run['id']}/"
    assert call("POST", f"/people/{made['id']}/sync/").body["id"] == run["id"]
    assert call("GET", f"/runs/{run['id']}/").body["objects"] == []
    assert [row["id"] for row in call("GET", "/runs/?kind=record&state=queued").body["results"]] == [run["id"]]
    assert call("POST", f"/runs/{run['id']}/cancel/").body["state"] == "cancelling"


def test_a_full_sync_is_started_once_and_turns_syncs_on_where_asked(
    call: Caller, connected: Connection, tenant: Tenant
) -> None:
    with tenant_transaction(tenant.pk):
        SyncSettings.objects.update(syncs_enabled=False)
    refused = call("POST", "/sync/full/")
    assert (refused.status, refused.code) == (409, "cannot_start")
    started = call("POST", "/sync/full/", {"turn_on": True})
    assert (started.status, started.body["kind"]) == (202, "full")
    assert call("POST", "/sync/full/").body["id"] == started.body["id"]
    assert call("GET", "/sync/").body["open_run"]["id"] == started.body["id"]
    assert call("POST", "/sync/differential/").status == 409
    with tenant_transaction(tenant.pk):
        assert SyncRun.objects.count() == 1
        audited = AuditEntry.objects.filter(action__in=["full_sync_started", "settings_changed"])
        assert {entry.actor_label for entry in audited} == {"API key Website"}


def test_errors_are_listed_with_what_helps_cleared_and_retried(
    call: Caller, stranger: Caller, connected: Connection, tenant: Tenant
) -> None:
    now = timezone.now()
    facts = [
        ErrorFact(category="row_locked", message=f"Row {n}", local_type="person", local_id=n, record_label=f"P{n}")
        for n in (1, 2, 3)
    ]
    with tenant_transaction(tenant.pk):
        record_errors(facts, connection_id=connected.pk, run_id=None, at=now)
        ids = list(SyncError.objects.order_by("id").values_list("id", flat=True))
    listed = call("GET", "/errors/?category=row_locked").body["results"]
    assert sorted(row["id"] for row in listed) == ids
    assert all(row["title"] and row["help"] for row in listed)
    assert [row["record_label"] for row in call("GET", "/errors/?person=2").body["results"]] == ["P2"]
    assert call("GET", f"/errors/{ids[0]}/").body["record"]["type"] == "person"
    assert stranger("POST", "/errors/clear/", {"ids": ids}).body == {"count": 0}
    assert stranger("POST", "/errors/retry/", {"ids": ids}).body == {"count": 0}
    assert call("POST", "/errors/retry/", {"ids": ids[:1]}).body == {"count": 1}
    assert call("GET", f"/errors/{ids[0]}/").body["state"] == "retrying"
    assert call("POST", "/errors/clear/", {"ids": [*ids, 2**62]}).body == {"count": 3}
    assert call("GET", "/errors/").body["results"] == []
    assert len(call("GET", "/errors/?state=cleared").body["results"]) == 3
    refused: list[dict[str, Any]] = [{}, {"ids": []}, {"ids": "all"}, {"ids": [1] * 501}]
    for bad in refused:
        assert call("POST", "/errors/clear/", bad).status == 400


def test_companies_are_written_and_opportunities_read(call: Caller, stranger: Caller, tenant: Tenant) -> None:
    made = call("POST", "/companies/", {"name": "Engines", "website": "https://www.engines.example/x", "employees": 3})
    assert (made.status, made.body["domain"], made.headers["ETag"]) == (201, "engines.example", '"1"')
    path = f"/companies/{made.body['id']}/"
    assert call("PATCH", path, {"industry": "Machines", "version": 1, "external_key": "c-1"}).body["version"] == 3
    assert call("PATCH", path, {"industry": "Toys", "version": 1}).code == "overtaken"
    assert call("POST", "/companies/", {"name": "Other", "external_key": "c-1"}).code == "external_key_taken"
    assert call("POST", "/companies/", {"website": "x.example"}).status == 400
    assert call("PATCH", path, {"name": ""}).status == 400
    found = call("GET", "/companies/?domain=www.ENGINES.example&external_key=c-1&is_active=true&linked=false").body
    assert [row["id"] for row in found["results"]] == [made.body["id"]]
    assert call("POST", f"{path}deactivate/").body["is_active"] is False
    assert call("POST", f"{path}reactivate/").body["is_active"] is True
    with tenant_transaction(tenant.pk):
        company = Company.objects.get()
        deal: Any = Opportunity.objects.create(name="Big deal", stage="Won", amount="12.50", company=company)
    seen = call("GET", f"/opportunities/{deal.pk}/").body
    assert (seen["amount"], seen["company"], seen["stage"]) == ("12.5", company.pk, "Won")
    assert len(call("GET", f"/opportunities/?stage=Won&is_closed=false&company={company.pk}").body["results"]) == 1
    assert call("PATCH", f"/opportunities/{deal.pk}/", {"stage": "x"}).status == 405
    for hidden in (path, f"/opportunities/{deal.pk}/"):
        assert stranger("GET", hidden).status == 404
