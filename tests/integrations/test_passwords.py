"""The second way to connect: tried once, by a worker; refusals in words; sessions renewed once at a time."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from apps.domain.failures import AuthorizationLost, Category, Failure
from apps.field_mappings.models import Profile
from apps.integrations.gateways import open_gateway
from apps.integrations.models import AuthKind, Connection, ConnectionState, PasswordAttempt
from apps.integrations.services.connections import disconnect
from apps.integrations.services.passwords import (
    BadCredentials,
    attempt_of,
    begin_password_attempt,
    read_credentials,
    try_password,
    wake_due_attempts,
)
from apps.salesforce.soap_login import Credentials, soap_login
from apps.sync.first_setup import set_up
from apps.tenants.models import AuditEntry, Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.conftest import connection, emulator, emulator_process, org, user
from tests.integrations.world import OrgUser, calls_of, new_org

__all__ = ["connection", "emulator", "emulator_process", "org", "user"]
pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/services/Soap/u/64.0"


def attempt(tenant: Tenant, user: User, url: str, who: OrgUser, password: str = "", token: str = "") -> PasswordAttempt:
    """Somebody types it, and a worker tries it."""
    with tenant_transaction(tenant.pk):
        made = begin_password_attempt(
            user=user, login_url=url, credentials=Credentials(who.username, password or who.password, token)
        )
    try_password(tenant.pk, made.pk, then=set_up)
    with tenant_transaction(tenant.pk):
        tried: PasswordAttempt = PasswordAttempt.objects.get(id=made.pk)
        return tried


@pytest.fixture
def connected(tenant: Tenant, user: User, org: OrgUser, emulator: EmulatorControl) -> Connection:
    """A connection by password."""
    assert attempt(tenant, user, emulator.base_url, org).state == "done"
    with tenant_transaction(tenant.pk):
        made: Connection = Connection.objects.get()
        return made


def test_the_right_password_connects_and_sets_up(connected: Connection, tenant: Tenant, org: OrgUser) -> None:
    assert (connected.org_id, connected.username, connected.auth_kind) == (org.org_id, org.username, AuthKind.PASSWORD)
    assert connected.org_name == "Northwind Org"
    with tenant_transaction(tenant.pk):
        assert Profile.objects.exists()
        assert PasswordAttempt.objects.get().credentials == ""
    with open_gateway(tenant.pk, connected.pk) as gateway:
        assert next(gateway.query("SELECT Id FROM User LIMIT 1"))["Id"]


def test_nothing_that_was_typed_is_stored_in_the_clear(connected: Connection, tenant: Tenant, org: OrgUser) -> None:
    with tenant_transaction(tenant.pk), database.cursor() as cursor:
        for table in ("integrations_connection", "integrations_passwordattempt", "tenants_auditentry"):
            cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
            assert org.password not in str(cursor.fetchone())
        assert AuditEntry.objects.filter(action="password_tried").exists()


def test_a_security_token_belongs_to_the_password(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    emulator.change_org(org.org_id, security_token="t0ken")
    refused = attempt(tenant, user, emulator.base_url, org)
    assert (refused.state, refused.code) == ("refused", "expired")
    assert "locked out" in refused.words
    assert attempt(tenant, user, emulator.base_url, org, token="t0ken").state == "done"


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("INVALID_OPERATION", "api_disabled", "switched off in this org"),
        ("LOGIN_MUST_USE_SECURITY_TOKEN", "expired", "Reset My Security Token"),
        ("LOGIN_DURING_RESTRICTED_DOMAIN", "expired", "certain IP addresses"),
        ("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "expired", "has expired"),
        ("API_DISABLED_FOR_ORG", "api_disabled", "no API"),
        ("PASSWORD_LOCKOUT", "expired", "locked out"),
        ("UNSUPPORTED_API_VERSION", "api_disabled", "no longer offers"),
        ("SOMETHING_NEW", "expired", "SOMETHING_NEW"),
    ],
)
def test_each_refusal_says_what_helps_and_is_not_tried_again(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser, fault: str, code: str, words: str
) -> None:
    emulator.change_org(org.org_id, soap_error=fault)
    refused = attempt(tenant, user, emulator.base_url, org)
    assert (refused.state, refused.code) == ("refused", code)
    assert words in refused.words
    try_password(tenant.pk, refused.pk, then=set_up)
    assert calls_of(emulator, PATH) == 1
    with tenant_transaction(tenant.pk):
        assert not Connection.objects.exists()


def test_an_expired_password_is_no_connection(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    emulator.change_org(org.org_id, password_expired=True)
    assert "has expired" in attempt(tenant, user, emulator.base_url, org).words


def test_a_user_of_another_org_renews_nothing(
    connected: Connection, tenant: Tenant, user: User, emulator: EmulatorControl
) -> None:
    stranger = attempt(tenant, user, emulator.base_url, new_org(emulator, name="Other"))
    assert (stranger.state, stranger.code) == ("refused", "wrong_org")
    with tenant_transaction(tenant.pk):
        assert Connection.objects.get().org_id == connected.org_id


def test_a_session_that_ends_is_renewed_once_however_many_ask(
    connected: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.expire_tokens(org_id=org.org_id)
    emulator.clear_calls()
    results: list[Any] = []

    def ask() -> None:
        try:
            with open_gateway(tenant.pk, connected.pk) as gateway:
                results.append(next(gateway.query("SELECT Id FROM User LIMIT 1")))
        finally:
            database.close()

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert calls_of(emulator, PATH) == 1


def test_a_password_that_was_changed_stops_the_sync_after_one_attempt(
    connected: Connection, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    emulator.expire_tokens(org_id=org.org_id)
    emulator.change_org(org.org_id, security_token="another")
    emulator.clear_calls()
    for _ in range(3):
        with pytest.raises(AuthorizationLost), open_gateway(tenant.pk, connected.pk) as gateway:
            next(gateway.query("SELECT Id FROM User LIMIT 1"))
    assert calls_of(emulator, PATH) == 1
    with tenant_transaction(tenant.pk):
        row = Connection.objects.get()
        assert row.state == ConnectionState.NEEDS_RECONNECT
        assert "security token" in row.health_reason


def test_the_button_takes_the_place_of_the_password(
    connected: Connection, tenant: Tenant, user: User, org: OrgUser, emulator: EmulatorControl
) -> None:
    from tests.integrations.conftest import connect

    renewed = connect(tenant, user, org, emulator.base_url)
    assert (renewed.pk, renewed.auth_kind, renewed.credentials) == (connected.pk, AuthKind.OAUTH, "")


def test_disconnecting_forgets_the_password(connected: Connection, tenant: Tenant, user: User) -> None:
    with tenant_transaction(tenant.pk):
        disconnect(connection=connected, user=user)
        assert Connection.objects.get().credentials == ""


def test_an_attempt_whose_worker_died_is_over(tenant: Tenant, user: User, org: OrgUser) -> None:
    with tenant_transaction(tenant.pk):
        made = begin_password_attempt(user=user, login_url="https://x", credentials=Credentials("a", "b"))
    assert wake_due_attempts() == 1
    with tenant_transaction(tenant.pk):
        PasswordAttempt.objects.update(state="taken", due_at=None, taken_at=timezone.now() - timedelta(hours=1))
        assert attempt_of(PasswordAttempt.objects.get()).state == "refused"
    assert wake_due_attempts() == 0
    assert not try_password(tenant.pk, made.pk, then=set_up)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("username", {"username": " "}),
        ("password", {"password": ""}),
        ("password", {"password": "x" * 256}),
        ("username", {"username": "a\0b"}),
        ("confirmation", {"confirmation": "confirm"}),
        ("confirmation", {"confirmation": ""}),
    ],
)
def test_what_cannot_be_tried_is_refused_beside_its_field(field: str, typed: dict[str, str]) -> None:
    given = {"username": "a@x.example", "password": "p", "security_token": "", "confirmation": "Confirm"} | typed
    with pytest.raises(BadCredentials) as caught:
        read_credentials(**given)
    assert caught.value.field == field


Say = Callable[[bytes], Failure]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Say:
    """What becomes of an answer of these bytes."""
    from tests.salesforce.stub import Answer, running_stub

    def say(body: bytes, status: int = 500) -> Failure:
        with running_stub() as stub:
            stub.say(Answer(status, body))
            with pytest.raises(Failure) as caught:
                soap_login(
                    Credentials("<u&>", "p"), login_url=stub.url, trusted_hosts=(stub.url.removeprefix("http://"),)
                )
            assert b"<username>&lt;u&amp;&gt;</username>" in stub.asked[0].body
            return caught.value

    return say


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<html><!doctype html></html>",
        b"\xff\xfe<\0a\0/\0>\0",
        b"",
        b"{}",
        b"<a>" + b"x" * 300_000 + b"</a>",
    ],
)
def test_what_is_no_answer_of_a_log_in_is_an_outage_and_never_parsed(said: Say, body: bytes) -> None:
    assert said(body).category is Category.UNAVAILABLE


def test_recorded_faults_are_understood(said: Say, salesforce_truth: Any) -> None:
    for name, words in (("INVALID_LOGIN", "locked out"), ("disabled", "switched off in this org")):
        recorded = json.loads((salesforce_truth / f"recorded/soap/login-fault-{name}-500.json").read_text())
        assert words in str(said(recorded["response"]["body"].encode()))
