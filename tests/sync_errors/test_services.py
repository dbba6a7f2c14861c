"""Errors fold, count up, close and come back; and the table stays on its indexes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from apps.core.db import app_transaction
from apps.core.paging import Order
from apps.integrations.models import Connection
from apps.sync_errors.models import ErrorState, SyncError
from apps.sync_errors.selectors import (
    FIRST_SEEN,
    LAST_SEEN,
    NEWEST,
    OLDEST_SEEN,
    RECORD,
    RECORD_BACK,
    ErrorFilter,
    live_by_category,
    sync_errors,
)
from apps.sync_errors.services import ErrorFact, clear_errors, record_errors, resolve_errors
from apps.tenants.models import AuditEntry, User
from tests.plans import indexes_of, sorts_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADA = ErrorFact(category="too_long", message="The city is too long.", sobject="Lead", remote_id="00Q000000000001AAA")


@pytest.fixture
def connection_id(in_tenant: Any) -> int:
    made = Connection.objects.create(
        login_url="https://login.salesforce.com",
        instance_url="https://x.my.salesforce.com",
        org_id="00D",
        api_version="62.0",
    )
    return int(made.pk)


def record(connection_id: int, *facts: ErrorFact, run: int = 1, at: datetime = NOW, way: str = "in") -> int:
    return record_errors(facts, connection_id=connection_id, run_id=run, at=at, way=way)


def test_a_repeat_in_another_run_counts_up(connection_id: int) -> None:
    record(connection_id, ADA)
    record(connection_id, ADA, run=2, at=NOW + timedelta(hours=1))
    error = SyncError.objects.get()
    assert (error.occurrences, error.first_seen, error.last_seen) == (2, NOW, NOW + timedelta(hours=1))


def test_the_same_run_counts_an_error_once(connection_id: int) -> None:
    record(connection_id, ADA, ADA)
    record(connection_id, ADA)
    assert SyncError.objects.get().occurrences == 1


def test_thousands_are_a_handful_of_statements(connection_id: int) -> None:
    facts = [ErrorFact(category="too_long", message="x", remote_id=f"00Q{n:012}AAA") for n in range(5000)]
    with CaptureQueriesContext(database) as captured:
        assert record_errors(facts, connection_id=connection_id, run_id=1, at=NOW) == 5000
    assert len(captured) <= 5
    assert SyncError.objects.count() == 5000


def test_text_that_postgresql_cannot_hold_is_kept_without_it(connection_id: int) -> None:
    record(
        connection_id, ErrorFact(category="internal", message="a\0b", raw="\0", details={"x": "c\0d"}, remote_id="r")
    )
    error = SyncError.objects.get()
    assert (error.message, error.raw, error.details) == ("ab", "", {"x": "cd"})


def test_success_closes_the_errors_of_its_way_only(connection_id: int) -> None:
    record(connection_id, ADA)
    record(connection_id, ErrorFact(category="row_locked", message="x", remote_id=ADA.remote_id), way="out")
    assert resolve_errors(connection_id=connection_id, remote_ids=[ADA.remote_id], at=NOW) == 1
    assert {e.category: e.state for e in SyncError.objects.all()} == {"too_long": "resolved", "row_locked": "open"}


@pytest.mark.parametrize("close", [ErrorState.RESOLVED, ErrorState.CLEARED])
def test_a_closed_error_that_happens_again_is_open_again(connection_id: int, close: ErrorState) -> None:
    record(connection_id, ADA)
    SyncError.objects.update(state=close)
    record(connection_id, ADA, run=2)
    assert sorted(e.state for e in SyncError.objects.all()) == sorted([close, ErrorState.OPEN])


def test_clearing_is_audited_with_the_number(connection_id: int) -> None:
    with app_transaction():
        user = User.objects.create_user("ada@example.com")
    record(connection_id, ADA, ErrorFact(category="internal", message="x", remote_id="r"))
    assert clear_errors(errors=SyncError.objects.all(), user=user) == 2
    assert clear_errors(errors=SyncError.objects.all(), user=user) == 0
    assert [entry.subject for entry in AuditEntry.objects.all()] == ["2 sync errors"]
    assert {error.closed_by_id for error in SyncError.objects.all()} == {user.pk}


def test_categories_are_counted_the_most_frequent_first(connection_id: int) -> None:
    record(connection_id, ADA, *(ErrorFact(category="internal", message="x", remote_id=str(n)) for n in range(3)))
    assert [(row.category, row.count) for row in live_by_category()] == [("internal", 3), ("too_long", 1)]


def order_by(order: Order) -> list[str]:
    return [f"-{column}" if order.descending else column for column in order.columns]


@pytest.mark.parametrize(
    ("order", "index"),
    [
        (LAST_SEEN, "sync_error_by_last_seen"),
        (OLDEST_SEEN, "sync_error_by_last_seen"),
        (FIRST_SEEN, "sync_error_by_first_seen"),
        (NEWEST, "sync_error_by_first_seen"),
        (RECORD, "sync_error_by_record"),
        (RECORD_BACK, "sync_error_by_record"),
    ],
)
def test_each_sort_of_live_errors_is_read_off_an_index(connection_id: int, order: Order, index: str) -> None:
    facts = [ErrorFact(category="internal", message="x", remote_id=f"00Q{n:012}AAA") for n in range(2000)]
    record(connection_id, *facts)
    rows = sync_errors(ErrorFilter()).order_by(*order_by(order))[:50]
    assert [use.name for use in indexes_of(rows)] == [index]
    assert sorts_of(rows) == []


def test_errors_of_one_category_are_read_off_its_index(connection_id: int) -> None:
    record(connection_id, *(ErrorFact(category="internal", message="x", remote_id=str(n)) for n in range(2000)))
    rows = sync_errors(ErrorFilter(category="too_long")).order_by(*order_by(LAST_SEEN))[:50]
    assert [use.name for use in indexes_of(rows)] == ["sync_error_by_category"]


@pytest.mark.parametrize(
    ("search", "indexes"),
    [
        ("ada", {"sync_error_by_label"}),
        ("00Q000000000001AAA", {"sync_error_by_label", "sync_error_by_remote_id"}),
    ],
)
def test_search_reads_off_indexes(connection_id: int, search: str, indexes: set[str]) -> None:
    record(connection_id, *(ErrorFact(category="internal", message="x", remote_id=str(n)) for n in range(2000)))
    uses = indexes_of(sync_errors(ErrorFilter(search=search, state="")).order_by())
    assert {use.name for use in uses} == indexes
    assert all("label_key" in use.condition or "remote_id" in use.condition for use in uses)
