"""The pages of connecting: hub, the page before, the callback's ends, and the page after (A01 to A04, A07)."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from apps.console.salesforce.outcomes import OUTCOMES
from apps.field_mappings.models import FieldMapping, Profile, SyncStep
from apps.integrations.jobs import run_job
from apps.integrations.models import Connection, ConnectionJob, ConnectionState, JobKind
from apps.integrations.services.connections import disconnect
from apps.integrations.services.oauth import live_connection
from apps.sync_settings.services import settings_of
from apps.tenants.models import AuditEntry, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from emulator.control import EmulatorControl
from tests.integrations.conftest import connect
from tests.integrations.world import OrgUser, answer_of, new_org

HOME = "/integrations/salesforce/"


def begin(client: Client, tenant: Tenant, **fields: str) -> str:
    """Press the button; gives the address to which the browser is led."""
    answer = client.post(HOME + "connect/", {"tenant": tenant.pk, "login": "production", **fields})
    assert answer.status_code == 200, answer.content
    return str(answer["Refresh"]).partition("url=")[2]


def come_back(client: Client, answer: dict[str, str]) -> tuple[int, str]:
    """Open the callback as Salesforce's redirect does; follows ours."""
    page = client.get(HOME + "callback/", answer, follow=True)
    return page.status_code, page.content.decode()


def test_hub_offers_salesforce_and_marks_the_others_as_planned(owner: Client) -> None:
    page = owner.get("/integrations/").content.decode()
    assert re.findall(r"<h3>([^<]+)</h3>", page) == ["HubSpot", "Microsoft Dynamics", "Salesforce", "Zoho"]
    assert page.count("cannot be connected yet") == 3
    assert page.count(f'href="{HOME}"') >= 1
    assert "CRM" in page


@pytest.mark.parametrize(("words", "found"), [("sales", ["Microsoft Dynamics", "Salesforce"]), ("zoho crm", ["Zoho"])])
def test_hub_is_searched_by_name_and_summary(owner: Client, words: str, found: list[str]) -> None:
    page = owner.get("/integrations/", {"q": words}).content.decode()
    assert re.findall(r"<h3>([^<]+)</h3>", page) == found


def test_hub_search_without_result_says_so_and_escapes_the_words(owner: Client) -> None:
    page = owner.get("/integrations/", {"q": "<b>nothing"}).content.decode()
    assert "Nothing fits" in page
    assert "<b>nothing" not in page


def test_page_before_connecting_names_scopes_editions_and_hosts(owner: Client) -> None:
    page = owner.get(HOME).content.decode()
    for words in ("Connect Salesforce Account", "sync user", "Professional", "Modify All Data", "Marketing User"):
        assert words in page
    for scope in ("id", "api", "refresh_token"):
        assert f"<code>{scope}</code>" in page


