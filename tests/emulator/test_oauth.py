"""OAuth: consent with PKCE, tokens, refresh with rotation and replay, revocation, who is who."""

import base64
import hashlib
import hmac
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.emulator.client import Client, Told, differences, recorded

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "http://127.0.0.1:8000/callback"
APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
TOKEN = "/services/oauth2/token"


def consent(sf: Client, decision: str = "allow", **changes: str) -> dict[str, str]:
    """What the callback gets when the integration user logs in and decides."""
    username, facts = next(iter(sf.control.org(sf.org_id)["users"].items()))
    asked = {
        "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": CALLBACK, "state": "s",
        "scope": "api refresh_token id", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes,
    }  # fmt: skip
    page = sf.form("/services/oauth2/authorize", {**asked, "un": username, "pw": facts["password"]})
    if page.status == 302:
        return answer(page)
    session = page.text.partition("name='session' value='")[2].partition("'")[0]
    assert session, page.text
    return answer(sf.form("/services/oauth2/authorize", {**asked, "session": session, "decision": decision}))


def answer(page: Told) -> dict[str, str]:
    assert page.status == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(page.headers["location"]).query).items()}


def exchange(sf: Client, granted: str, **changes: str) -> Told:
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER, "code": granted}
    return sf.form(TOKEN, {**form, **APP, **changes})


def refresh(sf: Client, token: str, **changes: str) -> Told:
    return sf.form(TOKEN, {"grant_type": "refresh_token", "refresh_token": token, **APP, **changes})


def usable(sf: Client, token: str) -> bool:
    sf.token = token
    return sf.get("limits").status == 200


def test_consent_brings_a_code_and_the_code_brings_tokens(salesforce_truth: Path, sf: Client) -> None:
    back = consent(sf)
    assert back["state"] == "s"
    told = exchange(sf, back["code"])
    real = recorded(salesforce_truth, "oauth/token-documentation-example-200.json")
    assert set(told.body) == set(real) | {"scope", "token_type", "refresh_token"}
    assert "expires_in" not in told.body
    assert told.body["scope"] == "api refresh_token id"
    assert usable(sf, told.body["access_token"])


def test_signature_proves_whose_tokens_they_are(sf: Client) -> None:
    told = exchange(sf, consent(sf)["code"]).body
    mac = hmac.new(CLIENT_SECRET.encode(), f"{told['id']}{told['issued_at']}".encode(), hashlib.sha256)
    assert told["signature"] == base64.b64encode(mac.digest()).decode()
    assert f"/id/{sf.org_id}/005" in told["id"]


def test_denial_returns_as_quoted(salesforce_truth: Path, sf: Client) -> None:
    back = consent(sf, "deny")
    assert (back["error"], back["state"]) == ("access_denied", "s")
    assert back["error_description"] == "end-user denied authorization"


def test_code_works_once_and_a_second_use_ends_the_grant(sf: Client) -> None:
    code = consent(sf)["code"]
    first = exchange(sf, code).body
    again = exchange(sf, code)
    assert (again.status, again.code) == (400, "invalid_grant")
    assert not usable(sf, first["access_token"])
    assert refresh(sf, first["refresh_token"]).code == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:9/else"}, "redirect_uri_mismatch"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"code": "none"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_wrong_exchanges_are_refused(sf: Client, changes: dict[str, str], error: str) -> None:
    assert exchange(sf, consent(sf)["code"], **changes).code == error


def test_consent_needs_a_challenge(sf: Client) -> None:
    assert consent(sf, code_challenge="", code_challenge_method="")["error"] == "invalid_request"


def test_no_refresh_token_without_its_scope(sf: Client) -> None:
    assert "refresh_token" not in exchange(sf, consent(sf, scope="api id")["code"]).body


def test_refresh_brings_an_access_token_only(salesforce_truth: Path, sf: Client) -> None:
    granted = sf.control.grant(sf.org_id)
    told = refresh(sf, granted["refresh_token"])
    assert set(told.body) == set(recorded(salesforce_truth, "oauth/refresh-200.json"))
    assert usable(sf, told.body["access_token"])
    assert usable(sf, granted["access_token"])


