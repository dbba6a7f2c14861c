"""Every trap of the library below is closed: hosts, time limits, tokens, headers, usage (faults F01-F03, F11-F20)."""

import gzip
import json
import logging
import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from simple_salesforce.api import Salesforce, SFType

from apps.domain.failures import AuthorizationLost, Category, Failure, Internal, NotPermitted, Transient
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.session import CallRecord, SalesforceSession, Usage, parse_usage
from tests.salesforce.conftest import TOKEN, Tokens, gateway_to
from tests.salesforce.stub import EXPIRED, Answer, Stub, recorded, running_stub

LIMITS = Answer(200, {"DailyApiRequests": {"Max": 15000, "Remaining": 14976}})


def session_to(stub: Stub, tokens: Tokens) -> SalesforceSession:
    return SalesforceSession(stub.url, tokens)


@pytest.fixture
def library(stub: Stub, tokens: Tokens) -> Salesforce:
    """The library itself on our session, as a careless caller would use it."""
    host = stub.url.removeprefix("http://")
    return Salesforce(instance=host, session_id="x", version="66.0", session=session_to(stub, tokens))


@pytest.fixture
def account(stub: Stub, tokens: Tokens) -> SFType:
    """The library's view of one sObject, which has no limit to its retries."""
    host = stub.url.removeprefix("http://")
    return SFType("Account", session_id="x", sf_instance=host, sf_version="66.0", session=session_to(stub, tokens))


def test_hard_coded_https_of_the_library_reaches_a_loopback_stand_in(library: Salesforce, stub: Stub) -> None:
    stub.say(LIMITS)
    assert library.base_url.startswith("https://")
    assert library.limits()["DailyApiRequests"]["Max"] == 15000


def test_https_of_a_real_host_is_never_lowered(tokens: Tokens) -> None:
    session = SalesforceSession("https://acme.my.salesforce.com", tokens)
    with pytest.raises(Internal):
        session.get("http://acme.my.salesforce.com/services/data")
    assert "http://" not in session.adapters


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/data",
        "https://acme.my.salesforce.com.evil.example/",
        "https://acme.my.salesforce.com:8443/",
        "https://user@acme.my.salesforce.com/",
        "https://other.my.salesforce.com/",
        "//evil.example/",
        "/services/data",
    ],
)
def test_token_never_leaves_the_connections_own_host(tokens: Tokens, url: str) -> None:
    session = SalesforceSession("https://acme.my.salesforce.com", tokens)
    with pytest.raises(Internal) as refused:
        session.get(url)
    assert refused.value.category is Category.UNTRUSTED_HOST


def test_odd_record_id_cannot_carry_the_token_to_another_host(account: SFType, stub: Stub) -> None:
    with pytest.raises(Internal):
        account.get("//evil.example/x")
    assert stub.asked == []