def test_after_allow_the_person_sees_org_user_edition_and_allowance(
    owner: Client, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    status, page = come_back(owner, answer_of(begin(owner, tenant), org))
    assert status == 200
    for words in ("Northwind Org", org.username, emulator.base_url, "Developer Edition", "100,000", "Next step"):
        assert words in page
    with tenant_transaction(tenant.pk):
        row = live_connection()
        assert row is not None
        assert not settings_of(row).syncs_enabled
        assert Profile.objects.get(is_active=True).kind == "custom"
        steps = SyncStep.objects.filter(profile__is_active=True)
        assert set(steps.values_list("direction", flat=True)) == {"pull"}
        assert set(FieldMapping.objects.filter(step__in=steps).values_list("way_out", flat=True)) == {"off"}
        assert ConnectionJob.objects.get().kind == JobKind.PREFLIGHT
        assert "Email" in row.needed_fields["Lead"]


def test_popup_gets_a_page_that_hands_over_to_its_opener(owner: Client, tenant: Tenant, org: OrgUser) -> None:
    answer = owner.get(HOME + "callback/", answer_of(begin(owner, tenant, popup="1"), org))
    assert f'data-popup-done="{HOME}"' in answer.content.decode()
    assert answer["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_no_token_verifier_or_code_appears_on_any_page(owner: Client, tenant: Tenant, org: OrgUser) -> None:
    answer = answer_of(begin(owner, tenant), org)
    _, page = come_back(owner, answer)
    assert answer["code"] not in page
    assert "5Aep861" not in page


@pytest.mark.parametrize("popup", ["", "1"])
def test_denied_has_its_page_and_connects_nothing(owner: Client, tenant: Tenant, org: OrgUser, popup: str) -> None:
    status, page = come_back(owner, answer_of(begin(owner, tenant, popup=popup), org, "deny"))
    assert status == 400
    assert OUTCOMES["denied"].title in page
    assert ("Close this window" in page) == bool(popup)
    with tenant_transaction(tenant.pk):
        assert live_connection() is None


def test_wrong_state_has_its_page(owner: Client) -> None:
    status, page = come_back(owner, {"code": "aPrx-x", "state": "made-up"})
    assert (status, OUTCOMES["state"].title in page) == (400, True)


def test_callback_without_anything_has_a_page(owner: Client) -> None:
    status, page = come_back(owner, {})
    assert (status, OUTCOMES["state"].title in page) == (400, True)


def test_replayed_callback_has_its_page_and_keeps_the_connection(owner: Client, tenant: Tenant, org: OrgUser) -> None:
    answer = answer_of(begin(owner, tenant), org)
    come_back(owner, answer)
    status, page = come_back(owner, answer)
    assert (status, OUTCOMES["replayed"].title in page) == (400, True)
    with tenant_transaction(tenant.pk):
        assert live_connection() is not None


def test_expired_code_has_its_page(owner: Client, tenant: Tenant, org: OrgUser) -> None:
    answer = answer_of(begin(owner, tenant), org)
    status, page = come_back(owner, {**answer, "code": "aPrx-old"})
    assert (status, OUTCOMES["expired"].title in page) == (400, True)


def test_app_that_is_not_installed_has_a_page_for_the_administrator(owner: Client, tenant: Tenant) -> None:
    state = begin(owner, tenant).partition("state=")[2].partition("&")[0]
    status, page = come_back(owner, {"state": state, "error": "OAUTH_APP_BLOCKED", "error_description": "blocked"})
    assert (status, OUTCOMES["not_installed"].title in page) == (403, True)
    assert "Connected Apps OAuth Usage" in page


def test_wrong_org_offers_a_choice_and_stores_nothing(
    owner: Client, tenant: Tenant, connection: Connection, emulator: EmulatorControl
) -> None:
    status, page = come_back(owner, answer_of(begin(owner, tenant), new_org(emulator)))
    assert status == 409
    for words in (OUTCOMES["wrong_org"].title, "Log in to the connected org", "Disconnect the present org"):
        assert words in page
    with tenant_transaction(tenant.pk):
        assert Connection.objects.get().access_token == connection.access_token


def test_org_of_another_account_has_its_page(
    owner: Client, tenant: Tenant, other_tenant: Tenant, org: OrgUser, user: User, emulator: EmulatorControl
) -> None:
    connect(other_tenant, user, org, emulator.base_url)
    status, page = come_back(owner, answer_of(begin(owner, tenant), org))
    assert (status, OUTCOMES["taken"].title in page) == (409, True)
    assert "Contoso" not in page


def test_salesforce_that_does_not_answer_has_its_page(
    owner: Client, tenant: Tenant, org: OrgUser, emulator: EmulatorControl
) -> None:
    answer = answer_of(begin(owner, tenant), org)
    emulator.fault("/services/oauth2/token", status=503, body="")
    status, page = come_back(owner, answer)
    assert (status, OUTCOMES["unavailable"].title in page) == (503, True)


def test_host_that_is_not_salesforces_is_refused_beside_the_form(owner: Client, tenant: Tenant) -> None:
    answer = owner.post(
        HOME + "connect/", {"tenant": tenant.pk, "login": "my_domain", "my_domain": "salesforce.com.evil.example"}
    )
    assert answer.status_code == 422
    assert "not an address of Salesforce" in answer.content.decode()


def test_form_of_another_tenant_saves_nothing(owner: Client, other_tenant: Tenant) -> None:
    assert owner.post(HOME + "connect/", {"tenant": other_tenant.pk, "login": "production"}).status_code == 409


@pytest.mark.parametrize("role", [Role.MARKETER, Role.VIEWER])
def test_roles_without_the_right_are_offered_no_button_and_refused(
    role: Role, member: Callable[[Role], Client], tenant: Tenant
) -> None:
    client = member(role)
    assert "Connect Salesforce Account" not in client.get(HOME).content.decode()
    assert client.post(HOME + "connect/", {"tenant": tenant.pk, "login": "production"}).status_code == 403
    assert client.get(HOME + "callback/", {"state": "x"}).status_code == 403


def test_checks_show_their_progress_and_then_their_answers(owner: Client, tenant: Tenant, org: OrgUser) -> None:
    come_back(owner, answer_of(begin(owner, tenant), org))
    assert 'hx-trigger="load delay:1s"' in owner.get(HOME + "checks/", headers={"HX-Request": "true"}).content.decode()
    with tenant_transaction(tenant.pk):
        job = ConnectionJob.objects.get()
    run_job(tenant.pk, job.pk)
    page = owner.get(HOME).content.decode()
    assert "hx-trigger" not in page.partition('id="checks"')[2].partition("</section>")[0]
    assert "API allowance" in page
    owner.post(HOME + "checks/run/", {"tenant": tenant.pk})
    with tenant_transaction(tenant.pk):
        assert ConnectionJob.objects.count() == 2


def test_lost_grant_asks_for_reconnect_and_reconnecting_mends_it(
    owner: Client, tenant: Tenant, connection: Connection, org: OrgUser
) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(state=ConnectionState.NEEDS_RECONNECT, health="needs_you", health_reason="Gone.")
    page = owner.get(HOME).content.decode()
    assert "Needs you" in page
    assert "Reconnect" in page
    answer = owner.post(HOME + "connect/", {"tenant": tenant.pk})
    status, page = come_back(owner, answer_of(str(answer["Refresh"]).partition("url=")[2], org))
    assert status == 200
    assert "Needs you" not in page
    with tenant_transaction(tenant.pk):
        assert Connection.objects.count() == 1


def test_disconnect_asks_first_and_keeps_the_setup_for_the_same_org(
    owner: Client, tenant: Tenant, org: OrgUser
) -> None:
    come_back(owner, answer_of(begin(owner, tenant), org))
    assert "Keep it" in owner.get(HOME + "disconnect/").content.decode()
    owner.post(HOME + "disconnect/", {"tenant": tenant.pk})
    page = owner.get(HOME).content.decode()
    assert "was disconnected" in page
    come_back(owner, answer_of(begin(owner, tenant), org))
    with tenant_transaction(tenant.pk):
        assert Connection.objects.count() == 1
        assert sorted(Profile.objects.values_list("kind", flat=True)) == ["custom", "default"]
        assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"connected", "disconnected"}


def test_status_tells_the_opener_of_the_popup_when_the_connection_stands(
    owner: Client, tenant: Tenant, org: OrgUser, user: User
) -> None:
    assert owner.get(HOME + "status/").json()["connected"] is False
    come_back(owner, answer_of(begin(owner, tenant), org))
    state = owner.get(HOME + "status/").json()
    assert (state["connected"], state["url"]) == (True, HOME)
    with tenant_transaction(tenant.pk):
        row = live_connection()
        assert row is not None
        disconnect(connection=row, user=user)
    assert owner.get(HOME + "status/").json()["connected"] is False


@pytest.mark.parametrize("name", ["lead", "contact", "account", "opportunity"])
def test_object_page_lists_its_mappings_without_asking_salesforce(
    owner: Client, tenant: Tenant, org: OrgUser, emulator: EmulatorControl, name: str
) -> None:
    come_back(owner, answer_of(begin(owner, tenant), org))
    emulator.clear_calls()
    page = owner.get(f"{HOME}objects/{name}/").content.decode()
    assert "Overwrite" in page
    assert emulator.calls() == []
    assert owner.get(f"{HOME}objects/nonsense/").status_code == 404