def test_rotation_replaces_the_refresh_token_and_its_replay_ends_everything(sf: Client) -> None:
    sf.control.rotate_tokens(on=True)
    old = sf.control.grant(sf.org_id)["refresh_token"]
    told = refresh(sf, old).body
    assert told["refresh_token"] != old
    replay = refresh(sf, old)
    assert (replay.status, replay.body["error_description"]) == (400, "expired access/refresh token")
    assert refresh(sf, told["refresh_token"]).status == 400
    assert not usable(sf, told["access_token"])


@pytest.mark.parametrize(
    "name",
    [
        "expired-refresh",
        "inactive-user",
        "inactive-organization",
        "ip-restricted",
        "authentication-failure",
        "not-approved",
    ],
)
def test_grant_is_refused_in_the_words_that_were_quoted(salesforce_truth: Path, sf: Client, name: str) -> None:
    real = recorded(salesforce_truth, f"oauth/quoted/invalid_grant-{name}-400.json")
    granted = sf.control.grant(sf.org_id)
    sf.control.refuse_tokens(sf.org_id, real["error_description"])
    told = refresh(sf, granted["refresh_token"])
    assert (told.status, told.body) == (400, real)
    sf.control.refuse_tokens(sf.org_id, "")
    assert refresh(sf, granted["refresh_token"]).status == 200


def test_frozen_user_gets_no_token(sf: Client) -> None:
    granted = sf.control.grant(sf.org_id)
    own = next(iter(sf.control.org(sf.org_id)["users"].values()))["id"]
    sf.control.update(sf.org_id, "User", own, IsActive=False)
    assert refresh(sf, granted["refresh_token"]).body["error_description"] == "inactive user"


def test_sixth_approval_ends_the_oldest(sf: Client) -> None:
    granted = [sf.control.grant(sf.org_id)["refresh_token"] for _ in range(6)]
    assert [refresh(sf, token).status for token in granted] == [400, 200, 200, 200, 200, 200]


def test_revoked_refresh_token_takes_its_sessions_along(salesforce_truth: Path, sf: Client) -> None:
    granted = sf.control.grant(sf.org_id)
    assert sf.form("/services/oauth2/revoke", {"token": granted["refresh_token"]}).status == 200
    assert not usable(sf, granted["access_token"])
    again = sf.form("/services/oauth2/revoke", {"token": "token"})
    assert (again.status, again.body) == (400, recorded(salesforce_truth, "oauth/quoted/revoke-invalid-token-400.json"))


def test_introspection_tells_live_from_dead(salesforce_truth: Path, sf: Client) -> None:
    granted = sf.control.grant(sf.org_id)
    live = sf.form("/services/oauth2/introspect", {"token": granted["access_token"], **APP})
    assert set(live.body) == set(recorded(salesforce_truth, "oauth/quoted/introspect-active-200.json"))
    dead = sf.form("/services/oauth2/introspect", {"token": "nothing", **APP})
    assert dead.body == recorded(salesforce_truth, "oauth/quoted/introspect-inactive-200.json")


def test_user_is_told_as_recorded(salesforce_truth: Path, sf: Client) -> None:
    real = recorded(salesforce_truth, "oauth/userinfo-200.json")
    told = sf.get("/services/oauth2/userinfo").body
    assert set(real) <= set(told) | {"photos", "utcOffset"}
    assert told["organization_id"] == sf.org_id
    identity = sf.get(f"/id/{sf.org_id}/{told['user_id']}").body
    assert not set(recorded(salesforce_truth, "oauth/identity-url-200.json")) - set(identity)
    assert not differences(recorded(salesforce_truth, "oauth/identity-url-200.json")["photos"], identity["photos"])


def test_sessions_end_on_demand_and_by_themselves(sf: Client) -> None:
    sf.control.expire_tokens(org_id=sf.org_id)
    assert sf.get("limits").code == "INVALID_SESSION_ID"
    granted = sf.control.grant(sf.org_id)
    assert usable(sf, granted["access_token"])
    sf.local.world.grants.shift = 7201
    assert not usable(sf, granted["access_token"])


def test_session_ends_at_a_chosen_call(sf: Client) -> None:
    sf.control.expire_on("/limits", nth=2)
    assert [sf.get("limits").status for _ in range(3)] == [200, 401, 401]


def test_apps_have_their_own_callbacks(sf: Client) -> None:
    sf.control.register_app("other", "secret", callbacks=["https://app.example/back"], name="Other")
    page = sf.form("/services/oauth2/authorize", {"client_id": "other", "redirect_uri": CALLBACK})
    assert page.status == 400
    assert "redirect_uri" in page.text
