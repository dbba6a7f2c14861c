"""Hostile input, everywhere: each form and each query parameter of each page with markup, formulas, forged ids, wrong
types, huge values and NUL. It is shown harmlessly or refused in words; it is never a server error.

The forms are found on the pages themselves, so that a form that is added is attacked without being listed here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import transaction
from django.test import Client

from apps.tenants.access import TENANT_FIELD
from tests.console.one_of_everything import world
from tests.console.records.conftest import salesforce
from tests.console.salesforce.conftest import _plain_static_files
from tests.permission_table import TABLE
from tests.test_permissions import House, house

__all__ = ["_plain_static_files", "house", "salesforce", "world"]
pytestmark = pytest.mark.django_db

ATTACKS = {
    "markup": "\"'><script>alert(1)</script><img src=x onerror=alert(1)>",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "template": "{{ 7*7 }}{% debug %}${7*7}",
    "nul": "a\0b",
    "negative": "-1",
    "huge number": "9" * 40,
    "other digits": "²",
    "nothing": "",
    "huge": "x" * 70_000,
    "odd text": "\u202e\U0001f469\u200d\U0001f4bb\r\n\t\x1b[31m",
    "traversal": "../../../../etc/passwd",
    "quotes": "' OR 1=1; DROP TABLE tenants_tenant; --",
}
_ALIVE = ("<script>alert(1)</script>", "<img src=x onerror", "7*7 }}49")
_KEPT = {TENANT_FIELD, "csrfmiddlewaretoken"}
_PARAMETERS = ("q", "sort", "at", "filter", "state", "run", "page", "category", "object", "kind", "id", "source")
_ROUNDS = 4
_SKIPPED = {"console:healthz"}


@dataclass
class Form:
    """A form as a page shows it."""

    action: str
    method: str
    fields: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    """Collects the forms of a page with the names of their fields and buttons."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(known.get("action") or self._url, known.get("method", "get").lower()))
        elif tag in {"input", "select", "textarea", "button"} and self.forms and known.get("name"):
            self.forms[-1].fields.append(known["name"])
        if tag in {"button", "input"} and known.get("formaction"):
            self.forms.append(Form(known["formaction"], "post", list(self.forms[-1].fields)))


def forms_of(page: str, url: str) -> list[Form]:
    """The forms of a page."""
    parser = _Forms(url)
    parser.feed(page)
    return parser.forms


def pages(house: House) -> Iterator[str]:
    """Every address that can be opened."""
    for name, answers in TABLE.items():
        if name.startswith("console:") and name not in _SKIPPED and answers.to("owner", "get") in {200, 302}:
            yield house.url(name)


def asked(client: Client, method: str, url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    """Ask, look at where it leads, and undo what it did."""
    cookies = SimpleCookie(client.cookies)
    with transaction.atomic():
        answer: Any = client.get(url) if method == "get" else client.post(url, form)
        status = answer.status_code
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        location = answer.headers.get("Location", "")
        if status == 302 and location.startswith("/") and not location.startswith("//"):
            shown = client.get(location.split("#")[0])
            status = max(status, shown.status_code) if shown.status_code >= 500 else status
            body += shown.content if not shown.streaming else b""
        transaction.set_rollback(True)
    client.cookies = cookies
    return status, f"{location} {body.decode(errors='replace')}"


def wrongs(status: int, text: str, where: str) -> list[str]:
    """What is wrong with an answer."""
    found = [f"{where}: {status}"] if status >= 500 else []
    return found + [f"{where}: {alive} is alive" for alive in _ALIVE if alive in text]


def leads_away(text: str) -> bool:
    target = urlsplit(text.split(" ", 1)[0])
    return target.netloc not in {"", "testserver"}


def mixed(names: list[str], turn: int, most: int = 10**6) -> dict[str, str]:
    """An attack for each field; another one in each turn, and neighbours never get the same."""
    attacks = list(ATTACKS.values())
    return {
        name: attacks[(5 * place + 3 * turn + place // 12) % len(attacks)][:most] for place, name in enumerate(names)
    }


@pytest.mark.parametrize("turn", range(_ROUNDS))
def test_every_query_parameter_can_hold_anything(house: House, turn: int) -> None:
    client, wrong = house.browsers["owner"], []
    for url in pages(house):
        _, page = asked(client, "get", url)
        named = {name for form in forms_of(page, url) if form.method == "get" for name in form.fields}
        query = urlencode(mixed(sorted(named | set(_PARAMETERS)), turn, most=1_000), errors="replace")
        wrong += wrongs(*asked(client, "get", f"{url}?{query}"), f"{url}?{query[:300]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("turn", range(_ROUNDS))
def test_every_form_can_hold_anything(house: House, turn: int) -> None:
    client, wrong, done = house.browsers["owner"], [], set()
    for url in pages(house):
        _, page = asked(client, "get", url)
        for form in forms_of(page, url):
            key = (form.action, tuple(sorted(set(form.fields))))
            if form.method != "post" or key in done or not form.action.startswith("/"):
                continue
            done.add(key)
            sent = mixed([name for name in form.fields if name not in _KEPT], turn + len(done))
            status, text = asked(client, "post", form.action, sent | {TENANT_FIELD: str(house.tenant.pk)})
            wrong += wrongs(status, text, f"{form.action} ({', '.join(sent)})")
            if status == 302 and leads_away(text):
                wrong.append(f"{form.action} leads to {text[:80]}")
    assert done
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", [0, 2**63, 10**30])
def test_no_address_takes_an_id_that_cannot_be_one(house: House, number: int) -> None:
    client, wrong = house.browsers["owner"], []
    for name, answers in TABLE.items():
        if not name.startswith("console:") or not answers.about:
            continue
        parts = [str(number) if part.isdecimal() else part for part in house.url(name).split("/")]
        for method in ("get", "post"):
            status, _ = asked(client, method, "/".join(parts), house.form(name, house.tenant))
            if status >= 500 or (status == 200 and parts != house.url(name).split("/")):
                wrong.append(f"{method} {'/'.join(parts)}: {status}")
    assert not wrong, "\n".join(wrong)
