"""Every page there is, with something on it: no violation of axe, one heading, nothing wider than the screen, in both
schemes and at both widths. A page that is added is missing here until it is listed."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from apps.audience.models import (
    RECEIVED_KINDS,
    Company,
    CustomRecord,
    CustomRecordType,
    Engagement,
    Erasure,
    ErasureState,
    List,
    ListKind,
    ListMembership,
    Opportunity,
    SavedFilter,
)
from apps.audience.services.custom_fields import create_custom_field
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.sequences import create_sequence, enrol
from apps.field_mappings.models import FieldMapping, ProfileKind, SyncStep
from apps.field_mappings.selectors import profiles_of
from apps.imports.models import Import, ImportProblem
from apps.imports.services import upload
from apps.integrations.models import ApiUsage, Connection, ConnectionCheck, PasswordAttempt
from apps.notifications.models import Attempt, EndpointKind, Notice
from apps.notifications.webhooks.endpoints import create_endpoint, send_test
from apps.outbox.models import OutboundChange
from apps.sync.models import (
    BulkAction,
    EntryAction,
    ErasureJob,
    ObjectStage,
    RunEntry,
    RunKind,
    RunObject,
    RunState,
    SyncRun,
    Watermark,
)
from apps.sync_actions.models import CrmAction, Reaction, Rule, RuleRun
from apps.sync_errors.models import SyncError
from apps.sync_errors.services import ErrorFact, record_errors
from apps.tenants.models import Scope, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.api_keys import create_api_key
from apps.tenants.services.members import invite_member
from tests.console.records.conftest import linked_person, salesforce
from tests.console.salesforce.conftest import _plain_static_files, member
from tests.console.salesforce.test_connect_browser import browser, log_in

__all__ = ["_plain_static_files", "browser", "member", "salesforce"]
pytestmark = [pytest.mark.django_db(transaction=True)]

# Names of the addresses that show a page, with the record each is about.
PAGES: dict[str, str] = {
    "overview": "",
    "hub": "",
    "salesforce": "",
    "salesforce-object": "object",
    "profiles": "",
    "step-add": "",
    "step-remove": "step",
    "step-statuses": "status_step",
    "step-filter": "step side",
    "step-preview": "step",
    "mapping-add": "step",
    "mapping-values": "mapping",
    "salesforce-disconnect": "",
    "salesforce-package": "",
    "notices": "",
    "salesforce-password": "",
    "salesforce-password-attempt": "attempt",
    "sync-settings": "",
    "sync-settings-full-sync": "",
    "log-list": "",
    "log-merges": "",
    "log-run": "run",
    "log-rows": "run",
    "errors-list": "",
    "errors-detail": "error",
    "errors-clear-all": "",
    "errors-retry-all": "",
    "people-list": "",
    "people-detail": "person",
    "people-new": "",
    "people-edit": "person",
    "people-why": "person",
    "companies-list": "",
    "companies-detail": "company",
    "companies-new": "",
    "companies-edit": "company",
    "companies-why": "company",
    "filters-new": "area",
    "filters-edit": "saved",
    "bulk-detail": "bulk",
    "queue-list": "",
    "why": "",
    "opportunities-list": "",
    "opportunities-detail": "opportunity",
    "opportunities-why": "opportunity",
    "records-list": "type",
    "records-detail": "type record",
    "records-new": "type",
    "records-edit": "type record",
    "records-why": "type record",
    "custom-objects": "",
    "owners": "",
    "lists-list": "",
    "lists-detail": "list",
    "lists-new": "",
    "sequences-list": "",
    "sequences-new": "",
    "sequences-detail": "sequence",
    "people-activity": "person",
    "custom-fields": "",
    "custom-fields-new": "",
    "custom-fields-edit": "custom_field",
    "custom-fields-remove": "custom_field",
    "scores": "",
    "members": "",
    "members-audit": "",
    "api-keys": "",
    "invitation": "token",
    "privacy": "",
    "people-erase": "person",
    "imports-list": "",
    "people-import": "",
    "companies-import": "",
    "imports-columns": "import",
    "imports-detail": "imported",
    "webhooks-list": "",
    "webhooks-new": "",
    "webhooks-detail": "webhook",
    "webhooks-edit": "webhook",
    "webhooks-delete": "webhook",
    "webhooks-delivery": "delivery",
    "actions-list": "",
    "actions-new": "",
    "actions-edit": "rule",
    "actions-log": "rule",
    "actions-try": "rule",
}
# What answers with something else: parts of pages, downloads, the outcome of a form, a redirect.
NO_PAGES = {
    "actions-steps", "actions-switch", "actions-move", "actions-delete", "actions-held",
    "api-keys-revoke",
    "lists-change", "lists-members", "sequences-change", "sequences-people", "people-score", "people-lists",
    "people-sequences",
    "privacy-allow", "people-data",
    "imports-cancel", "imports-errors-csv", "people-export", "companies-export", "lists-export",
    "webhooks-switch", "webhooks-test", "webhooks-rotate", "webhooks-replay",
    "records-active", "records-open", "records-open-why", "records-sync", "records-sync-run", "custom-objects-add",
    "custom-objects-look",
    "notices-open", "notices-read",
    "people-link", "people-unlink", "companies-link", "companies-unlink", "errors-settle",
    "bulk-ask", "bulk-start", "bulk-cancel", "filters-remove",
    "companies-active", "companies-sync", "companies-sync-run", "people-active", "people-consent", "people-sync",
    "people-sync-run", "queue-cancel", "queue-release", "queue-commands",
    "errors-clear", "errors-csv", "errors-retry", "healthz", "log-cancel", "log-rows-csv", "members-invite",
    "members-new-tenant",
    "members-profile", "members-remove", "members-role", "members-withdraw", "open-errors", "overview-live",
    "salesforce-package-cancel", "salesforce-package-install", "salesforce-package-progress",
    "salesforce-callback", "salesforce-checks", "salesforce-checks-run", "salesforce-connect",
    "profile-switch",  # shows something only with a choice; see tests/console/mappings/test_in_browser.py
    "object-on", "object-sync", "step-move", "step-on", "step-turn", "step-clone", "step-switches", "mappings-save",
    "step-list-views", "step-push-all",
    "salesforce-mappings-reviewed", "salesforce-status", "switch-tenant", "sync-settings-save", "theme",
}  # fmt: skip
BEFORE_CONNECTING = ("overview", "hub", "salesforce", "people-list", "companies-list", "lists-list")
OWN_ACCOUNT = (
    "mfa_index", "account_change_password", "account_email", "usersessions_list", "account_logout",
    "account_reauthenticate",
)  # fmt: skip
ANONYMOUS = ("account_login", "account_signup", "account_reset_password")
ROMANS = {"field": "city", "type": "string", "operator": "equals", "values": ["Rome"]}
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]


def test_every_address_is_known_here_as_a_page_or_as_none() -> None:
    named = {name for name in get_resolver().namespace_dict["console"][1].reverse_dict if isinstance(name, str)}
    assert named == PAGES.keys() | NO_PAGES
    assert not PAGES.keys() & NO_PAGES


@pytest.fixture
def look(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """A browser's window on the live server."""
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def world(tenant: Tenant, salesforce: Connection) -> dict[str, Any]:
    """A connection in the middle of its work, and one of every record; gives what each kind of page is about."""
    now = timezone.now()
    with tenant_transaction(tenant.pk):
        Connection.objects.update(api_used=4000, api_allowed=100_000, edition="Enterprise Edition")
        ApiUsage.objects.create(connection=salesforce, hour=now.replace(minute=0), calls=120)
        Watermark.objects.create(connection_id=salesforce.pk, sobject="Lead", covered_to=now)
        for outcome in ("pass", "warning", "blocker", "not_checked"):
            ConnectionCheck.objects.create(
                connection=salesforce, key=outcome, title=outcome, outcome=outcome, finding="x", fix="y", checked_at=now
            )
        company = Company.objects.create(name="Analytical Engines", industry="Machines")
        person = linked_person(salesforce, title="Countess", company=company)
        OutboundChange.objects.create(local_type="person", local_id=person.pk, state="held", reason="It is there.")
        fair: Any = List.objects.create(kind=ListKind.CAMPAIGN, name="Fair", status="Planned", remote_id="701A")
        ListMembership.objects.create(list=fair, person=person, status="Sent", has_responded=True)
        deal = Opportunity.objects.create(name="Big deal", stage="Closed Won", company=company)
        kind = CustomRecordType.objects.create(
            key="project", label="Project", label_plural="Projects", sobject="Project__c"
        )
        record = CustomRecord.objects.create(record_type=kind, name="Bridge", person=person, company=company)
        sequence = create_sequence(name="Welcome", description="Three mails in a week.", user=None)
        enrol(people=[person], sequence=sequence, origin="manual")
        own_field = create_custom_field(
            record_type="person", label="Shoe size", kind="picklist", options=["38", "39"], user=None
        )
        details = {"link": "https://example.com/prices", "channel": "mail", "body": "More, please."}
        events = [
            EventDraft(kind=one, person_id=person.pk, details=details) for one in (*RECEIVED_KINDS, *RECEIVED_KINDS)
        ]
        record_engagements(events=events, origin="api")
        Engagement.objects.filter(kind="form_submitted").update(task_state="refused", task_note="No room.")
        run = _run(salesforce, person.pk)
        record_errors(
            [ErrorFact(category="ambiguous_match", message="Two fit.", remote_id="00Q000000000001AAA",
                       record_label="Ada", raw="[]", field="City", local_type="company",
                       details={"candidates": [{"id": company.pk}], "row": {"name": "Engines", "industry": "x"}})],
            connection_id=salesforce.pk, run_id=run.pk, at=now,
        )  # fmt: skip
        RunEntry.objects.create(
            run_id=run.pk, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person.pk,
            action=EntryAction.MERGED, changes={"title": {"before": "", "after": "Countess", "rule": "merged"}},
        )  # fmt: skip
        error = SyncError.objects.get()
        saved = SavedFilter.objects.create(record_type="person", name="Romans", tree=ROMANS)
        bulk = BulkAction.objects.create(kind="push", record_type="person", criteria={"ids": [person.pk]}, until_id=1)
        inviter = User.objects.create_user("inviter@northwind.example", "correct horse battery")
        key, _ = create_api_key(name="Website", scopes=list(Scope), user=inviter)
        hook, _ = create_endpoint(
            name="Warehouse", kind=EndpointKind.WEBHOOK, url="https://hooks.example.com/a", events=["run.finished"],
            with_bulk=False, user=inviter,
        )  # fmt: skip
        erasure: Any = Erasure.objects.create(person_id=4711, actor_label="Inviter")
        for person_id, problem in ((4712, ""), (4713, "What is looked for was sealed with a key that is gone.")):
            under_way = Erasure.objects.create(person_id=person_id, actor_label="Inviter", state=ErasureState.ERASING)
            spans = [["notifications_notice", [0], [200]]]
            ErasureJob.objects.create(erasure=under_way, names="", spans=spans, cursor=[80], problem=problem)
        files = [
            upload(record_type="person", filename="fair.csv", source=io.BytesIO(b), size=len(b), user=inviter)
            for b in (b"Email,Town\neve@example.com,Paris\n", b"Email\nnonsense\n")
        ]
        Import.objects.filter(id=files[1].pk).update(state="completed", rows=1, failed=1, skip_reasons={"blank": 1})
        ImportProblem.objects.create(source=files[1], row=2, reason="No e-mail address.", cells=["nonsense"])
        delivery = send_test(endpoint=hook, user=inviter)
        Attempt.objects.create(delivery=delivery, status=500, response="<b>no</b>", problem="It answered 500.")
        steps = SyncStep.objects.filter(profile=profiles_of(salesforce)[ProfileKind.CUSTOM])
        lead = steps.get(sobject="Lead")
        status = SyncStep.objects.create(
            profile=lead.profile, position=9, kind="status", sobject="Lead", local_type="sequence_status"
        )
        mapping_id = FieldMapping.objects.get(step=lead, remote_field="Title").pk
        notice = Notice.objects.create(kind="sync_errors", subject="New sync errors", facts={"too_long": 3}, path="/")
        words = "Check all three."
        attempt = PasswordAttempt.objects.create(user=inviter, state="refused", code="expired", words=words)
        rule = _rule(person.pk, run.pk)
        link = invite_member(tenant=tenant, email="guest@northwind.example", role=Role.ADMIN, inviter=inviter)
    return {
        "": None, "object": "lead", "run": run.pk, "error": error.pk, "person": person.pk, "company": company.pk,
        "opportunity": deal.pk, "list": fair.pk, "sequence": sequence.pk, "custom_field": own_field.pk,
        "token": link.split("/")[-2],
        "area": "people", "notice": notice.pk, "attempt": attempt.pk, "saved": saved.pk, "bulk": bulk.pk,
        "api_key": key.pk,
        "webhook": hook.pk, "delivery": delivery.pk, "rule": rule.pk,
        "erasure": erasure.pk, "import": files[0].pk, "imported": files[1].pk,
        "type": kind.key, "record": record.pk,
        "step": lead.pk, "side": "in", "status_step": status.pk, "mapping": mapping_id,
    }  # fmt: skip


