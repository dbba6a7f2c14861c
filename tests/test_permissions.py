"""Every address of the project, asked by everybody: strangers, each role, and the owner of another tenant.

An address that is added fails here until it stands in ``tests/permission_table.py``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from tests.console.one_of_everything import world
from tests.console.records.conftest import salesforce
from tests.console.salesforce.conftest import _plain_static_files, join, logged_in
from tests.core.catalogue import read_catalogue, rows_of
from tests.permission_table import ROLES, TABLE, WITHOUT_TENANT

__all__ = ["_plain_static_files", "salesforce", "world"]
pytestmark = pytest.mark.django_db


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
