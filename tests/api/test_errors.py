"""One shape for every refusal, whatever was sent."""

import json
from typing import Any

import pytest
from django.urls import get_resolver

from apps.api import people
from apps.tenants.models import Tenant
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

SHAPE = {"code", "message", "fields"}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "not JSON"),
        (b"", "name"),
        (b"null", "."),
        (b"[]", "."),
        (b"3", "."),
        (b'"x"', "."),
        (b'{"last_name": "a", "last_name": "b"}', "twice"),
        (b'{"last_name": "a\\u0000b"}', "NUL"),
        (b'{"last_\\u0000name": "b"}', "NUL"),
        (b'{"last_name": "\\ud800"}', "surrogate"),
        (b'{"last_name": "\xff"}', "UTF-8"),
        (b'{"employees": NaN}', "NaN"),
        (b'{"employees": -Infinity}', "Infinity"),
        (b'{"employees": 1e999}', "too large"),
        (b'{"employees": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"a":' * 30 + b"1" + b"}" * 30, "deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "deeply"),
        (b"\xef\xbb\xbf{}", "BOM"),
    ],
)
def test_a_body_that_cannot_be_read_is_400_with_its_reason(call: Caller, raw: bytes, words: str) -> None:
    answer = call("POST", "/people/", raw=raw)
    assert answer.status == 400, answer.text
    assert answer.body.keys() == SHAPE
    assert words in answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"])
def test_another_kind_of_body_is_415(call: Caller, kind: str) -> None:
    answer = call("POST", "/people/", raw=b"last_name=x", Content_Type=kind)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert answer.body.keys() == SHAPE


def test_a_body_that_is_too_large_is_413(call: Caller) -> None:
    answer = call("POST", "/people/", {"description": "x" * 3_000_000})
    assert (answer.status, answer.code) == (413, "too_large")
    assert answer.body.keys() == SHAPE


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_405(call: Caller, method: str) -> None:
    answer = call(method, "/people/")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.body.keys() == SHAPE
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/nothing/", "/people", "/people/x/", "/people/1/2/", "/%00/", "/people/%F0%9F/", "/people/%0A/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_that_there_is_not_is_404(call: Caller, method: str, path: str) -> None:
    for caller in (call, Caller()):
        answer = caller(method, path)
        assert (answer.status, answer.code) == (404, "not_found")
        assert answer.body.keys() == SHAPE


def test_whatever_format_is_asked_for_the_answer_is_json(call: Caller) -> None:
    assert call("GET", "/people/").headers["Cache-Control"] == "no-store"
    for headers in ({"Accept": "text/html"}, {"Accept": "application/xml;q=0.9"}, {"Accept": "rubbish"}):
        answer = call("GET", "/people/", **headers)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")


def test_a_failure_of_ours_is_500_in_the_same_shape_and_undoes_everything(
    call: Caller, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(people, "shown", broken)
    answer = call("POST", "/people/", {"last_name": "x"})
    assert (answer.status, answer.code) == (500, "internal")
    assert answer.body.keys() == SHAPE
    assert "secret" not in answer.text
    monkeypatch.undo()
    assert call("GET", "/people/").body["results"] == []


def test_another_host_is_400_in_the_same_shape(call: Caller) -> None:
    answer = call("GET", "/people/", Host="evil.example")
    assert (answer.status, answer.body.keys()) == (400, SHAPE)


def test_pages_of_the_console_keep_their_own_errors(call: Caller) -> None:
    assert json.loads(call.client.get("/api/v1/nothing/").content).keys() == SHAPE
    assert "<html" in call.client.get("/nothing/").content.decode()
    assert get_resolver().resolve_error_handler(500).__module__ == "apps.api.errors"