def _rule(person_id: int, run_id: int) -> Rule:
    """A rule with conditions and actions of several kinds, something held back, and what it did."""
    rules = [
        Rule.objects.create(
            name=name, position=place, is_enabled=place == 0, trigger="synced",
            conditions={"all_of": True, "parts": [ROMANS]},
            actions=[
                {"kind": "set_field", "values": {"field": "title", "text": "{first_name}"}},
                {"kind": "crm_task", "values": {"subject": "Call {first_name}", "days": "1", "description": "x"}},
                {"kind": "map_value", "values": {"field": "country", "pairs": "DE = Germany"}},
            ],
        )
        for place, name in enumerate(["Romans", "Others"])
    ]  # fmt: skip
    rule: Rule = rules[0]
    Reaction.objects.create(rule_id=rule.pk, person_id=person_id, event="created", event_key="v", state="held")
    CrmAction.objects.create(
        rule_id=rule.pk, rule_name=rule.name, action="crm_task", person_id=person_id, record_label="Ada", key="k",
        values={"subject": "Call"}, cause="Rule “Romans”: it came in", state="held", reason="Why.",
    )  # fmt: skip
    effects = [
        {"kind": "set_field", "words": "Changed", "before": "", "after": "x", "done": True, "failed": False},
        {
            "kind": "trim",
            "words": "The value is right already",
            "before": "x",
            "after": "x",
            "done": False,
            "failed": False,
        },
        {"kind": "webhook", "words": "It is gone", "before": "", "after": "", "done": False, "failed": True},
    ]
    for number, outcome in enumerate(("done", "failed", "cut")):
        RuleRun.objects.create(
            rule_id=rule.pk, rule_name=rule.name, person_id=person_id, record_label="Ada", event="created",
            event_key=f"v{number}", why="it came in", outcome=outcome, note="Why.", effects=effects, run_id=run_id,
        )  # fmt: skip
    return rule


