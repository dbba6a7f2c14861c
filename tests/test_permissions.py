"""Every address of the project, asked by everybody: strangers, each role, and the owner of another tenant.

An address that is added fails here until it stands in the table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.tenants.access import TENANT_FIELD
from apps.tenants.models import Invitation, Membership, Tenant, User
from apps.tenants.roles import Role
from apps.tenants.scope import tenant_transaction
from tests.api import addresses as api
from tests.console.records.conftest import salesforce
from tests.console.salesforce.conftest import _plain_static_files, join, logged_in
from tests.console.test_every_page_axe import world
from tests.core.catalogue import read_catalogue, rows_of

__all__ = ["_plain_static_files", "salesforce", "world"]
pytestmark = pytest.mark.django_db

ROLES = ("anonymous", "viewer", "marketer", "admin", "owner")

# What comes back to anonymous, viewer, marketer, admin, owner.
EVERYBODY = "200 200 200 200 200"
MEMBERS = "302 200 200 200 200"
MEMBERS_ON = "302 302 302 302 302"
WORKERS = "302 403 200 200 200"
WORKERS_ON = "302 403 302 302 302"
ADMINS = "302 403 403 200 200"
ADMINS_ON = "302 403 403 302 302"
NEVER = "405 405 405 405 405"
NO_KEY = "401 401 401 401 401"
NO_TOKEN = "401 401 401 401 401"
NOTHING_THERE = "302 404 404 404 404"


@dataclass(frozen=True)
class Answers:
    """The statuses an address answers with. 302 leads a stranger to the log-in page and a member onward; ``about``
    names the records in the address, ``form`` what is posted."""

    get: str = NEVER
    post: str = NEVER
    about: Sequence[str] = ()
    form: Mapping[str, str] = field(default_factory=dict)

    def to(self, role: str, method: str) -> int:
        return int((self.get if method == "get" else self.post).split()[ROLES.index(role)])


TABLE: dict[str, Answers] = {
    # Pages that show; most of them answer a POST as if it were a GET, and change nothing.
    "console:overview": Answers(MEMBERS),
    "console:overview-live": Answers("302 204 204 204 204"),
    "console:open-errors": Answers(MEMBERS),
    "console:hub": Answers(MEMBERS, MEMBERS),
    "console:people-list": Answers(MEMBERS, MEMBERS),
    "console:people-detail": Answers(MEMBERS, MEMBERS, ["person"]),
    "console:companies-list": Answers(MEMBERS, MEMBERS),
    "console:companies-detail": Answers(MEMBERS, MEMBERS, ["company"]),
    "console:opportunities-list": Answers(MEMBERS, MEMBERS),
    "console:opportunities-detail": Answers(MEMBERS, MEMBERS, ["opportunity"]),
    "console:lists-list": Answers(MEMBERS, MEMBERS),
    "console:records-list": Answers(MEMBERS, about=["type"]),
    "console:records-detail": Answers(MEMBERS, about=["type", "record"]),
    "console:records-open": Answers(MEMBERS_ON, about=["record"]),
    "console:records-open-why": Answers(MEMBERS_ON, about=["record"]),
    "console:records-why": Answers(MEMBERS, about=["type", "record"]),
    "console:records-sync-run": Answers(NOTHING_THERE, about=["type", "record", "run"]),
    "console:custom-objects": Answers(MEMBERS),
    "console:people-sync-run": Answers(NOTHING_THERE, about=["person", "run"]),  # the run is not of this record
    "console:companies-sync-run": Answers(NOTHING_THERE, about=["company", "run"]),
    "console:people-why": Answers(MEMBERS, about=["person"]),
    "console:companies-why": Answers(MEMBERS, about=["company"]),
    "console:opportunities-why": Answers(MEMBERS, MEMBERS, about=["opportunity"]),
    "console:why": Answers(MEMBERS),
    "console:queue-list": Answers(MEMBERS),
    "console:lists-detail": Answers(MEMBERS, MEMBERS, ["list"]),
    "console:sequences-list": Answers(MEMBERS, MEMBERS),
    "console:sequences-detail": Answers(MEMBERS, MEMBERS, ["sequence"]),
    "console:people-activity": Answers(MEMBERS, about=["person"]),
    "console:custom-fields": Answers(MEMBERS, MEMBERS),
    "console:scores": Answers(MEMBERS, "302 403 422 422 422"),  # an empty form comes back with words
    "console:log-list": Answers(MEMBERS, MEMBERS),
    "console:log-merges": Answers(MEMBERS, MEMBERS),
    "console:log-run": Answers(MEMBERS, MEMBERS, ["run"]),
    "console:log-rows": Answers(MEMBERS, MEMBERS, ["run"]),
    "console:log-rows-csv": Answers(MEMBERS, MEMBERS, ["run"]),
    "console:errors-list": Answers(MEMBERS, MEMBERS),
    "console:errors-csv": Answers(MEMBERS, MEMBERS),
    "console:errors-detail": Answers(MEMBERS, MEMBERS, ["error"]),
    "console:salesforce": Answers(MEMBERS),
    "console:salesforce-checks": Answers(MEMBERS_ON),  # a part of the page: without htmx it leads to the whole
    "console:salesforce-status": Answers(MEMBERS),
    "console:salesforce-object": Answers(MEMBERS, about=["object"]),
    "console:profiles": Answers(MEMBERS),
    "console:step-preview": Answers(MEMBERS, about=["step"]),
    "console:sync-settings": Answers(MEMBERS),
    "console:members": Answers(MEMBERS),
    "console:people-export": Answers(MEMBERS),
    "console:companies-export": Answers(MEMBERS),
    "console:lists-export": Answers(MEMBERS, about=["list"]),
    # What marketers do.
    "console:imports-list": Answers(WORKERS),
    "console:people-import": Answers(WORKERS, "302 403 422 422 422"),
    "console:companies-import": Answers(WORKERS, "302 403 422 422 422"),
    "console:imports-columns": Answers(WORKERS, "302 403 422 422 422", ["import"]),
    "console:imports-detail": Answers(WORKERS, about=["imported"]),
    "console:imports-cancel": Answers(NEVER, WORKERS_ON, ["import"]),
    "console:imports-errors-csv": Answers(WORKERS, about=["imported"]),
    "console:bulk-detail": Answers(MEMBERS, about=["bulk"]),
    "console:bulk-ask": Answers(NEVER, WORKERS, ["area"], {"action": "push", "id": "person"}),
    "console:bulk-start": Answers(NEVER, WORKERS_ON, ["area"], {"action": "push", "id": "person"}),
    "console:bulk-cancel": Answers(NEVER, WORKERS_ON, ["bulk"]),
    "console:filters-new": Answers(WORKERS, "302 403 422 422 422", ["area"]),  # without a name and a rule
    "console:filters-edit": Answers(WORKERS, "302 403 422 422 422", ["saved"]),
    "console:filters-remove": Answers(NEVER, WORKERS_ON, ["saved"]),
    "console:records-new": Answers(WORKERS, WORKERS, ["type"]),
    "console:records-edit": Answers(WORKERS, "302 403 409 409 409", ["type", "record"]),
    "console:records-active": Answers(NEVER, WORKERS_ON, ["type", "record"]),
    "console:records-sync": Answers(NEVER, WORKERS_ON, ["type", "record"]),
    "console:custom-objects-look": Answers(NEVER, WORKERS_ON),
    "console:custom-objects-add": Answers(WORKERS_ON, WORKERS_ON),  # names no object: back to the choice
    "console:lists-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:lists-change": Answers(NEVER, WORKERS_ON, ["list"]),
    "console:lists-members": Answers(NEVER, WORKERS_ON, ["list"]),
    "console:sequences-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:sequences-change": Answers(NEVER, WORKERS_ON, ["sequence"]),
    "console:sequences-people": Answers(NEVER, WORKERS_ON, ["sequence"]),
    "console:people-score": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:people-lists": Answers(NEVER, WORKERS_ON, ["person"], {"list": "list"}),
    "console:people-sequences": Answers(NEVER, WORKERS_ON, ["person"], {"sequence": "sequence"}),
    "console:custom-fields-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:custom-fields-edit": Answers(WORKERS, "302 403 422 422 422", ["custom_field"]),
    "console:custom-fields-remove": Answers(WORKERS, WORKERS_ON, ["custom_field"]),
    "console:people-new": Answers(WORKERS, WORKERS),  # an empty form comes back with words
    "console:companies-new": Answers(WORKERS, WORKERS),
    "console:people-edit": Answers(WORKERS, "302 403 409 409 409", ["person"]),  # without a version: overtaken
    "console:companies-edit": Answers(WORKERS, "302 403 409 409 409", ["company"]),
    "console:people-consent": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:people-active": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:companies-active": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:people-link": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:people-unlink": Answers(NEVER, WORKERS_ON, ["person"], {"remote_id": "00Q000000000001AAA"}),
    "console:companies-link": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:companies-unlink": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:errors-settle": Answers(NEVER, WORKERS_ON, ["error"], {"choice": "new"}),
    "console:people-sync": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:companies-sync": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:queue-cancel": Answers(NEVER, WORKERS_ON),
    "console:queue-release": Answers(NEVER, WORKERS_ON),
    "console:queue-commands": Answers(NEVER, WORKERS_ON),
    "console:errors-clear": Answers(NEVER, WORKERS_ON, form={"error": "error"}),
    "console:errors-clear-all": Answers(WORKERS, WORKERS_ON),
    "console:errors-retry": Answers(NEVER, WORKERS_ON, form={"error": "error"}),
    "console:errors-retry-all": Answers(WORKERS, WORKERS_ON),
    "console:log-cancel": Answers(NEVER, WORKERS_ON, ["run"]),
    "console:salesforce-checks-run": Answers(NEVER, WORKERS_ON),
    "console:salesforce-mappings-reviewed": Answers(NEVER, WORKERS_ON),
    "console:object-on": Answers(NEVER, WORKERS_ON, ["object"], {"on": "0"}),
    "console:object-sync": Answers(NEVER, WORKERS_ON, ["object"]),
    "console:profile-switch": Answers(WORKERS_ON, WORKERS_ON, form={"to": "default"}),  # a page only with a choice
    "console:step-add": Answers(WORKERS, "302 403 409 409 409", form={"what": "record:Lead"}),  # without a version
    "console:step-move": Answers(NEVER, WORKERS_ON, ["step"], {"way": "up"}),
    "console:step-on": Answers(NEVER, WORKERS_ON, ["step"], {"on": "0"}),
    "console:step-turn": Answers(NEVER, WORKERS_ON, ["step"], {"version": "1"}),
    "console:step-clone": Answers(NEVER, WORKERS_ON, ["step"]),
    "console:step-remove": Answers(WORKERS, WORKERS_ON, ["step"]),
    "console:step-statuses": Answers(WORKERS, "302 403 409 409 409", ["status_step"]),
    "console:step-switches": Answers(NEVER, "302 403 302 302 302", ["step"], {"version": "1", "update_local": "on"}),
    "console:mappings-save": Answers(NEVER, WORKERS_ON, ["step"], {"version": "1"}),
    "console:mapping-add": Answers(WORKERS, "302 403 422 422 422", ["step"]),
    "console:mapping-values": Answers(WORKERS, WORKERS_ON, ["mapping"], {"version": "1"}),
    "console:step-filter": Answers(WORKERS, WORKERS_ON, ["step", "side"], {"version": "1"}),
    "console:step-list-views": Answers(NEVER, WORKERS_ON, ["step"]),
    "console:step-push-all": Answers(NEVER, WORKERS_ON, ["step"]),
    "console:sync-settings-full-sync": Answers(WORKERS_ON, WORKERS_ON),  # a run is open: onward to it
    # What admins do.
    "console:owners": Answers(MEMBERS, "302 403 403 302 302"),
    "console:sync-settings-save": Answers(NEVER, "302 403 403 422 422"),
    "console:salesforce-connect": Answers(NEVER, "302 403 403 200 200"),
    "console:salesforce-callback": Answers("302 403 403 400 400"),  # comes without a state
    "console:notices": Answers(MEMBERS, MEMBERS),
    "console:notices-open": Answers(NEVER, MEMBERS_ON, ["notice"]),
    "console:notices-read": Answers(NEVER, MEMBERS_ON),
    "console:salesforce-password": Answers(ADMINS, "302 403 403 422 422"),  # nothing was typed
    "console:salesforce-password-attempt": Answers(ADMINS, about=["attempt"]),
    "console:salesforce-disconnect": Answers(ADMINS, ADMINS_ON),
    "console:members-invite": Answers(NEVER, ADMINS_ON, form={"email": "new@x.example", "role": "viewer"}),
    "console:members-withdraw": Answers(NEVER, ADMINS_ON, ["invitation"]),
    "console:members-role": Answers(NEVER, ADMINS_ON, ["membership"], {"role": "admin"}),
    "console:members-remove": Answers(NEVER, ADMINS_ON, ["membership"]),
    "console:members-audit": Answers(ADMINS),
    "console:api-keys": Answers(ADMINS, "302 403 403 200 200", form={"name": "Web", "scopes": "people:read"}),
    "console:api-keys-revoke": Answers(NEVER, ADMINS_ON, ["api_key"]),
    "console:actions-list": Answers(MEMBERS),
    "console:actions-log": Answers(MEMBERS, about=["rule"]),
    "console:actions-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:actions-edit": Answers(WORKERS, "302 403 422 422 422", ["rule"]),
    "console:actions-try": Answers(WORKERS, about=["rule"]),
    "console:actions-steps": Answers(NEVER, WORKERS_ON),
    "console:actions-switch": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:actions-move": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:actions-held": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:actions-delete": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:privacy": Answers(ADMINS),
    "console:privacy-allow": Answers(NEVER, ADMINS_ON, ["erasure"]),
    "console:people-data": Answers(ADMINS, about=["person"]),
    "console:people-erase": Answers(ADMINS, "302 403 403 422 422", ["person"]),
    "console:webhooks-list": Answers(ADMINS),
    "console:webhooks-new": Answers(ADMINS, "302 403 403 422 422"),
    "console:webhooks-detail": Answers(ADMINS, about=["webhook"]),
    "console:webhooks-edit": Answers(ADMINS, "302 403 403 422 422", ["webhook"]),
    "console:webhooks-switch": Answers(NEVER, ADMINS_ON, ["webhook"]),
    "console:webhooks-test": Answers(NEVER, ADMINS_ON, ["webhook"]),
    "console:webhooks-rotate": Answers(NEVER, ADMINS, ["webhook"]),
    "console:webhooks-delete": Answers(ADMINS, ADMINS_ON, ["webhook"]),
    "console:webhooks-delivery": Answers(ADMINS, about=["delivery"]),
    "console:webhooks-replay": Answers(NEVER, ADMINS_ON, ["delivery"]),
    # One's own affairs.
    "console:members-profile": Answers(NEVER, MEMBERS_ON, form={"name": "Ada"}),
    "console:members-new-tenant": Answers(NEVER, MEMBERS_ON, form={"name": "Another"}),
    "console:switch-tenant": Answers(NEVER, MEMBERS_ON, form={"to": "tenant"}),
    "console:theme": Answers(NEVER, MEMBERS_ON, form={"theme": "dark"}),
    "console:invitation": Answers(EVERYBODY, "200 409 409 409 409", ["token"]),  # it is for another address
    # Health: 503, since no worker lives here.
    "console:healthz": Answers("503 503 503 503 503"),
    # The package in Salesforce.
    "console:salesforce-package": Answers(MEMBERS),
    "console:salesforce-package-progress": Answers(MEMBERS_ON),
    "console:salesforce-package-install": Answers(NEVER, ADMINS_ON),
    "console:salesforce-package-cancel": Answers(NEVER, ADMINS_ON),
    # The panel in Salesforce: a signed request or its token says who is looking, and no cookie does.
    "embedded:canvas": Answers(EVERYBODY, "400 400 400 400 400"),
    "embedded:sync": Answers(NEVER, NO_TOKEN),
    "embedded:sync-run": Answers(NO_TOKEN),
    "embedded:opt-out": Answers(NEVER, NO_TOKEN),
    "embedded:list": Answers(NEVER, NO_TOKEN),
    "embedded:sequence": Answers(NEVER, NO_TOKEN),
    "embedded:view": Answers("302 400 400 400 400"),
    # django-allauth's pages.
    "account_login": Answers("200 302 302 302 302", "200 302 302 302 302"),
    "account_signup": Answers("200 302 302 302 302", "200 302 302 302 302"),
    "account_inactive": Answers(EVERYBODY),
    "account_logout": Answers(MEMBERS, MEMBERS_ON),
    "account_reauthenticate": Answers(MEMBERS, MEMBERS),
    "account_email": Answers(MEMBERS, MEMBERS_ON),
    "account_email_verification_sent": Answers(EVERYBODY),
    "account_confirm_email": Answers(EVERYBODY, "404 404 404 404 404", ["key"]),
    "account_change_password": Answers(MEMBERS, MEMBERS),
    "account_set_password": Answers(MEMBERS_ON, MEMBERS_ON),
    "account_reset_password": Answers(EVERYBODY, EVERYBODY),
    "account_reset_password_done": Answers(EVERYBODY),
    "account_reset_password_from_key": Answers(EVERYBODY, EVERYBODY, ["uidb36", "key"]),
    "account_reset_password_from_key_done": Answers(EVERYBODY),
    "account_confirm_login_code": Answers(MEMBERS_ON, MEMBERS_ON),
    # What changes the second factor asks for the password again first: 302.
    "mfa_index": Answers(MEMBERS, "302 405 405 405 405"),
    "mfa_authenticate": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_reauthenticate": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_activate_totp": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_deactivate_totp": Answers(NOTHING_THERE, NOTHING_THERE),
    "mfa_view_recovery_codes": Answers(NOTHING_THERE, "302 405 405 405 405"),
    "mfa_generate_recovery_codes": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_download_recovery_codes": Answers(NOTHING_THERE, NOTHING_THERE),
    "mfa_list_webauthn": Answers(MEMBERS, "302 405 405 405 405"),
    "mfa_add_webauthn": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_reauthenticate_webauthn": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_remove_webauthn": Answers(MEMBERS_ON, MEMBERS_ON, ["passkey"]),
    "mfa_edit_webauthn": Answers(MEMBERS_ON, MEMBERS_ON, ["passkey"]),
    "usersessions_list": Answers(MEMBERS, MEMBERS_ON),
    # The API: sessions are worth nothing there; tests/api/test_permissions.py asks with keys.
    "api:schema": Answers(EVERYBODY),
    "api:docs": Answers(EVERYBODY),
    "api:nothing": Answers("404 404 404 404 404", "404 404 404 404 404", ["token"]),
    "api:root": Answers(NO_KEY, NO_KEY),
} | {name: Answers(NO_KEY, NO_KEY, address.about) for name, address in api.ADDRESSES.items()}
WITHOUT_TENANT = {
    "console:switch-tenant": "names the tenant to go to, among one's own",
    "console:theme": "belongs to the person",
    "console:invitation": "leads into a tenant from outside",
}
"""Forms that are not about the tenant they were rendered for."""


def _named(patterns: Sequence[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _named(pattern.url_patterns, space + inner)
        else:
            yield f"{space}{pattern.name}"


ADDRESSES = sorted(set(_named(get_resolver().url_patterns)))


def test_every_address_stands_in_the_table() -> None:
    assert TABLE.keys() ^ set(ADDRESSES) == set()


@dataclass(frozen=True)
class House:
    """A tenant with a record of each kind, a browser for each role, and the owner of another, connected tenant."""

    tenant: Tenant
    other: Tenant
    records: dict[str, Any]
    browsers: dict[str, Client]
    foreigner: Client

    def url(self, name: str) -> str:
        return reverse(name, args=[self.records[what] for what in TABLE[name].about])

    def form(self, name: str, tenant: Tenant) -> dict[str, str]:
        """What the form of an address sends, rendered for ``tenant``; always about the first tenant's records."""
        return {TENANT_FIELD: str(tenant.pk)} | {
            field: str(self.records.get(value, value)) for field, value in TABLE[name].form.items()
        }

    def state(self) -> list[Any]:
        """A digest of everything the tenant has."""
        with tenant_transaction(self.tenant.pk):
            return rows_of(self.records["digests"])


