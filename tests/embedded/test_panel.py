"""The panel: what it shows and to whom, its token, and who may frame it."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.audience.models import (
    ConsentChange,
    Engagement,
    List,
    ListKind,
    ListMembership,
    Person,
    RecordChange,
    Sequence,
    SequenceEnrolment,
)
from apps.embedded.models import SignedRequest
from apps.integrations.models import Connection, ConnectionState
from apps.outbox.models import OutboundChange
from apps.outbox.queue import queue_change
from apps.sync.models import RunKind, RunObject, RunState, SyncRun
from apps.sync_errors.services import ErrorFact, record_errors
from apps.sync_settings.models import SyncSettings
from apps.tenants.directory import enter
from apps.tenants.models import DirectoryKind, Tenant
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.console.records.conftest import HOSTILE
from tests.embedded.conftest import HOME, open_panel, token_of
from tests.embedded.signing import LEAD_ID, envelope, sign

pytestmark = pytest.mark.django_db
ANOTHER_LEAD = "00Q000000000002EAA"


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:600]
    return str(answer.content.decode())


def ancestors(answer: Any) -> str:
    return re.search(r"frame-ancestors ([^;]*)", answer.headers["Content-Security-Policy"]).group(1)  # type: ignore[union-attr]


# -- what it shows ----------------------------------------------------------------------------------------------


def test_the_panel_shows_who_the_lead_is_here(tenant: Tenant, ada: Person, org: Connection, sf: Client) -> None:
    with tenant_transaction(tenant.pk):
        fair: Any = List.objects.create(kind=ListKind.CAMPAIGN, name="Spring Fair", remote_id="701000000000001AAA")
        news: Any = List.objects.create(name="Newsletter")
        ListMembership.objects.create(list=fair, person=ada, status="Sent", has_responded=True)
        ListMembership.objects.create(list=news, person=ada)
        queue_change(local_type="person", local_id=ada.pk, fields=["title"], origin="user", at=timezone.now())
        fact = ErrorFact(category="invalid_email", message="No such address.", remote_id=LEAD_ID, local_id=ada.pk,
                         local_type="person", record_label="Ada", field="Email")  # fmt: skip
        record_errors([fact], connection_id=org.pk, run_id=1, at=timezone.now())
    text = page(open_panel(sf))
    for words in (
        "Ada Lovelace", "Countess", "Analytical Engines", "42", "May be mailed", "Newsletter", "Spring Fair",
        "responded", "No such address.", "wait to go to Salesforce", "Joined a campaign", "Sync now",
    ):  # fmt: skip
        assert words in text, words
    assert f"/people/{ada.pk}/" in text


def test_an_unknown_lead_offers_sync_now_first(org: Connection, sf: Client) -> None:
    text = page(open_panel(sf))
    assert "Not in Syncline yet" in text
    assert "Sync now" in text
    assert "Timeline" not in text


def test_with_syncs_off_the_panel_says_so_and_offers_nothing(tenant: Tenant, org: Connection, sf: Client) -> None:
    with tenant_transaction(tenant.pk):
        SyncSettings.objects.update(syncs_enabled=False)
    text = page(open_panel(sf))
    assert "Syncs are off" in text
    assert re.search(r'id="panel-sync-now" disabled', text)


def test_whatever_is_written_in_a_record_is_shown_as_text(tenant: Tenant, ada: Person, sf: Client) -> None:
    for text in HOSTILE[:6]:
        with tenant_transaction(tenant.pk):
            Person.objects.update(first_name=text, title=text, company_name=text, lead_status=text)
        shown = page(open_panel(sf, context__user__fullName=text))
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert "<bdi>49 </bdi>" not in shown


# -- who is looking ---------------------------------------------------------------------------------------------


def test_the_look_is_written_down_with_who_looked(tenant: Tenant, ada: Person, sf: Client) -> None:
    page(open_panel(sf))
    with tenant_transaction(tenant.pk):
        seen = SignedRequest.objects.get()
    assert (seen.user_name, seen.remote_user_id[:15]) == ("Grace Hopper", "005000000000001")


def test_a_request_opens_the_panel_once(tenant: Tenant, ada: Person, sf: Client) -> None:
    text = sign(envelope())
    page(sf.post(HOME, {"signed_request": text}))
    again = page(sf.post(HOME, {"signed_request": text}), 403)
    assert "Reload this page" in again
    assert "Lovelace" not in again
    mac, _, payload = text.partition(".")
    page(sf.post(HOME, {"signed_request": f"{mac.rstrip('=')}.{payload}"}), 403)


def test_a_stale_or_forged_request_shows_nothing_but_words(ada: Person, sf: Client) -> None:
    for changes, secret in (({"issuedAt": 1}, None), ({}, "guessed")):
        text = sign(envelope(**changes), secret) if secret else sign(envelope(**changes))
        shown = page(sf.post(HOME, {"signed_request": text}), 403)
        assert "Reload this page" in shown
        assert "Lovelace" not in shown
        assert "Traceback" not in shown


@pytest.mark.parametrize("body", [{}, {"signed_request": ""}, {"signed_request": "x" * 300_000}, {"other": "x"}])
def test_a_broken_request_is_answered_in_words(ada: Person, sf: Client, body: dict[str, str]) -> None:
    assert "Reload this page" in page(sf.post(HOME, body), 400)


def test_an_enormous_request_is_refused_without_being_read(ada: Person, sf: Client) -> None:
    assert sf.post(HOME, {"signed_request": "x" * 5_000_000}).status_code == 400


def test_a_length_that_is_no_number_is_answered_in_words(ada: Person, sf: Client) -> None:
    answer = sf.generic("POST", HOME, b"signed_request=x", CONTENT_LENGTH="many")
    assert "Reload this page" in page(answer, 400)


def test_opened_by_itself_the_page_says_what_it_is(sf: Client) -> None:
    assert "This page is a part of Salesforce" in page(sf.get(HOME))
    assert "Your Salesforce administrator has to allow this" in page(sf.get(HOME + "?_sfdc_canvas_auth=x"), 403)


def test_an_org_that_is_not_connected_is_told_so(org: Connection, sf: Client) -> None:
    text = page(open_panel(sf, context__organization__organizationId="00D000000000009EAA"), 403)
    assert "Your org is not connected" in text


def test_an_org_that_was_disconnected_is_told_so_and_its_tokens_end(tenant: Tenant, ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf))
    with tenant_transaction(tenant.pk):
        Connection.objects.update(state=ConnectionState.DISCONNECTED)
    assert "Your org is not connected" in page(sf.post(HOME + "sync/", headers=header), 401)
    assert "Your org is not connected" in page(open_panel(sf), 403)


def test_a_record_of_another_org_is_never_shown(tenant: Tenant, other_tenant: Tenant, ada: Person, sf: Client) -> None:
    with tenant_transaction(other_tenant.pk):
        Connection.objects.create(
            org_id="00D000000000002EAA", instance_url="https://contoso.my.salesforce.com", api_version="66.0"
        )
        enter(kind=DirectoryKind.SALESFORCE_ORG, key="00D000000000002EAA")
    text = page(open_panel(sf, context__organization__organizationId="00D000000000002EAA"))
    assert "Not in Syncline yet" in text
    assert "Lovelace" not in text


def test_an_account_or_a_user_is_no_record_of_the_panel(ada: Person, sf: Client) -> None:
    for record_id in ("001000000000001AAA", "005000000000001AAA"):
        changes: dict[str, Any] = {
            "context__environment__record": {"Id": record_id},
            "context__environment__parameters": {},
        }
        assert "Nothing to show here" in page(open_panel(sf, **changes), 400)


# -- the token --------------------------------------------------------------------------------------------------


def test_no_cookie_is_set_and_none_is_needed(ada: Person, sf: Client) -> None:
    answer = open_panel(sf)
    assert not answer.cookies
    assert not sf.post(HOME + "sync/", headers=token_of(answer)).cookies
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_token_is_bound_and_ends_after_ten_minutes(tenant: Tenant, ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf))
    with time_machine.travel(timezone.now() + timedelta(minutes=9), tick=False):
        page(sf.get(HOME + "sync/run/", headers=header))
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert "Reload this page" in page(sf.get(HOME + "sync/run/", headers=header), 401)


def test_a_token_that_was_made_up_or_changed_opens_nothing(ada: Person, sf: Client, settings: Settings) -> None:
    good = token_of(open_panel(sf))["Authorization"]
    other_salt = "Bearer " + signing.dumps(signing.loads(good[7:], salt="embedded.panel"), salt="session")
    half = "Bearer " + signing.dumps({"tenant_id": 1}, salt="embedded.panel")
    for header in (
        "", "Bearer", "Bearer x", good + "x", good[:-1], good.replace("Bearer", "Basic"), other_salt, half,
        "Bearer " + "x" * 10_000,
    ):  # fmt: skip
        answer = sf.post(HOME + "opt-out/", headers={"Authorization": header})
        assert "Reload this page" in page(answer, 401), header
    settings.SECRET_KEY = "another"
    assert "Reload this page" in page(sf.post(HOME + "opt-out/", headers={"Authorization": good}), 401)


def test_a_members_cookie_is_no_token(ada: Person, sf: Client, member: Any) -> None:
    assert member(Role.OWNER).post(HOME + "sync/").status_code == 401


def test_the_record_is_the_tokens_and_no_parameter_changes_it(tenant: Tenant, ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf, context__environment__record={"Id": ANOTHER_LEAD},
                                 context__environment__parameters={}))  # fmt: skip
    answer = sf.post(f"{HOME}opt-out/?id={LEAD_ID}", {"recordId": LEAD_ID, "remote_id": LEAD_ID}, headers=header)
    assert "This person is not in Syncline" in page(answer)
    with tenant_transaction(tenant.pk):
        assert not Person.objects.get().email_opt_out


# -- what can be done -------------------------------------------------------------------------------------------


def test_sync_now_starts_one_run_of_the_record_in_the_users_name(tenant: Tenant, ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf))
    first, second = (page(sf.post(HOME + "sync/", headers=header)) for _ in range(2))
    with tenant_transaction(tenant.pk):
        run = SyncRun.objects.get()
    assert (run.kind, run.local_id, run.requested_by_label) == (RunKind.RECORD, ada.pk, "Salesforce user Grace Hopper")
    assert f"sync/run/?run={run.pk}" in first
    assert "Waiting to start" in second


def test_sync_now_of_an_unknown_lead_names_the_row(tenant: Tenant, org: Connection, sf: Client) -> None:
    header = token_of(open_panel(sf))
    page(sf.post(HOME + "sync/", headers=header))
    with tenant_transaction(tenant.pk):
        run = SyncRun.objects.get()
    assert (run.remote_sobject, run.remote_id, run.local_id) == ("Lead", LEAD_ID, None)


def test_the_log_shows_a_run_of_a_row_and_why_it_was_left_out(
    tenant: Tenant, org: Connection, sf: Client, member: Any
) -> None:
    header = token_of(open_panel(sf))
    page(sf.post(HOME + "sync/", headers=header))
    with tenant_transaction(tenant.pk):
        run = SyncRun.objects.get()
        RunObject.objects.create(run=run, position=0, sobject="Lead", label="Leads", note="A filter leaves it out.")
        SyncRun.objects.update(state=RunState.COMPLETED, finished_at=timezone.now())
    text = page(member(Role.VIEWER).get(f"/integrations/salesforce/log/{run.pk}/"))
    assert "A filter leaves it out." in text
    assert "Salesforce user Grace Hopper" in text
    shown = page(sf.get(HOME + f"sync/run/?run={run.pk}", headers=header))
    assert "It was not brought in" in shown
    assert "A filter leaves it out." in shown


def test_a_run_of_another_record_is_not_shown(tenant: Tenant, ada: Person, org: Connection, sf: Client) -> None:
    with tenant_transaction(tenant.pk):
        run: SyncRun = SyncRun.objects.create(
            connection_id=org.pk, kind=RunKind.RECORD, local_type="person", local_id=ada.pk + 1, failure="Secret."
        )
    header = token_of(open_panel(sf))
    for named in (str(run.pk), "0", "-1", "9" * 30, "x", "٣"):
        assert "Secret." not in page(sf.get(HOME + f"sync/run/?run={named}", headers=header))


def test_an_opt_out_has_the_salesforce_user_as_its_source(tenant: Tenant, ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf))
    text = page(sf.post(HOME + "opt-out/", headers=header))
    assert "Ada Lovelace is opted out of e-mail." in text
    assert "Opt out now" not in text
    with tenant_transaction(tenant.pk):
        assert Person.objects.get().email_opt_out
        consent, change = ConsentChange.objects.get(), RecordChange.objects.get()
        assert OutboundChange.objects.get().fields.keys() == {"email_opt_out"}
    assert (consent.opted_out, consent.source) == (True, "Salesforce user Grace Hopper")
    assert (consent.actor_id, change.actor_label) == (None, "Salesforce user Grace Hopper")


def test_a_list_and_a_sequence_are_joined_in_the_users_name(tenant: Tenant, ada: Person, sf: Client) -> None:
    with tenant_transaction(tenant.pk):
        news: Any = List.objects.create(name="Newsletter")
        welcome: Any = Sequence.objects.create(name="Welcome")
    header = token_of(open_panel(sf))
    assert "Ada Lovelace is on Newsletter." in page(sf.post(HOME + "list/", {"list": news.pk}, headers=header))
    text = page(sf.post(HOME + "sequence/", {"sequence": welcome.pk}, headers=header))
    assert "Ada Lovelace is in Welcome." in text
    assert "Joined a list" in text
    assert "by Salesforce user Grace Hopper" in text
    with tenant_transaction(tenant.pk):
        assert ListMembership.objects.get().person_id == ada.pk
        enrolment = SequenceEnrolment.objects.get()
    assert (enrolment.person_id, enrolment.status, enrolment.origin) == (ada.pk, "active", "panel")


def test_another_tenants_list_or_a_bad_one_is_not_joined(
    tenant: Tenant, other_tenant: Tenant, ada: Person, sf: Client
) -> None:
    with tenant_transaction(other_tenant.pk):
        theirs: Any = List.objects.create(name="Theirs")
    header = token_of(open_panel(sf))
    for value in (theirs.pk, "", "0", "-1", "9" * 40, "x", "1; DROP", "٣"):
        for part in ("list", "sequence"):
            assert f"Choose a {part} first." in page(sf.post(f"{HOME}{part}/", {part: value}, headers=header))
    with tenant_transaction(tenant.pk):
        assert not ListMembership.objects.exists()


def test_an_archived_sequence_takes_nobody(tenant: Tenant, ada: Person, sf: Client) -> None:
    with tenant_transaction(tenant.pk):
        old: Any = Sequence.objects.create(name="Old", is_active=False)
    header = token_of(open_panel(sf))
    assert "is archived" in page(sf.post(HOME + "sequence/", {"sequence": old.pk}, headers=header))


def test_the_timeline_has_what_the_person_did(tenant: Tenant, ada: Person, sf: Client) -> None:
    with tenant_transaction(tenant.pk):
        for kind, subject, details in (
            ("form_submitted", "Demo request", {"form": "demo"}),
            ("email_opened", "March news", {}),
            ("page_visited", "", {"url": "https://northwind.example/pricing"}),
            ("from_the_future", "New kind", {}),
        ):
            Engagement.objects.create(person_id=ada.pk, kind=kind, subject=subject, details=details,
                                      happened_at=timezone.now(), origin="api", points=5)  # fmt: skip
    text = page(open_panel(sf))
    for words in ("Form submitted", "Demo request", "E-mail opened", "https://northwind.example/pricing", "+5 points"):
        assert words in text, words


def test_parts_take_their_own_method_only(ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf))
    assert sf.get(HOME + "sync/", headers=header).status_code == 405
    assert sf.get(HOME + "opt-out/", headers=header).status_code == 405
    assert sf.post(HOME + "sync/run/", headers=header).status_code == 405


# -- who may frame it -------------------------------------------------------------------------------------------


def test_only_the_orgs_own_hosts_may_frame_the_panel(ada: Person, sf: Client) -> None:
    answer = open_panel(sf)
    assert ancestors(answer) == (
        "https://northwind.my.salesforce.com https://northwind.lightning.force.com https://northwind--c.vf.force.com"
    )
    assert "X-Frame-Options" not in answer.headers


@pytest.mark.parametrize(
    ("instance", "lightning", "visualforce"),
    [
        ("acme--dev.sandbox.my", "acme--dev.sandbox", "acme--dev--c.sandbox"),
        ("acme-dev-ed.develop.my", "acme-dev-ed.develop", "acme-dev-ed--c.develop"),
    ],
)
def test_partitions_of_enhanced_domains_keep_their_place(
    tenant: Tenant, ada: Person, sf: Client, instance: str, lightning: str, visualforce: str
) -> None:
    with tenant_transaction(tenant.pk):
        Connection.objects.update(instance_url=f"https://{instance}.salesforce.com")
    assert ancestors(open_panel(sf)).split()[1:] == [
        f"https://{lightning}.lightning.force.com",
        f"https://{visualforce}.vf.force.com",
    ]


def test_a_refusal_may_be_framed_by_salesforce_alone_and_names_nobody(ada: Person, sf: Client) -> None:
    answer = sf.post(HOME, {"signed_request": "x"})
    assert ancestors(answer) == "https://*.my.salesforce.com https://*.lightning.force.com https://*.vf.force.com"
    assert "Northwind" not in page(answer, 400)


def test_everything_else_stays_unframeable(ada: Person, sf: Client) -> None:
    header = token_of(open_panel(sf))
    for answer in (
        sf.post(HOME + "sync/", headers=header), sf.get(HOME + "view/"), sf.get("/accounts/login/"),
        sf.get("/nothing-here/"),
    ):  # fmt: skip
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert ancestors(answer) == "'none'"
