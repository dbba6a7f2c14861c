"""OAuth as plain HTTP: PKCE, rotation, refusals in words, and no token to a stranger (F04, F11)."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.domain.failures import AuthorizationLost, Category, Failure, Internal, NotPermitted, Transient
from apps.salesforce.oauth import (
    App,
    TokenSet,
    authorization_url,
    challenge,
    exchange_code,
    fetch_identity,
    refresh,
    revoke,
)
from tests.salesforce.stub import Answer, Stub, recorded, running_stub

SECRET = "consumer-secret-of-the-app"
IDENTITY = "https://login.salesforce.com/id/00D5g000004QxYz/0055g00000FqAbC"
ACCESS, REFRESH = "00D5g000004QxYz!AQ0.access-part", "5Aep861.refresh-part"


@pytest.fixture
def app(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> App:
    """The app, trusting the stub only; all trusted hosts are loopback, so plain http is allowed as settings do it."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    return App("client-id", SECRET, (stub.url.removeprefix("http://"),))


def token_answer(stub: Stub, **changes: Any) -> dict[str, Any]:
    """A token answer as recorded (oauth/refresh-200), signed by the app's secret."""
    issued = "1704988800000"
    mac = hmac.new(SECRET.encode(), (IDENTITY + issued).encode(), hashlib.sha256).digest()
    return {
        "access_token": ACCESS,
        "refresh_token": REFRESH,
        "signature": base64.b64encode(mac).decode(),
        "scope": "refresh_token api id",
        "instance_url": stub.url,
        "id": IDENTITY,
        "token_type": "Bearer",
        "issued_at": issued,
    } | changes


def exchange(app: App, stub: Stub) -> TokenSet:
    return exchange_code(
        app, login_url=stub.url, redirect_uri="https://syncline.example/back", code="aPrx", verifier="v" * 43
    )


def test_challenge_is_that_of_the_standard() -> None:
    # RFC 7636, appendix B
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_browser_is_sent_to_a_trusted_login_host_with_everything_needed() -> None:
    url = authorization_url(
        App("client-id", SECRET),
        login_url="https://test.salesforce.com",
        redirect_uri="https://syncline.example/back",
        state="st&te",
        verifier="v" * 43,
    )
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://test.salesforce.com/services/oauth2/authorize"
    assert query["code_challenge"] == challenge("v" * 43)
    assert (query["code_challenge_method"], query["response_type"], query["state"]) == ("S256", "code", "st&te")
    assert query["scope"] == "id api refresh_token"
    assert SECRET not in url
    assert "v" * 43 not in url


def test_browser_is_not_sent_to_a_stranger() -> None:
    with pytest.raises(Internal):
        authorization_url(
            App("c", SECRET), login_url="https://evil.example", redirect_uri="x", state="s", verifier="v" * 43
        )


def test_code_is_traded_with_secret_and_verifier(app: App, stub: Stub) -> None:
    stub.say(Answer(200, token_answer(stub)))
    tokens = exchange(app, stub)
    sent = {name: values[0] for name, values in parse_qs(stub.asked[0].body.decode()).items()}
    assert sent["grant_type"] == "authorization_code"
    assert sent["code_verifier"] == "v" * 43
    assert (sent["client_id"], sent["client_secret"]) == ("client-id", SECRET)
    assert sent["redirect_uri"] == "https://syncline.example/back"
    assert (tokens.access_token, tokens.refresh_token, tokens.instance_url) == (ACCESS, REFRESH, stub.url)
    assert (len(tokens.org_id), len(tokens.user_id)) == (18, 18)
    assert tokens.org_id.startswith("00D5g000004QxYz")


def test_scope_in_another_order_is_no_surprise(app: App, stub: Stub) -> None:
    stub.say(Answer(200, token_answer(stub, scope="api id web refresh_token")))
    assert "api" in exchange(app, stub).scope.split()


def test_tokens_show_in_no_repr(app: App, stub: Stub) -> None:
    stub.say(Answer(200, token_answer(stub)))
    shown = repr(exchange(app, stub)) + repr(app)
    assert not any(secret in shown for secret in (ACCESS, REFRESH, SECRET))


@pytest.mark.parametrize(
    ("changes", "category"),
    [
        ({"instance_url": "https://evil.example"}, Category.UNTRUSTED_HOST),
        ({"instance_url": "http://login.salesforce.com"}, Category.UNTRUSTED_HOST),
        ({"id": "https://login.salesforce.com/"}, Category.INTERNAL),
        ({"id": IDENTITY.replace("00D5g000004QxYz", "00D5g000004QxZZ")}, Category.CONFIGURATION),
        ({"signature": "AAAA"}, Category.CONFIGURATION),
        ({"refresh_token": None}, Category.CONFIGURATION),
    ],
)
def test_answer_that_cannot_be_believed_is_refused(
    app: App, stub: Stub, changes: dict[str, Any], category: Category
) -> None:
    stub.say(Answer(200, token_answer(stub, **changes)))
    with pytest.raises(Failure) as refused:
        exchange(app, stub)
    assert refused.value.category is category
    assert ACCESS not in str(refused.value) + repr(refused.value) + refused.value.raw


def test_refresh_keeps_the_old_refresh_token_unless_a_new_one_comes(app: App, stub: Stub) -> None:
    answer = token_answer(stub)
    del answer["refresh_token"]
    stub.say(Answer(200, answer), Answer(200, token_answer(stub, refresh_token="5Aep861.rotated")))
    assert refresh(app, login_url=stub.url, refresh_token=REFRESH).refresh_token == REFRESH
    assert refresh(app, login_url=stub.url, refresh_token=REFRESH).refresh_token == "5Aep861.rotated"
    sent = parse_qs(stub.asked[0].body.decode())
    assert sent["grant_type"] == ["refresh_token"]