@pytest.fixture
def house(tenant: Tenant, other_tenant: Tenant, world: dict[str, Any]) -> House:
    password = make_password("correct horse battery")

    def browser(email: str, home: Tenant, role: Role) -> Client:
        with app_transaction():
            person = User.objects.create(email=email, password=password)
        join(home, person, role)
        client = logged_in(person)
        client.raise_request_exception = False
        return client

    browsers = {role.value: browser(f"{role.value}@northwind.example", tenant, role) for role in Role}
    browsers["anonymous"] = Client(raise_request_exception=False)
    browser("colleague@northwind.example", tenant, Role.VIEWER)
    with tenant_transaction(tenant.pk):
        colleague = Membership.objects.get(user__email="colleague@northwind.example").pk
        records = {**world, "membership": colleague, "invitation": Invitation.objects.get().pk, "tenant": tenant.pk}
    with tenant_transaction(other_tenant.pk):
        Connection.objects.create(org_id="00D000000000002EAA", instance_url="https://contoso.my.salesforce.com")
    digests = [
        f"SELECT '{table}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"
        for table in read_catalogue().tenant_tables
        if table != "tenants_directoryentry"
    ]
    records = dict.fromkeys(api.RECORDS, 1) | records
    records |= {"digests": " UNION ALL ".join(digests), "key": "0-abc", "uidb36": "1", "passkey": 1}
    return House(tenant, other_tenant, records, browsers, browser("owner@contoso.example", other_tenant, Role.OWNER))


