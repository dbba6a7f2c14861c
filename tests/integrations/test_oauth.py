"""Connecting: what is stored when all goes well, and what is not when it does not (A03, A04, A07, F12, F13)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django import Settings

from apps.core.crypto import unseal
from apps.domain.failures import Category
from apps.integrations.models import Connection, ConnectionState, OAuthAttempt
from apps.integrations.services.connections import disconnect
from apps.integrations.services.oauth import (
    Claim,
    ConnectRefused,
    begin_oauth,
    claim_attempt,
    live_connection,
    refusal_code,
    refused_by_salesforce,
    store_connection,
    trade_code,
)
from apps.integrations.tokens import opened
from apps.tenants.models import AuditEntry, Tenant, User
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.conftest import connect
from tests.integrations.world import OrgUser, answer_of, calls_of, new_org


def begin(tenant: Tenant, user: User, login_url: str) -> str:
    with tenant_transaction(tenant.pk):
        return begin_oauth(user=user, login_url=login_url, in_popup=False)


def claimed(tenant: Tenant, user: User, answer: dict[str, str]) -> Claim:
    return claim_attempt(tenant_id=tenant.pk, user_id=user.pk, state=answer["state"])


def test_connecting_stores_org_user_and_allowance(connection: Connection, org: OrgUser, tenant: Tenant) -> None:
    assert connection.state == ConnectionState.CONNECTED
    assert (connection.org_id, connection.username) == (org.org_id, org.username)
    assert (connection.org_name, connection.edition) == ("Northwind Org", "Developer Edition")
    assert connection.api_allowed == 100_000
    with tenant_transaction(tenant.pk):
        assert AuditEntry.objects.filter(action="connected").count() == 1


def test_tokens_are_sealed_and_open_only_in_their_own_row(connection: Connection, tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        plain = opened(connection, "refresh_token")
        assert plain.startswith("5Aep861")
        assert plain not in connection.refresh_token
        stranger = Connection(tenant_id=tenant.pk, id=connection.pk + 1, refresh_token=connection.refresh_token)
        with pytest.raises(Exception, match="cannot be opened"):
            opened(stranger, "refresh_token")


def test_no_page_of_the_flow_shows_the_verifier_or_stores_it_plainly(
    tenant: Tenant, user: User, emulator: EmulatorControl
) -> None:
    url = begin(tenant, user, emulator.base_url)
    assert "code_challenge_method=S256" in url
    with tenant_transaction(tenant.pk):
        attempt = OAuthAttempt.objects.get()
    assert "code_verifier" not in url
    sealed = unseal(attempt.verifier, binding=f"oauth:{attempt.state_hash}")
    assert sealed not in url
    assert sealed not in attempt.verifier


def test_deny_uses_up_the_attempt_and_names_its_page(
    tenant: Tenant, user: User, org: OrgUser, emulator: EmulatorControl
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org, "deny")
    claim = claimed(tenant, user, answer)
    refused = refused_by_salesforce(claim=claim, error=answer["error"], description=answer["error_description"])
    assert refused.code == "denied"
    with pytest.raises(ConnectRefused) as again:
        claimed(tenant, user, answer)
    assert again.value.code == "replayed"


@pytest.mark.parametrize("error", ["OAUTH_APP_BLOCKED", "OAUTH_EC_APP_NOT_FOUND", "OAUTH_APPROVAL_ERROR_GENERIC"])
def test_app_that_is_not_installed_gets_the_page_for_the_administrator(
    error: str, tenant: Tenant, user: User, emulator: EmulatorControl
) -> None:
    state = begin(tenant, user, emulator.base_url).partition("state=")[2].partition("&")[0]
    claim = claimed(tenant, user, {"state": state})
    assert refused_by_salesforce(claim=claim, error=error, description="").code == "not_installed"


def test_unknown_state_is_refused(tenant: Tenant, user: User) -> None:
    with pytest.raises(ConnectRefused) as refused:
        claimed(tenant, user, {"state": "made-up"})
    assert refused.value.code == "state"


def test_state_of_another_person_is_refused_and_stays_unused(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    with pytest.raises(ConnectRefused) as refused:
        claim_attempt(tenant_id=tenant.pk, user_id=user.pk + 1, state=answer["state"])
    assert refused.value.code == "other_account"
    assert trade_code(claim=claimed(tenant, user, answer), code=answer["code"]).tokens.org_id == org.org_id


def test_state_of_another_tenant_is_refused(
    tenant: Tenant, other_tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    with pytest.raises(ConnectRefused) as refused:
        claimed(other_tenant, user, answer)
    assert refused.value.code == "other_account"


def test_replayed_callback_is_refused(tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    claimed(tenant, user, answer)
    with pytest.raises(ConnectRefused) as refused:
        claimed(tenant, user, answer)
    assert refused.value.code == "replayed"


def test_attempt_expires_after_fifteen_minutes_and_cannot_be_tried_again(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        with pytest.raises(ConnectRefused) as refused:
            claimed(tenant, user, answer)
        assert refused.value.code == "expired"
        with pytest.raises(ConnectRefused) as again:
            claimed(tenant, user, answer)
        assert again.value.code == "replayed"


def test_code_that_salesforce_no_longer_knows_is_expired(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    with pytest.raises(ConnectRefused) as refused:
        trade_code(claim=claimed(tenant, user, answer), code="aPrx-long-gone")
    assert refused.value.code == "expired"


def test_salesforce_that_does_not_answer_is_said_to_be_unavailable(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    emulator.fault("/services/oauth2/token", status=503, body="<html>maintenance</html>")
    with pytest.raises(ConnectRefused) as refused:
        trade_code(claim=claimed(tenant, user, answer), code=answer["code"])
    assert refused.value.code == "unavailable"


def test_org_without_api_is_refused_and_its_token_given_back(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    body = '[{"message":"The REST API is not enabled for this Organization.","errorCode":"API_DISABLED_FOR_ORG"}]'
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    emulator.fault("/query", status=403, body=body)
    with pytest.raises(ConnectRefused) as refused:
        trade_code(claim=claimed(tenant, user, answer), code=answer["code"])
    assert refused.value.code == "api_disabled"
    assert calls_of(emulator, "/services/oauth2/revoke") == 1


def test_reconnect_with_another_org_changes_nothing_and_gives_the_token_back(
    connection: Connection, tenant: Tenant, user: User, emulator: EmulatorControl
) -> None:
    stranger = new_org(emulator)
    answer = answer_of(begin(tenant, user, emulator.base_url), stranger)
    with pytest.raises(ConnectRefused) as refused:
        trade_code(claim=claimed(tenant, user, answer), code=answer["code"])
    assert refused.value.code == "wrong_org"
    assert calls_of(emulator, "/services/oauth2/revoke") == 1
    with tenant_transaction(tenant.pk):
        row = Connection.objects.get()
        assert (row.org_id, row.access_token) == (connection.org_id, connection.access_token)


def test_reconnect_renews_the_same_row_and_hands_out_the_replaced_token(
    connection: Connection, tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    with tenant_transaction(tenant.pk):
        old = opened(connection, "refresh_token")
        Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT)
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    claim = claimed(tenant, user, answer)
    grant = trade_code(claim=claim, code=answer["code"])
    with tenant_transaction(tenant.pk):
        row, replaced = store_connection(claim=claim, grant=grant, user=user)
    assert replaced == old
    assert (row.pk, row.state) == (connection.pk, ConnectionState.CONNECTED)


def test_org_connected_to_another_tenant_is_refused(
    connection: Connection, other_tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    with pytest.raises(ConnectRefused) as refused:
        connect(other_tenant, user, org, emulator.base_url)
    assert refused.value.code == "taken"
    with tenant_transaction(other_tenant.pk):
        assert live_connection() is None


def test_two_tenants_with_their_own_orgs_do_not_see_each_other(
    connection: Connection, tenant: Tenant, other_tenant: Tenant, user: User, emulator: EmulatorControl
) -> None:
    second = connect(other_tenant, user, new_org(emulator), emulator.base_url)
    with tenant_transaction(tenant.pk):
        assert list(Connection.objects.values_list("id", flat=True)) == [connection.pk]
    with tenant_transaction(other_tenant.pk):
        assert list(Connection.objects.values_list("id", flat=True)) == [second.pk]


def test_disconnected_org_comes_back_to_its_own_row_and_is_free_for_others(
    connection: Connection, tenant: Tenant, other_tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser
) -> None:
    with tenant_transaction(tenant.pk):
        disconnect(connection=connection, user=user)
        assert live_connection() is None
    again = connect(tenant, user, org, emulator.base_url)
    assert again.pk == connection.pk
    with tenant_transaction(tenant.pk):
        disconnect(connection=again, user=user)
    assert connect(other_tenant, user, org, emulator.base_url).org_id == org.org_id


def test_instance_on_a_host_that_is_not_salesforces_is_refused(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser, settings: Settings
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    claim = claimed(tenant, user, answer)
    settings.SALESFORCE_TRUSTED_HOSTS = ()
    with pytest.raises(ConnectRefused) as refused:
        trade_code(claim=claim, code=answer["code"])
    assert refused.value.code == "untrusted_host"


def test_wrong_secret_is_a_fault_of_ours_not_of_the_person(
    tenant: Tenant, user: User, emulator: EmulatorControl, org: OrgUser, settings: Settings
) -> None:
    answer = answer_of(begin(tenant, user, emulator.base_url), org)
    settings.SALESFORCE_CLIENT_SECRET = "not-the-secret"
    with pytest.raises(ConnectRefused) as refused:
        trade_code(claim=claimed(tenant, user, answer), code=answer["code"])
    assert refused.value.code == "configuration"


def test_every_failure_category_has_a_page() -> None:
    assert {refusal_code(category) for category in Category} >= {"denied", "not_installed", "expired", "failed"}
