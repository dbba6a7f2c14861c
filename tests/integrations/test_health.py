"""Health in four words: what changes it, what ends it, and one history row and one notice per change (B05, B14)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.domain.budget import PROBE_EVERY
from apps.domain.failures import AuthorizationLost, Category, Failure, Internal, MappingBroken, NotPermitted, Transient
from apps.integrations.health import Proof, delayed, healthy, needs_you, note_failure, paused
from apps.integrations.models import Connection, ConnectionState, Health, HealthCause, HealthChange
from apps.notifications.models import Notice, NoticeKind
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction


@pytest.fixture
def here(connection: Connection, tenant: Tenant) -> Iterator[int]:
    """Inside the tenant; the connection's id."""
    with tenant_transaction(tenant.pk):
        yield connection.pk


def row() -> Connection:
    found: Connection = Connection.objects.get()
    return found


def changes() -> list[tuple[str, str]]:
    return list(HealthChange.objects.order_by("id").values_list("before", "health"))


def test_same_state_again_keeps_since_and_adds_no_history(here: int) -> None:
    delayed(connection_id=here, reason="Busy.")
    since = row().health_since
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        delayed(connection_id=here, reason="Still busy.")
    assert (row().health_since, row().health_reason) == (since, "Still busy.")
    assert changes() == [("healthy", "delayed")]


def test_pause_is_not_made_a_delay_by_a_timeout(here: int) -> None:
    paused(connection_id=here, reason="Maintenance.", cause=HealthCause.MAINTENANCE)
    delayed(connection_id=here, reason="Timeout.")
    assert (row().health, row().health_reason) == (Health.PAUSED, "Maintenance.")


def test_same_cause_may_ease_a_pause_to_a_delay(here: int) -> None:
    paused(connection_id=here, reason="All used.", cause=HealthCause.SHARE)
    delayed(connection_id=here, reason="Nearly all used.", cause=HealthCause.SHARE)
    assert changes() == [("healthy", "paused"), ("paused", "delayed")]


ENDS = {
    (HealthCause.OUTAGE, Proof.READ): True,
    (HealthCause.LOAD, Proof.READ): True,
    (HealthCause.MAINTENANCE, Proof.READ): False,
    (HealthCause.MAINTENANCE, Proof.WRITE): True,
    (HealthCause.ORG_LIMIT, Proof.READ): False,
    (HealthCause.ORG_LIMIT, Proof.WRITE): False,
    (HealthCause.ORG_LIMIT, Proof.BUDGET): True,
    (HealthCause.SHARE, Proof.READ): False,
    (HealthCause.SHARE, Proof.BUDGET): True,
    (HealthCause.OUTAGE, Proof.BUDGET): False,
    (HealthCause.MAINTENANCE, Proof.PERSON): True,
}


@pytest.mark.parametrize(("cause", "proof"), ENDS)
def test_pause_ends_by_the_proof_that_fits_its_cause(here: int, cause: HealthCause, proof: Proof) -> None:
    paused(connection_id=here, reason="Wait.", cause=cause)
    healthy(connection_id=here, proof=proof)
    assert (row().health == Health.HEALTHY) is ENDS[cause, proof]


def test_health_leaves_nothing_behind_when_it_is_good_again(here: int) -> None:
    paused(connection_id=here, reason="All used.", cause=HealthCause.SHARE, resumes_at=timezone.now())
    healthy(connection_id=here, proof=Proof.BUDGET)
    healthy(connection_id=here, proof=Proof.BUDGET)
    now = row()
    assert (now.health, now.health_cause, now.health_reason) == (Health.HEALTHY, "", "")
    assert (now.health_since, now.resumes_at, now.probe_due_at) == (None, None, None)
    assert changes() == [("healthy", "paused"), ("paused", "healthy")]


@pytest.mark.parametrize("cause", [HealthCause.MAINTENANCE, HealthCause.RIGHTS])
def test_refusal_that_nothing_confirms_is_forgotten_after_half_an_hour(here: int, cause: HealthCause) -> None:
    tell = paused if cause is HealthCause.MAINTENANCE else needs_you
    tell(connection_id=here, reason="Refused.", cause=cause)
    with time_machine.travel(timezone.now() + PROBE_EVERY):
        healthy(connection_id=here)
        assert row().health != Health.HEALTHY
        tell(connection_id=here, reason="Refused.", cause=cause)
    with time_machine.travel(timezone.now() + 2.5 * PROBE_EVERY):
        healthy(connection_id=here)
        assert row().health != Health.HEALTHY
    with time_machine.travel(timezone.now() + 3.5 * PROBE_EVERY):
        healthy(connection_id=here)
        assert row().health == Health.HEALTHY