def _run(connection: Connection, person_id: int) -> SyncRun:
    """A full sync under way, after one that ended."""
    now = timezone.now()
    for state in (RunState.COMPLETED, RunState.RUNNING):
        run: SyncRun = SyncRun.objects.create(
            connection_id=connection.pk, kind=RunKind.FULL, state=state, started_at=now, warnings=["Slow"],
            finished_at=now if state is RunState.COMPLETED else None,
        )  # fmt: skip
        RunObject.objects.create(
            run=run, position=0, sobject="Lead", label="Leads", stage=ObjectStage.FETCHING, expected=10, fetched=5,
            created=4, skipped=1, skip_reasons={"filtered": 1}, finished_at=run.finished_at,
        )  # fmt: skip
        RunEntry.objects.create(
            run_id=run.pk, sobject="Lead", remote_id="00Q000000000001AAA", local_type="person", local_id=person_id,
            action=EntryAction.UPDATED,
            changes={"title": {"before": "Miss", "after": "Countess", "rule": "remote_moved", "lost": "Ms"}},
        )  # fmt: skip
    return run


def complaints(page: Page, url: str, status: int = 200) -> list[str]:
    """What is wrong with the page at this address."""
    answer = page.goto(url)
    assert answer is not None
    found = [f"{violation['id']} on {url}" for violation in Axe().run(page).response["violations"]]
    if answer.status != status:
        found.append(f"{url} answers {answer.status}")
    if page.locator("h1").count() != 1:
        found.append(f"{page.locator('h1').count()} headings of the first level on {url}")
    if page.locator("main").count() != 1:
        found.append(f"no main part on {url}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{url} is wider than the screen")
    return found