@dataclass(frozen=True)
class Outcome:
    """What came back."""

    status: int
    location: str
    body: str
    changed: bool

    @property
    def is_sent_to_log_in(self) -> bool:
        return self.location.startswith("/accounts/login/")


def _ask(client: Client, method: str, url: str, form: Mapping[str, str], house: House | None = None) -> Outcome:
    """Ask, and undo whatever it did; with ``house``, say whether it changed anything of the tenant."""
    cookies = SimpleCookie(client.cookies)
    with transaction.atomic():
        before = house.state() if house else []
        answer: Any = client.get(url) if method == "get" else client.post(url, form)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        changed = house is not None and house.state() != before
        transaction.set_rollback(True)
    client.cookies = cookies
    return Outcome(answer.status_code, answer.headers.get("Location", ""), body.decode(errors="replace"), changed)


def _requests() -> Iterator[tuple[str, str]]:
    for name in TABLE:
        yield name, "get"
        yield name, "post"


def test_each_role_gets_what_the_table_says(house: House) -> None:
    wrong = []
    for name, method in _requests():
        for role in ROLES:
            expected = TABLE[name].to(role, method)
            watched = house if expected == 403 or (role == "anonymous" and "console" in name) else None
            answer = _ask(house.browsers[role], method, house.url(name), house.form(name, house.tenant), watched)
            if answer.status != expected or answer.changed:
                wrong.append(f"{method} {name} as {role}: {answer.status}, not {expected}; changed: {answer.changed}")
            if name.startswith("console:") and answer.is_sent_to_log_in != (role == "anonymous" and expected == 302):
                wrong.append(f"{method} {name} as {role} leads to {answer.location}")
    assert not wrong, "\n".join(wrong)