def test_recorded_refresh_answer_is_read(stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "oauth/refresh-200.json")
    host = stub.url.removeprefix("http://")
    stub.say(Answer(200, answer.body | {"instance_url": stub.url}))
    tokens = refresh(App("client-id", "", (host,)), login_url=stub.url, refresh_token=REFRESH)
    *_, org, user = answer.body["id"].split("/")
    assert (tokens.org_id[:15], tokens.user_id[:15]) == (org[:15], user[:15])


def test_every_recorded_refusal_of_a_refresh_has_its_kind(app: App, stub: Stub, salesforce_truth: Path) -> None:
    expected = {"invalid_grant": AuthorizationLost, "invalid_client": Internal, "invalid_client_id": Internal,
                "unsupported_grant_type": Internal}  # fmt: skip
    seen = set()
    for path in sorted((salesforce_truth / "recorded" / "oauth").rglob("*-400.json")):
        answer = json.loads(path.read_text())["response"]
        if answer["body"]["error"] not in expected:
            continue
        stub.say(Answer(400, answer["body"]))
        with pytest.raises(expected[answer["body"]["error"]]) as refused:
            refresh(app, login_url=stub.url, refresh_token=REFRESH)
        assert refused.value.message == answer["body"]["error_description"]
        with pytest.raises(expected[answer["body"]["error"]]):
            exchange(app, stub)
        seen.add(answer["body"]["error"])
    assert seen == set(expected)


OUTAGES = [
    Answer(503, {"error": "server_error", "error_description": "busy"}),
    Answer(503, "<html>maintenance</html>", {"Content-Type": "text/html"}),
    Answer(500, ""),
    Answer(200, "<html>maintenance</html>", {"Content-Type": "text/html"}),
    Answer(302, "", {"Location": "https://evil.example/"}),
]


@pytest.mark.parametrize("answer", OUTAGES)
def test_outage_of_the_token_endpoint_is_no_refusal(app: App, stub: Stub, answer: Answer) -> None:
    stub.say(answer)
    with pytest.raises(Transient):
        refresh(app, login_url=stub.url, refresh_token=REFRESH)
    with pytest.raises(Transient):
        exchange(app, stub)


def test_endpoint_that_cannot_be_reached_is_an_outage(app: App, stub: Stub) -> None:
    with running_stub() as gone:
        trusting = App("client-id", SECRET, (gone.url.removeprefix("http://"),))
    for ask in (
        lambda: refresh(trusting, login_url=gone.url, refresh_token=REFRESH),
        lambda: exchange(trusting, gone),
        lambda: revoke(trusting, login_url=gone.url, token=REFRESH),
    ):
        with pytest.raises(Transient) as failure:
            ask()
        assert REFRESH not in str(failure.value) + failure.value.raw


def test_silent_endpoint_is_left(app: App, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.salesforce.oauth._TIMEOUT", (1, 0.2))
    stub.say(Answer(silent=True))
    with pytest.raises(Transient):
        refresh(app, login_url=stub.url, refresh_token=REFRESH)


def test_redirect_is_not_followed_with_a_token(app: App, stub: Stub) -> None:
    with running_stub() as elsewhere:
        stub.say(Answer(307, "", {"Location": f"{elsewhere.url}/services/oauth2/token"}))
        with pytest.raises(Transient):
            refresh(app, login_url=stub.url, refresh_token=REFRESH)
        with pytest.raises(Failure):
            exchange(app, stub)
        assert elsewhere.asked == []


def test_plain_http_is_refused_where_settings_have_not_allowed_it(
    app: App, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT")
    with pytest.raises(Internal) as refused:
        exchange(app, stub)
    assert refused.value.category is Category.CONFIGURATION
    assert stub.asked == []


def test_revoking_names_the_token_and_an_unknown_one_is_as_good_as_revoked(
    app: App, stub: Stub, salesforce_truth: Path
) -> None:
    stub.say(recorded(salesforce_truth, "oauth/quoted/revoke-invalid-token-400.json"))
    revoke(app, login_url=stub.url, token=REFRESH)
    assert parse_qs(stub.asked[0].body.decode()) == {"token": [REFRESH]}
    stub.say(Answer(503, ""))
    with pytest.raises(Transient):
        revoke(app, login_url=stub.url, token=REFRESH)


def tokens_of(stub: Stub) -> TokenSet:
    return TokenSet(ACCESS, REFRESH, stub.url, IDENTITY, "00D5g000004QxYzUAK", "0055g00000FqAbCAAV", "api")


def test_identity_is_that_of_the_recorded_userinfo(app: App, stub: Stub, salesforce_truth: Path) -> None:
    answer = recorded(salesforce_truth, "oauth/userinfo-200.json")
    stub.say(answer)
    identity = fetch_identity(app, tokens_of(stub))
    assert (identity.username, identity.email) == (answer.body["preferred_username"], answer.body["email"])
    assert stub.asked[0].headers["Authorization"] == f"Bearer {ACCESS}"


def test_identity_from_a_closed_api(app: App, stub: Stub, salesforce_truth: Path) -> None:
    stub.say(recorded(salesforce_truth, "errors/quoted/API_CURRENTLY_DISABLED-403.json"))
    with pytest.raises(NotPermitted):
        fetch_identity(app, tokens_of(stub))
