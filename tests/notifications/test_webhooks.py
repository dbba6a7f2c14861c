"""Webhooks out: who is told, how it is signed, what is tried again and when, and when it ends (I04)."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from apps.domain.webhooks import GIVE_UP_AFTER, MOST_ATTEMPTS, WebhookEvent, next_delay, signature
from apps.notifications.models import Attempt, Delivery, DeliveryState, EndpointKind, WebhookEndpoint
from apps.notifications.sending import send_due
from apps.notifications.webhooks.addresses import BadAddress
from apps.notifications.webhooks.delivering import deliver_due, forget_old, wake_due_deliveries
from apps.notifications.webhooks.emitting import EventDraft, call_webhook, emit, emit_all, subscribers
from apps.notifications.webhooks.endpoints import (
    OVERLAP,
    delete_endpoint,
    opened_url,
    replay,
    rotate_secret,
    send_test,
    switch_endpoint,
)
from apps.tenants.directory import enter
from apps.tenants.models import AuditEntry, DirectoryKind, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.notifications.conftest import Make
from tests.notifications.receiver import Receiver


def tell(tenant: Tenant, key: str = "run:1", event: WebhookEvent = WebhookEvent.RUN_FINISHED) -> int:
    with tenant_transaction(tenant.pk):
        return emit(event, {"title": "Done", "run": 1}, key=key)


def only(tenant: Tenant) -> Delivery:
    with tenant_transaction(tenant.pk):
        found: Delivery = Delivery.objects.get()
        return found


def again(tenant: Tenant, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    with tenant_transaction(tenant.pk):
        found: WebhookEndpoint = WebhookEndpoint.objects.get(id=endpoint.pk)
        return found


def test_event_arrives_signed_with_its_id_and_its_data(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    _, secret = endpoint(WebhookEvent.RUN_FINISHED)
    assert tell(tenant) == 1
    with time_machine.travel("2030-01-02T03:04:05Z", tick=False):
        deliver_due(tenant.pk)
        expected = signature(secret, receiver.calls[0].body, timezone.now())
    (call,) = receiver.calls
    row = only(tenant)
    assert call.path == "/hook?for=syncline"
    assert call.headers["Syncline-Signature"] == expected
    assert expected.startswith("t=1893553445,v1=")
    assert (call.headers["Syncline-Event"], call.headers["Syncline-Event-Id"]) == ("run.finished", str(row.event_id))
    body = json.loads(call.body)
    assert (body["id"], body["event"], body["data"]) == (str(row.event_id), "run.finished", row.payload)
    assert (row.state, row.due_at, row.attempts) == (DeliveryState.DELIVERED, None, 1)


def test_nobody_who_did_not_ask_is_told(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    assert tell(tenant) == 0
    made, _ = endpoint(WebhookEvent.ERROR_OPENED)
    assert tell(tenant) == 0
    with tenant_transaction(tenant.pk):
        user = User.objects.get(email="admin@northwind.example")
        switch_endpoint(endpoint=made, is_enabled=False, user=user)
        assert not subscribers([WebhookEvent.ERROR_OPENED])
    assert tell(tenant, event=WebhookEvent.ERROR_OPENED) == 0


def test_same_key_is_told_once_and_another_tenant_hears_nothing(
    tenant: Tenant, other_tenant: Tenant, receiver: Receiver, endpoint: Make
) -> None:
    endpoint()
    assert [tell(tenant), tell(tenant), tell(tenant, "run:2"), tell(other_tenant)] == [1, 0, 1, 0]
    deliver_due(other_tenant.pk)
    assert receiver.calls == []


def test_rolled_back_change_tells_nothing(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint()

    def change() -> None:
        with tenant_transaction(tenant.pk):
            emit(WebhookEvent.RUN_FINISHED, {}, key="x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert deliver_due(tenant.pk) == 0


def test_thousand_records_are_one_statement(
    tenant: Tenant, endpoint: Make, django_assert_max_num_queries: object
) -> None:
    endpoint(with_bulk=True)
    drafts = [EventDraft(WebhookEvent.RECORD_UPDATED, {"id": n}, f"person:{n}", "person", n) for n in range(1000)]
    with tenant_transaction(tenant.pk):
        wanted = subscribers([WebhookEvent.RECORD_UPDATED], bulk=True)
        with django_assert_max_num_queries(4):  # type: ignore[operator]
            assert emit_all(drafts, to=wanted) == 1000


def test_failed_delivery_is_tried_again_later_and_later_for_about_three_days(
    tenant: Tenant, receiver: Receiver, endpoint: Make
) -> None:
    made, _ = endpoint()
    tell(tenant)
    receiver.answers = [500] * 20
    start = timezone.now()
    times = []
    with time_machine.travel(start, tick=False) as clock:
        while (row := only(tenant)).state == DeliveryState.WAITING:
            assert row.due_at is not None
            clock.move_to(max(row.due_at, again(tenant, made).rests_until or start))
            assert deliver_due(tenant.pk) == 1
            times.append(timezone.now() - start)
    assert row.state == DeliveryState.FAILED
    assert len(times) <= MOST_ATTEMPTS
    assert timedelta(days=2) < times[-1] < timedelta(days=4)
    assert len({call.headers["Syncline-Event-Id"] for call in receiver.calls}) == 1, "a repeat is known by its id"
    assert len({call.body for call in receiver.calls}) == 1


def test_delays_grow_and_are_spread() -> None:
    for attempts in range(1, MOST_ATTEMPTS):
        early, late = next_delay(attempts, 0.0), next_delay(attempts, 1.0)
        assert early is not None
        assert late is not None
        assert early < late <= early * 1.51
    assert next_delay(MOST_ATTEMPTS, 0.5) is None


def test_success_after_failures_ends_the_trouble(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    made, _ = endpoint()
    tell(tenant)
    receiver.answers = [503]
    deliver_due(tenant.pk)
    troubled = again(tenant, made)
    assert (troubled.failures, troubled.failing_since is None) == (1, False)
    assert deliver_due(tenant.pk) == 0, "not before its time"
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        deliver_due(tenant.pk)
    assert (again(tenant, made).failures, again(tenant, made).failing_since) == (0, None)
    with tenant_transaction(tenant.pk):
        tried = list(Attempt.objects.order_by("id").values_list("status", "response"))
    assert tried == [(503, "thanks"), (200, "thanks")]


def test_endpoint_says_when_to_come_again(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint()
    tell(tenant)
    receiver.answers, receiver.headers = [429], {"Retry-After": "7200"}
    now = timezone.now()
    deliver_due(tenant.pk)
    due = only(tenant).due_at
    assert due is not None
    assert due - now >= timedelta(hours=2)


def test_endpoint_that_fails_for_days_is_switched_off_and_the_admins_are_told(
    tenant: Tenant, receiver: Receiver, endpoint: Make
) -> None:
    made, _ = endpoint()
    with tenant_transaction(tenant.pk):
        for role in (Role.ADMIN, Role.VIEWER):
            person = User.objects.create_user(f"{role.value}@x.example", "correct horse battery")
            Membership.objects.create(user=person, role=role)
            enter(kind=DirectoryKind.MEMBER, key=str(person.pk))
    receiver.answers = [500] * 4  # the first is tried again beside the two of later
    tell(tenant)
    deliver_due(tenant.pk)
    with time_machine.travel(timezone.now() + GIVE_UP_AFTER):
        tell(tenant, "run:2")
        tell(tenant, "run:3")
        deliver_due(tenant.pk)
        off = again(tenant, made)
        assert not off.is_enabled
        assert "three days" in off.disabled_reason
        assert tell(tenant, "run:4") == 0
        assert deliver_due(tenant.pk) == 0
        send_due(tenant.pk)
    (sent,) = mail.outbox
    assert (sent.to, "Warehouse" in sent.subject) == (["admin@x.example"], True)
    with tenant_transaction(tenant.pk):
        assert not Delivery.objects.filter(state=DeliveryState.WAITING).exists()


def test_endpoint_that_is_gone_is_switched_off_at_once(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    made, _ = endpoint()
    receiver.answers = [410]
    tell(tenant)
    deliver_due(tenant.pk)
    assert not again(tenant, made).is_enabled


def test_redirect_is_not_followed(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint()
    receiver.answers, receiver.headers = [302], {"Location": "http://169.254.169.254/latest/meta-data/"}
    tell(tenant)
    deliver_due(tenant.pk)
    assert len(receiver.calls) == 1
    with tenant_transaction(tenant.pk):
        assert "redirect" in Attempt.objects.get().problem


def test_long_answer_is_read_no_further_than_its_beginning(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint()
    receiver.body = b"\0" + b"x" * 5_000_000
    tell(tenant)
    deliver_due(tenant.pk)
    with tenant_transaction(tenant.pk):
        assert len(Attempt.objects.get().response) < 2_001


def test_endpoint_that_never_answers_does_not_hold_the_worker(
    tenant: Tenant, receiver: Receiver, endpoint: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.notifications.webhooks.addresses.DEADLINE", 0.2)
    endpoint()
    receiver.is_slow = True
    tell(tenant)
    deliver_due(tenant.pk)
    receiver.release.set()
    with tenant_transaction(tenant.pk):
        assert Attempt.objects.get().problem == "It did not answer in time."


def test_down_endpoint_does_not_hold_up_the_others(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint(url="http://127.0.0.1:9/closed")
    endpoint()
    for number in range(30):
        tell(tenant, f"run:{number}")
    for _ in range(4):
        deliver_due(tenant.pk)
    with tenant_transaction(tenant.pk):
        assert Delivery.objects.filter(state=DeliveryState.DELIVERED).count() == 30
        assert Attempt.objects.filter(status=None).count() < 30


def test_rotated_secret_signs_beside_the_old_one_for_a_day(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    made, old = endpoint()
    with tenant_transaction(tenant.pk):
        user = User.objects.get(email="admin@northwind.example")
        new = rotate_secret(endpoint=made, user=user)
    assert new != old
    for key, when in (("run:1", timedelta(minutes=1)), ("run:2", OVERLAP + timedelta(minutes=1))):
        with time_machine.travel(timezone.now() + when, tick=False):
            tell(tenant, key)
            deliver_due(tenant.pk)
            call = receiver.calls[-1]
            marks = call.headers["Syncline-Signature"].split(",")
            wanted = [signature(s, call.body, timezone.now()).split(",")[1] for s in (new, old)]
            assert marks[1:] == (wanted if when < OVERLAP else wanted[:1])


def test_nothing_secret_is_stored_in_the_clear(tenant: Tenant, endpoint: Make) -> None:
    made, secret = endpoint()
    with tenant_transaction(tenant.pk):
        row = WebhookEndpoint.objects.get()
        stored = "|".join(str(value) for value in vars(row).values())
        logged = str(list(AuditEntry.objects.values_list("before", "after", "subject")))
        assert secret not in stored + logged
        assert "for=syncline" not in stored + logged, "what may be a key in an address"
        assert opened_url(made).endswith("/hook?for=syncline")


def test_worker_that_came_back_late_settles_nothing(
    tenant: Tenant, receiver: Receiver, endpoint: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint()
    tell(tenant)

    def taken_over(name: str) -> None:
        if name == "webhook_sent":
            with tenant_transaction(tenant.pk):
                Delivery.objects.update(fence=99)

    monkeypatch.setattr("apps.notifications.webhooks.delivering.crash.point", taken_over)
    deliver_due(tenant.pk)
    assert (only(tenant).state, only(tenant).attempts) == (DeliveryState.WAITING, 0)
    monkeypatch.undo()
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert wake_due_deliveries() == 1, "its lease has run out"


def test_test_event_replay_and_deletion(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    made, _ = endpoint(WebhookEvent.ERROR_OPENED)
    with tenant_transaction(tenant.pk):
        user = User.objects.get(email="admin@northwind.example")
        send_test(endpoint=made, user=user)
    deliver_due(tenant.pk)
    with tenant_transaction(tenant.pk):
        replay(delivery=Delivery.objects.get(), user=user)
    deliver_due(tenant.pk)
    ids = [call.headers["Syncline-Event-Id"] for call in receiver.calls]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    with tenant_transaction(tenant.pk):
        delete_endpoint(endpoint=made, user=user)
        assert not Delivery.objects.exists()
        assert not Attempt.objects.exists()


def test_slack_gets_words_in_which_nothing_is_a_mention(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    made, _ = endpoint(WebhookEvent.HEALTH_CHANGED, kind=EndpointKind.SLACK)
    assert made.shown_url.endswith("/…"), "whoever knows the address can write there"
    with tenant_transaction(tenant.pk):
        emit(WebhookEvent.HEALTH_CHANGED, {"title": "Needs <!channel> & you", "text": "x", "path": "/a/"}, key="h")
    deliver_due(tenant.pk)
    (call,) = receiver.calls
    text = json.loads(call.body)["text"]
    assert "*Needs &lt;!channel&gt; &amp; you*" in text
    assert "/a/|Open in Syncline>" in text
    assert "Syncline-Signature" not in call.headers


def test_rule_calls_an_address_or_an_endpoint_once(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    made, _ = endpoint(WebhookEvent.ERROR_OPENED)
    with tenant_transaction(tenant.pk):
        assert call_webhook({"a": 1}, key="rule:1", url=receiver.url)
        assert not call_webhook({"a": 1}, key="rule:1", url=receiver.url)
        assert call_webhook({"a": 1}, key="rule:1", endpoint_id=made.pk)
        with pytest.raises(BadAddress):
            call_webhook({}, key="rule:2", url="ftp://x.example")
    deliver_due(tenant.pk)
    signed = ["Syncline-Signature" in call.headers for call in receiver.calls]
    assert sorted(signed) == [False, True]
    assert {json.loads(call.body)["event"] for call in receiver.calls} == {"rule.called"}


def test_hostile_payload_is_stored_and_arrives(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint()
    with tenant_transaction(tenant.pk):
        emit(WebhookEvent.RUN_FINISHED, {"name": "a\0b👩‍🚀", "huge": "x" * 100_000, "run": 7}, key="k" * 500)
    deliver_due(tenant.pk)
    data = json.loads(receiver.calls[0].body)["data"]
    assert data == {"name": "ab👩‍🚀", "run": 7, "is_cut": True}


def test_old_log_is_forgotten(tenant: Tenant, receiver: Receiver, endpoint: Make) -> None:
    endpoint()
    tell(tenant)
    deliver_due(tenant.pk)
    assert forget_old(tenant.pk) == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert forget_old(tenant.pk) == 1