def test_another_tenants_member_finds_nothing_of_ours_and_changes_nothing(house: House) -> None:
    wrong = []
    for name, method in _requests():
        answer = _ask(house.foreigner, method, house.url(name), house.form(name, house.other), house)
        of_ours = name.startswith("console:") and set(TABLE[name].about) - {"object", "token", "area"}
        if of_ours and answer.status != 404 and TABLE[name].to("owner", method) != 405:
            wrong.append(f"{method} {name}: {answer.status}, not 404")
        if answer.status >= 500 and name != "console:healthz":
            wrong.append(f"{method} {name}: {answer.status}")
        if answer.changed:
            wrong.append(f"{method} {name} changed something of ours")
        if "Lovelace" in answer.body or "Northwind" in answer.body:
            wrong.append(f"{method} {name} shows something of ours")
    assert not wrong, "\n".join(wrong)


def test_nobody_switches_into_a_tenant_they_do_not_belong_to(house: House) -> None:
    house.foreigner.post("/members/switch/", {"to": str(house.tenant.pk)})
    assert "Contoso" in house.foreigner.get("/").content.decode()
    assert house.foreigner.get(house.url("console:people-detail")).status_code == 404


def test_a_form_of_one_tenant_posted_after_switching_saves_nothing_and_says_so(house: House) -> None:
    with app_transaction():
        person = User.objects.get(email="owner@northwind.example")
    join(house.other, person, Role.OWNER)
    client = house.browsers["owner"]
    client.post("/members/switch/", {"to": str(house.other.pk)})
    wrong = []
    for name in TABLE.keys() - WITHOUT_TENANT.keys():
        if not name.startswith("console:") or TABLE[name].to("owner", "post") == 405:
            continue
        for form in (house.form(name, house.tenant), {}):
            answer = _ask(client, "post", house.url(name), form, house)
            if answer.status != 409 or answer.changed or "Nothing was saved" not in answer.body:
                wrong.append(f"{name}: {answer.status}")
    assert not wrong, "\n".join(wrong)