def test_silent_server_is_left_after_the_read_time_limit(
    gateway: SalesforceGateway, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.salesforce.session.READ_TIMEOUT", 0.2)
    stub.say(Answer(silent=True))
    started = time.monotonic()
    with pytest.raises(Transient) as failure:
        gateway.limits()
    assert failure.value.category is Category.UNAVAILABLE
    assert time.monotonic() - started < 2


def test_dripping_server_is_left_at_the_deadline_of_the_call(
    gateway: SalesforceGateway, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.salesforce.session.CALL_SECONDS", 0.3)
    stub.say(Answer(200, {"DailyApiRequests": {"Max": 1, "Remaining": 1}, "padding": "x" * 500}, drip=0.05))
    started = time.monotonic()
    with pytest.raises(Transient):
        gateway.limits()
    assert time.monotonic() - started < 3


def test_nobody_listening_is_an_outage(tokens: Tokens, ledger: list[CallRecord]) -> None:
    with running_stub() as gone:
        gateway = gateway_to(gone, tokens, ledger)
    with pytest.raises(Transient):
        gateway.limits()
    assert ledger == [CallRecord(0, 0, None)]


def test_plain_server_behind_https_is_an_outage_and_never_spoken_to_in_the_clear(stub: Stub, tokens: Tokens) -> None:
    host = stub.url.removeprefix("http://")
    gateway = SalesforceGateway(
        instance_url=f"https://{host}", api_version="66.0", tokens=tokens, trusted_hosts=(host,)
    )
    with pytest.raises(Transient):
        gateway.limits()
    assert stub.asked == []


def test_cut_answer_is_an_outage(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(200, LIMITS.body, cut=10))
    with pytest.raises(Transient):
        gateway.limits()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_never_followed_and_asks_for_the_new_address(
    gateway: SalesforceGateway, stub: Stub, tokens: Tokens, status: int
) -> None:
    with running_stub() as elsewhere:
        stub.say(Answer(status, "", {"Location": f"{elsewhere.url}/services/data/v66.0/limits"}))
        with pytest.raises(Transient):
            gateway.limits()
        assert elsewhere.asked == []
    assert (len(stub.asked), tokens.renewals) == (1, 1)


def test_page_with_404_of_a_renamed_org_asks_for_the_new_address(
    gateway: SalesforceGateway, stub: Stub, tokens: Tokens
) -> None:
    stub.say(Answer(404, "<html>URL No Longer Exists</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Transient):
        gateway.limits()
    assert tokens.renewals == 1


def test_missing_record_is_no_reason_to_renew(gateway: SalesforceGateway, stub: Stub, tokens: Tokens) -> None:
    stub.say(Answer(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]))
    with pytest.raises(Internal):
        gateway.limits()
    assert tokens.renewals == 0


def test_expired_token_is_renewed_once_and_the_call_repeated(
    gateway: SalesforceGateway, stub: Stub, tokens: Tokens, salesforce_truth: Path
) -> None:
    stub.say(recorded(salesforce_truth, "errors/INVALID_SESSION_ID-401.json"), LIMITS)
    assert gateway.limits() == Usage(24, 15000)
    assert tokens.renewals == 1
    assert [call.headers["Authorization"] for call in stub.asked] == [f"Bearer {TOKEN}", f"Bearer {TOKEN}.1"]


def test_token_refused_again_ends_the_call_after_two_requests(account: SFType, stub: Stub, tokens: Tokens) -> None:
    stub.say(EXPIRED)
    with pytest.raises(AuthorizationLost):
        account.get("001000000000001AAA")
    assert (len(stub.asked), tokens.renewals) == (2, 1)


@pytest.mark.parametrize("body", [{"message": "no list"}, "", "<html>", '"text"', [], [{}]])
def test_odd_401_is_treated_as_an_expired_session(gateway: SalesforceGateway, stub: Stub, body: object) -> None:
    stub.say(Answer(401, body), LIMITS)
    if body == {"message": "no list"}:
        with pytest.raises(Internal):
            gateway.limits()
        return
    assert gateway.limits() == Usage(24, 15000)


def test_expired_password_needs_a_person_and_no_new_token(
    gateway: SalesforceGateway, stub: Stub, tokens: Tokens, salesforce_truth: Path
) -> None:
    stub.say(recorded(salesforce_truth, "errors/INVALID_OPERATION_WITH_EXPIRED_PASSWORD-401.json"))
    with pytest.raises(AuthorizationLost):
        gateway.limits()
    assert tokens.renewals == 0


def test_headers_and_body_survive_a_renewal(stub: Stub, tokens: Tokens) -> None:
    stub.say(EXPIRED, Answer(201, {"id": "x"}))
    session_to(stub, tokens).post(f"{stub.url}/x", json={"a": 1}, headers={"Sforce-Auto-Assign": "FALSE"})
    first, second = stub.asked
    for call in (first, second):
        assert call.headers["Sforce-Call-Options"] == "client=Syncline"
        assert call.headers["Sforce-Auto-Assign"] == "FALSE"
        assert call.json == {"a": 1}


def test_many_tasks_that_see_the_expiry_together_renew_once(stub: Stub, tokens: Tokens) -> None:
    stub.script = lambda asked: EXPIRED if asked.headers["Authorization"] == f"Bearer {TOKEN}" else LIMITS
    start, seen = threading.Barrier(12), []

    def work() -> None:
        gateway = gateway_to(stub, tokens)
        start.wait()
        seen.append(gateway.limits())
        gateway.close()

    workers = [threading.Thread(target=work) for _ in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert seen == [Usage(24, 15000)] * 12
    assert tokens.renewals == 1


def test_usage_is_read_from_every_call(
    gateway: SalesforceGateway, stub: Stub, ledger: list[CallRecord], salesforce_truth: Path
) -> None:
    told = {"Sforce-Limit-Info": "api-usage=25/15000; per-app-api-usage=17/250(appName=sample-app)"}
    stub.script = lambda asked: (
        Answer(204, None, told)
        if asked.method == "DELETE"
        else Answer(200, {"id": "750x", "state": "InProgress"}, told)
    )
    gateway.bulk.look("750x")
    gateway.bulk.delete("750x")
    assert [call.usage for call in ledger] == [Usage(25, 15000)] * 2
    stub.say(recorded(salesforce_truth, "errors/INVALID_FIELD_FOR_INSERT_UPDATE-400.json"))
    with pytest.raises(Failure):
        gateway.limits()
    assert (ledger[-1].status, ledger[-1].usage) == (400, Usage(435, 5000000))


@pytest.mark.parametrize("header", [None, "", "api-usage=", "api-usage=1", "api-usage=a/b", "per-app-api-usage=1/2"])
def test_odd_usage_header_tells_nothing(header: str | None) -> None:
    assert parse_usage(header) is None


def test_daily_limit_of_a_recorded_org(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "rest/limits-200.json")
    stub.say(answer)
    daily = answer.body["DailyApiRequests"]
    assert gateway.limits() == Usage(daily["Max"] - daily["Remaining"], daily["Max"])


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("REQUEST_LIMIT_EXCEEDED-403", Category.REQUEST_LIMIT),
        ("REQUEST_LIMIT_EXCEEDED-concurrent-403", Category.CONCURRENT_LIMIT),
        ("SERVER_UNAVAILABLE-503", Category.UNAVAILABLE),
    ],
)
def test_limits_are_waited_for_by_the_caller_not_inside_the_call(
    gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path, name: str, category: Category
) -> None:
    answer = recorded(salesforce_truth, f"errors/quoted/{name}.json")
    stub.say(Answer(answer.status, answer.body, {"Retry-After": "120"}))
    with pytest.raises(Transient) as failure:
        gateway.limits()
    assert (failure.value.category, failure.value.retry_after, len(stub.asked)) == (category, 120, 1)


def test_retry_after_may_be_a_date(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(Answer(503, "", {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}))
    with pytest.raises(Transient) as failure:
        gateway.limits()
    assert failure.value.retry_after is not None
    assert failure.value.retry_after > 1_000_000


def test_closed_api_is_not_permitted(gateway: SalesforceGateway, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "errors/quoted/API_DISABLED_FOR_ORG-403.json"))
    with pytest.raises(NotPermitted):
        gateway.limits()


@pytest.mark.parametrize("ask", ["limits", "sobjects", "describe", "query", "count", "query_many", "look"])
def test_page_of_html_with_status_200_is_never_data(gateway: SalesforceGateway, stub: Stub, ask: str) -> None:
    stub.say(Answer(200, "<html>We are down for maintenance</html>", {"Content-Type": "text/html"}))
    calls: dict[str, Callable[[], object]] = {
        "limits": gateway.limits,
        "sobjects": gateway.sobjects,
        "describe": lambda: gateway.describe("Lead"),
        "query": lambda: list(gateway.query("SELECT Id FROM Lead")),
        "count": lambda: gateway.count("Lead"),
        "query_many": lambda: gateway.query_many(["SELECT Id FROM Lead"]),
        "look": lambda: gateway.bulk.look("750x"),
    }
    with pytest.raises(Transient):
        calls[ask]()


def test_compressed_answer_is_read(gateway: SalesforceGateway, stub: Stub) -> None:
    packed = gzip.compress(json.dumps(LIMITS.body).encode())
    stub.say(Answer(200, packed, {"Content-Encoding": "gzip"}))
    assert gateway.limits() == Usage(24, 15000)
    assert "gzip" in stub.asked[0].headers["Accept-Encoding"]


def test_proxy_and_netrc_of_the_machine_are_not_used(
    gateway: SalesforceGateway, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    stub.say(LIMITS)
    assert gateway.limits() == Usage(24, 15000)


def test_one_connection_serves_many_calls(gateway: SalesforceGateway, stub: Stub) -> None:
    stub.say(LIMITS)
    for _ in range(3):
        gateway.limits()
    assert len({call.client_port for call in stub.asked}) == 1


def test_token_is_in_no_text_that_could_be_kept(
    gateway: SalesforceGateway, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.say(Answer(500, f"<html>Bearer {TOKEN}</html>"))
    with pytest.raises(Failure) as caught:
        gateway.limits()
    failure = caught.value
    texts = [str(failure), repr(failure), failure.raw, caplog.text, repr(gateway), repr(gateway._session)]
    assert not any("first-secret" in text for text in texts)
    assert b"first-secret" not in pickle.dumps(failure)
    assert failure.__suppress_context__ or failure.__context__ is None


def test_address_of_a_broken_call_is_not_told(tokens: Tokens) -> None:
    with running_stub() as gone:
        session = session_to(gone, tokens)
    with pytest.raises(Transient) as caught:
        session.get(f"{gone.url}/query?q=SELECT+Id+FROM+Lead+WHERE+Email='ada@acme.example'")
    assert "ada@" not in str(caught.value) + caught.value.raw
    assert not isinstance(caught.value.__cause__, requests.RequestException)
