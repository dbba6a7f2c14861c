"""A request that is sent twice takes effect once."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.api.models import KeptAnswer
from apps.audience.models import Person
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from tests.api.conftest import Caller, new_key

pytestmark = pytest.mark.django_db

GRACE = {"last_name": "Hopper"}


def people_of(tenant: Tenant) -> int:
    with tenant_transaction(tenant.pk):
        return int(Person.objects.count())


def test_the_same_request_is_answered_again_and_takes_no_effect(call: Caller, tenant: Tenant) -> None:
    first = call("POST", "/people/", GRACE, Idempotency_Key="order-1")
    again = call("POST", "/people/", GRACE, Idempotency_Key="order-1")
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    assert (again.headers["ETag"], again.headers["Location"]) == (first.headers["ETag"], first.headers["Location"])
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert people_of(tenant) == 1
    assert call("POST", "/people/", GRACE, Idempotency_Key="order-2").body["id"] != first.body["id"]


def test_the_key_of_another_request_is_409(call: Caller, tenant: Tenant) -> None:
    call("POST", "/people/", GRACE, Idempotency_Key="order-1")
    for path, body in [("/people/", {"last_name": "Other"}), ("/companies/", {"name": "x"}), ("/people/?x=1", GRACE)]:
        answer = call("POST", path, body, Idempotency_Key="order-1")
        assert (answer.status, answer.code) == (409, "idempotency_conflict")
    assert people_of(tenant) == 1


def test_what_was_refused_is_not_kept(call: Caller, tenant: Tenant) -> None:
    assert call("POST", "/people/", {}, Idempotency_Key="order-1").status == 400
    assert call("POST", "/people/", GRACE, Idempotency_Key="order-1").status == 201
    assert people_of(tenant) == 1


def test_after_a_day_the_key_is_free_and_old_answers_are_forgotten(call: Caller, tenant: Tenant) -> None:
    for number in range(3):
        call("POST", "/people/", GRACE, Idempotency_Key=f"order-{number}")
    with tenant_transaction(tenant.pk):
        KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    answer = call("POST", "/people/", {"last_name": "Other"}, Idempotency_Key="order-0")
    assert (answer.status, people_of(tenant)) == (201, 4)
    with tenant_transaction(tenant.pk):
        assert list(KeptAnswer.objects.values_list("key", flat=True)) == ["order-0"]


def test_each_account_has_its_own_keys(call: Caller, stranger: Caller) -> None:
    mine = call("POST", "/people/", GRACE, Idempotency_Key="order-1")
    theirs = stranger("POST", "/people/", {"last_name": "Other"}, Idempotency_Key="order-1")
    assert (theirs.status, theirs.body["last_name"]) == (201, "Other")
    assert theirs.body["id"] != mine.body["id"]


@pytest.mark.parametrize("key", ["x" * 256, "ünïcode"])
def test_a_key_that_cannot_be_is_400(call: Caller, key: str) -> None:
    answer = call("POST", "/people/", GRACE, Idempotency_Key=key)
    assert (answer.status, answer.code) == (400, "bad_idempotency_key")


@pytest.mark.django_db(transaction=True)
def test_the_same_request_at_the_same_time_takes_effect_once(tenant: Tenant) -> None:
    secret = new_key(tenant)
    answers: list[Any] = []

    def ask() -> None:
        try:
            answers.append(Caller(secret)("POST", "/people/", GRACE, Idempotency_Key="order-1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [201] * 6
    assert len({answer.body["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 5
    assert people_of(tenant) == 1