_HTMX = (("hx-get", "get"), ("hx-post", "post"))


class _Offers(HTMLParser):
    """Where the links lead, and where the buttons that can be pressed send their forms."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.form = ("get", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = (given.get("method", "get").lower(), given.get("action", ""))
        elif tag == "a":
            self.found.add(("get", given.get("href", "")))
        elif tag == "button" and given.get("type", "submit") == "submit" and "disabled" not in given:
            self.found.add((self.form[0], given.get("formaction", self.form[1])))
        self.found |= {(method, given[name]) for name, method in _HTMX if name in given}


def _offers(page: str, url: str) -> set[tuple[str, str]]:
    parser = _Offers()
    parser.feed(page)
    found = set()
    for method, target in parser.found:
        if not urlsplit(target).scheme:
            found.add((method, resolve(urlsplit(target).path or urlsplit(url).path).view_name))
    return found


def _offered_to(house: House, role: str) -> set[tuple[str, str]]:
    """Everything that the pages of a role lead to, as (method, address)."""
    found = set()
    for name, answers in TABLE.items():
        if answers.to(role, "get") == 200 and not name.endswith("csv"):
            url = house.url(name)
            found |= _offers(_ask(house.browsers[role], "get", url, {}).body, url)
    return found


def test_what_a_role_may_not_do_is_not_offered_on_any_page(house: House) -> None:
    for role in ROLES[1:]:
        offered = _offered_to(house, role)
        refused = {(method, name) for method, name in offered if TABLE[name].to(role, method) in {403, 405}}
        assert refused == set(), role


def test_what_a_role_may_do_is_offered_on_some_page(house: House) -> None:
    offered = {role: {name for _, name in _offered_to(house, role)} for role in ("viewer", "marketer", "admin")}
    assert {"console:log-cancel", "console:errors-clear"} & offered["viewer"] == set()
    assert {"console:log-cancel", "console:errors-clear", "console:errors-clear-all"} <= offered["marketer"]
    assert {"console:sync-settings-save", "console:members-invite"} & offered["marketer"] == set()
    assert {
        "console:sync-settings-save", "console:members-invite", "console:members-withdraw", "console:members-role",
        "console:members-remove", "console:members-audit", "console:salesforce-disconnect",
        "console:salesforce-connect",
    } <= offered["admin"]  # fmt: skip
