"""What a person does to waiting changes: cancel them, release those that are held."""

import pytest
from django.utils import timezone

from apps.outbox.models import OutboundChange, OutboxDue
from apps.outbox.queue import queue_change
from apps.outbox.selectors import QueueFilter, counts_by_state, outbound_changes
from apps.outbox.services import Cancelled, cancel_changes, release_changes
from apps.tenants.models import AuditEntry, Tenant
from apps.tenants.scope import tenant_transaction

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


def change(local_id: int, *fields: str, state: str = "waiting", local_type: str = "person") -> int:
    queue_change(local_type=local_type, local_id=local_id, fields=fields or ["title"], origin="user", at=timezone.now())
    row = OutboundChange.objects.get(local_type=local_type, local_id=local_id)
    reason = "The title is too long." if state == "held" else ""
    OutboundChange.objects.filter(id=row.pk).update(state=state, reason=reason, attempts=3)
    return int(row.pk)


def test_cancelled_changes_are_gone_and_audited() -> None:
    ids = [change(1), change(2, state="held"), change(3)]
    assert cancel_changes(ids=ids[:2], user=None) == Cancelled(2, 0, 0)
    assert [row.local_id for row in OutboundChange.objects.all()] == [3]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("changes_cancelled", "2 waiting changes")
    assert entry.before == {"changes": "person 1: title; person 2: title"}


def test_what_is_on_its_way_is_not_stopped() -> None:
    assert cancel_changes(ids=[change(1, state="in_flight")], user=None) == Cancelled(0, 0, 1)
    assert OutboundChange.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_an_opt_out_goes_on_waiting_alone() -> None:
    both, alone = change(1, "title", "email_opt_out"), change(2, "email_opt_out")
    assert cancel_changes(ids=[both, alone], user=None) == Cancelled(0, 2, 0)
    assert [list(row.fields) for row in OutboundChange.objects.order_by("id")] == [["email_opt_out"]] * 2
    assert AuditEntry.objects.get().subject == "1 waiting change"


def test_held_changes_are_tried_again_at_once() -> None:
    held, waiting = change(1, state="held"), change(2)
    OutboxDue.objects.update(due_at=None)
    assert release_changes(ids=[held, waiting], user=None) == 1
    row = OutboundChange.objects.get(id=held)
    assert (row.state, row.reason, row.attempts) == ("waiting", "", 0)
    assert OutboundChange.objects.get(id=waiting).attempts == 3
    assert OutboxDue.objects.get().due_at is not None
    assert AuditEntry.objects.get().action == "changes_released"
    assert release_changes(ids=[held], user=None) == 0


def test_changes_are_counted_and_found_by_state_and_record() -> None:
    change(1)
    change(2, state="held")
    change(2, local_type="company")
    assert {one.state: one.count for one in counts_by_state()} == {"waiting": 2, "in_flight": 0, "held": 1}
    assert outbound_changes(QueueFilter(state="held")).count() == 1
    assert [c.local_type for c in outbound_changes(QueueFilter(records={"company": [2], "person": []}))] == ["company"]
    assert outbound_changes(QueueFilter(records={})).count() == 0


def test_another_tenants_changes_are_out_of_reach(other_tenant: Tenant) -> None:
    with tenant_transaction(other_tenant.pk):
        theirs = change(1, state="held")
    assert cancel_changes(ids=[theirs], user=None) == Cancelled(0, 0, 0)
    assert release_changes(ids=[theirs], user=None) == 0