def dressed(context: BrowserContext, scheme: Any, width: int) -> Page:
    """A tab in one scheme, as wide as asked for."""
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    return page


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_can_be_used_by_everybody(
    look: BrowserContext,
    live_server: LiveServer,
    member: Callable[[Role], Client],
    world: dict[str, Any],
    scheme: str,
    width: int,
) -> None:
    log_in(look, member(Role.OWNER), live_server.url)
    page = dressed(look, scheme, width)
    urls = [reverse(f"console:{name}", args=[world[one] for one in of.split()]) for name, of in PAGES.items()]
    urls += [reverse(name) for name in OWN_ACCOUNT]
    assert [one for url in urls for one in complaints(page, url)] == []
    assert complaints(page, "/there-is-nothing-here/", 404) == []


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_before_connecting_can_be_used_by_everybody(
    look: BrowserContext, live_server: LiveServer, member: Callable[[Role], Client], scheme: str, width: int
) -> None:
    log_in(look, member(Role.VIEWER), live_server.url)
    page = dressed(look, scheme, width)
    assert [one for name in BEFORE_CONNECTING for one in complaints(page, reverse(f"console:{name}"))] == []
    assert complaints(page, reverse("console:members-audit"), 403) == []


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_before_log_in_can_be_used_by_everybody(look: BrowserContext, scheme: str, width: int) -> None:
    page = dressed(look, scheme, width)
    page.route("**/broken/", lambda route: route.fulfill(body=render_to_string("500.html"), content_type="text/html"))
    assert [one for name in ANONYMOUS for one in complaints(page, reverse(name))] == []
    assert complaints(page, "/broken/") == []


@pytest.mark.browser
def test_the_keyboard_reaches_the_content_by_the_first_link_and_sees_where_it_is(
    look: BrowserContext, live_server: LiveServer, member: Callable[[Role], Client], world: dict[str, Any]
) -> None:
    log_in(look, member(Role.OWNER), live_server.url)
    page = dressed(look, "light", 1280)
    page.goto("/people/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.browser
def test_the_drawer_of_a_phone_keeps_the_page_behind_it_out_of_reach(
    look: BrowserContext, live_server: LiveServer, member: Callable[[Role], Client]
) -> None:
    log_in(look, member(Role.OWNER), live_server.url)
    page = dressed(look, "light", 390)
    page.goto("/")
    page.get_by_role("link", name="Show navigation").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="People").wait_for()
    assert page.evaluate("document.getElementById('page').inert") is True
    page.keyboard.press("Escape")
    page.wait_for_function("!document.getElementById('page').inert")
    assert page.evaluate("document.activeElement.className") == "drawer-button"
