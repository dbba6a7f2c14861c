"""So many calls a minute for each key, and no fewer where Redis is away."""

from typing import Any

import pytest
import time_machine

from apps.api.throttling import KeyThrottle
from apps.tenants.models import Tenant
from tests.api.conftest import Caller, new_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_a_minute(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 3


@pytest.mark.usefixtures("three_a_minute")
def test_a_key_that_calls_too_often_waits_for_the_next_minute_and_others_do_not(tenant: Tenant) -> None:
    one, other = Caller(new_key(tenant)), Caller(new_key(tenant))
    with time_machine.travel("2026-05-01T10:00:20Z", tick=False) as clock:
        assert [one("GET", "/people/").status for _ in range(4)] == [200, 200, 200, 429]
        refused = one("GET", "/people/")
        assert (refused.code, refused.headers["Retry-After"]) == ("throttled", "40")
        assert other("GET", "/people/").status == 200
        clock.shift(41)
        assert one("GET", "/people/").status == 200


@pytest.mark.usefixtures("three_a_minute")
def test_without_redis_nobody_is_held_up(tenant: Tenant, settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    call = Caller(new_key(tenant))
    assert [call("GET", "/people/").status for _ in range(6)] == [200] * 6


def test_the_wait_ends_with_the_minute() -> None:
    with time_machine.travel("2026-05-01T10:00:59Z", tick=False):
        assert KeyThrottle().wait() == 1
