"""Tokens: renewed once at a time, rotation kept, a lost grant told to a person (F01 to F06, F10)."""

import threading
from collections.abc import Iterator

import pytest
from django.db import connections

from apps.domain.failures import AuthorizationLost, Transient
from apps.integrations.gateways import open_gateway
from apps.integrations.models import ApiUsage, Connection, ConnectionState, Health
from apps.integrations.tokens import ConnectionTokens, opened
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.world import OrgUser, calls_of


def refreshes(emulator: EmulatorControl) -> int:
    return calls_of(emulator, "/services/oauth2/token")


@pytest.fixture
def rotating(emulator: EmulatorControl) -> Iterator[EmulatorControl]:
    """Refresh token rotation switched on."""
    emulator._call("POST", "tokens", {"expire": False, "rotate": True})
    yield emulator
    emulator._call("POST", "tokens", {"expire": False, "rotate": False})


def row_of(tenant: Tenant) -> Connection:
    with tenant_transaction(tenant.pk):
        found: Connection = Connection.objects.get()
        return found


def test_expired_session_is_renewed_once_and_the_call_repeated(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    emulator.expire_tokens()
    emulator.clear_calls()
    with open_gateway(tenant.pk, connection.pk) as gateway:
        assert gateway.limits() is not None
    assert refreshes(emulator) == 1
    assert row_of(tenant).token_generation == connection.token_generation + 1


def test_rotated_refresh_token_replaces_the_old_one(
    connection: Connection, tenant: Tenant, rotating: EmulatorControl
) -> None:
    with tenant_transaction(tenant.pk):
        old = opened(connection, "refresh_token")
    for _ in range(2):
        rotating.expire_tokens()
        with open_gateway(tenant.pk, connection.pk) as gateway:
            assert gateway.limits() is not None
    with tenant_transaction(tenant.pk):
        assert opened(row_of(tenant), "refresh_token") != old


def test_lost_grant_makes_the_connection_ask_for_a_person_and_no_more_calls_are_made(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    emulator.expire_tokens(revoke=True)
    with pytest.raises(AuthorizationLost), open_gateway(tenant.pk, connection.pk) as gateway:
        gateway.limits()
    row = row_of(tenant)
    assert (row.state, row.health) == (ConnectionState.NEEDS_RECONNECT, Health.NEEDS_YOU)
    assert "expired access/refresh token" in row.health_reason
    emulator.clear_calls()
    with pytest.raises(AuthorizationLost), open_gateway(tenant.pk, connection.pk) as gateway:
        gateway.limits()
    assert emulator.calls() == []


def test_outage_of_the_token_endpoint_leaves_the_connection_as_it_is(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    emulator.expire_tokens()
    emulator.fault("/services/oauth2/token", status=503, body="")
    with pytest.raises(Transient), open_gateway(tenant.pk, connection.pk) as gateway:
        gateway.limits()
    assert row_of(tenant).state == ConnectionState.CONNECTED


def test_refused_refresh_does_not_end_a_connection_that_was_renewed_meanwhile(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl
) -> None:
    source = ConnectionTokens(tenant.pk, connection.pk)
    stale = source.access_token()
    fresh = ConnectionTokens(tenant.pk, connection.pk)
    renewed = fresh.renew(fresh.access_token())
    assert source.renew(stale) == renewed


def test_calls_are_counted_by_hour_and_the_orgs_own_count_is_kept(
    connection: Connection, tenant: Tenant, emulator: EmulatorControl, org: OrgUser
) -> None:
    for _ in range(2):
        with open_gateway(tenant.pk, connection.pk) as gateway:
            gateway.limits()
    with tenant_transaction(tenant.pk):
        assert [usage.calls for usage in ApiUsage.objects.all()] == [2]


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_see_the_expiry_together_refresh_once(
    connection: Connection, tenant: Tenant, rotating: EmulatorControl
) -> None:
    rotating.expire_tokens()
    rotating.clear_calls()
    start, tokens = threading.Barrier(8), []

    def work() -> None:
        source = ConnectionTokens(tenant.pk, connection.pk)
        stale = source.access_token()
        start.wait()
        tokens.append(source.renew(stale))
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert refreshes(rotating) == 1
    assert len(tokens) == 8
    assert len(set(tokens)) == 1