def test_needs_you_is_told_once_until_it_was_over(here: int) -> None:
    for _ in range(3):
        needs_you(connection_id=here, reason="Fewer rows are shown.")
    assert Notice.objects.filter(kind=NoticeKind.NEEDS_YOU).count() == 1
    healthy(connection_id=here, proof=Proof.PERSON)
    needs_you(connection_id=here, reason="Again.")
    assert Notice.objects.filter(kind=NoticeKind.NEEDS_YOU).count() == 2


def test_read_does_not_end_what_only_a_person_can(here: int) -> None:
    needs_you(connection_id=here, reason="Fewer rows are shown.")
    for proof in (Proof.READ, Proof.WRITE, Proof.BUDGET):
        healthy(connection_id=here, proof=proof)
    assert row().health == Health.NEEDS_YOU


def test_connection_that_has_to_be_renewed_is_left_to_reconnect(here: int) -> None:
    needs_you(connection_id=here, reason="Revoked.", cause=HealthCause.GRANT)
    Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT)
    healthy(connection_id=here, proof=Proof.PERSON)
    delayed(connection_id=here, reason="Busy.")
    assert (row().health, row().health_reason) == (Health.NEEDS_YOU, "Revoked.")


FAILURES: list[tuple[Failure, Health, str]] = [
    (AuthorizationLost(Category.INVALID_GRANT, "x"), Health.NEEDS_YOU, HealthCause.GRANT),
    (NotPermitted(Category.API_DISABLED, "x"), Health.NEEDS_YOU, HealthCause.RIGHTS),
    (Transient(Category.REQUEST_LIMIT, "x"), Health.PAUSED, HealthCause.ORG_LIMIT),
    (Transient(Category.MAINTENANCE, "x"), Health.PAUSED, HealthCause.MAINTENANCE),
    (Transient(Category.UNAVAILABLE, "x"), Health.DELAYED, HealthCause.OUTAGE),
    (Transient(Category.CONCURRENT_LIMIT, "x"), Health.DELAYED, HealthCause.LOAD),
    (Transient(Category.ROW_LOCKED, "x"), Health.HEALTHY, ""),
    (Transient(Category.QUERY_TOO_SLOW, "x"), Health.HEALTHY, ""),
    (MappingBroken(Category.FIELD_GONE, "x"), Health.HEALTHY, ""),
    (Internal(Category.INTERNAL, "x"), Health.HEALTHY, ""),
]


@pytest.mark.parametrize(("failure", "health", "cause"), FAILURES, ids=lambda v: getattr(v, "category", None))
def test_failure_says_of_the_connection_what_it_can(here: int, failure: Failure, health: Health, cause: str) -> None:
    note_failure(connection_id=here, failure=failure)
    assert (row().health, row().health_cause) == (health, cause)


def test_limit_is_looked_at_again_after_fifteen_minutes(here: int) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        again = note_failure(connection_id=here, failure=Transient(Category.REQUEST_LIMIT, "x"))
        assert again == timezone.now() + PROBE_EVERY
        assert (row().resumes_at, row().probe_due_at) == (again, again)


def test_wait_that_salesforce_asked_for_is_shown(here: int) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        note_failure(connection_id=here, failure=Transient(Category.UNAVAILABLE, "x", retry_after=600))
        assert row().resumes_at == timezone.now() + timedelta(minutes=10)


def test_history_cannot_be_changed(here: int) -> None:
    paused(connection_id=here, reason="Wait.")
    with pytest.raises(DatabaseError), transaction.atomic():
        HealthChange.objects.update(reason="Nothing happened.")
    with pytest.raises(DatabaseError), transaction.atomic():
        HealthChange.objects.all()._raw_delete("default")


def test_history_of_another_tenant_is_not_seen(here: int, other_tenant: Tenant) -> None:
    paused(connection_id=here, reason="Wait.")
    with tenant_transaction(other_tenant.pk):
        assert not HealthChange.objects.exists()
