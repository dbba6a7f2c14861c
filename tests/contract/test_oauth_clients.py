"""OAuth as requests-oauthlib and curl do it: consent, exchange, refresh, rotation, revocation."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from oauthlib.oauth2 import InvalidGrantError
from requests_oauthlib import OAuth2Session

from emulator.oauth import CLIENT_ID, CLIENT_SECRET
from tests.contract.conftest import Place
from tests.contract.speakers import Answer, curl

CALLBACK = "http://127.0.0.1:8000/callback"


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> OAuth2Session:
    """requests-oauthlib with PKCE; plain http is for loopback only."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    session = OAuth2Session(CLIENT_ID, redirect_uri=CALLBACK, scope=["api", "refresh_token", "id"], pkce="S256")
    session.trust_env = False
    return session


def consent(library: OAuth2Session, place: Place) -> str:
    """The callback's address after the integration user allowed the app."""
    address, _ = library.authorization_url(f"{place.control.base_url}/services/oauth2/authorize")
    username, facts = next(iter(place.control.org(place.org_id)["users"].items()))
    return place.control.approve(address, username, facts["password"])


def posted(place: Place, path: str, **form: str) -> Answer:
    return curl(f"{place.control.base_url}{path}", "--request", "POST", body=urlencode(form))


def refreshed(place: Place, token: str) -> Answer:
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return posted(place, "/services/oauth2/token", **form, refresh_token=token)


def test_library_gets_tokens_that_work_for_curl(library: OAuth2Session, place: Place) -> None:
    token_url = f"{place.control.base_url}/services/oauth2/token"
    back = consent(library, place)
    told = library.fetch_token(
        token_url, authorization_response=back, client_secret=CLIENT_SECRET, include_client_id=True, timeout=10
    )
    assert told["instance_url"] == place.control.base_url
    assert f"/id/{place.org_id}/" in told["id"]
    address = f"{place.control.base_url}/services/oauth2/userinfo"
    userinfo = curl(address, "--header", f"Authorization: Bearer {told['access_token']}")
    assert json.loads(userinfo.text)["organization_id"] == place.org_id
    again = refreshed(place, told["refresh_token"])
    assert (again.status, "refresh_token" in json.loads(again.text)) == (200, False)


def test_library_refreshes_and_meets_rotation(library: OAuth2Session, place: Place) -> None:
    place.control.rotate_tokens(on=True)
    try:
        old = place.control.grant(place.org_id)["refresh_token"]
        options: Any = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "timeout": 10}
        token_url = f"{place.control.base_url}/services/oauth2/token"
        told = library.refresh_token(token_url, refresh_token=old, **options)
        assert told["refresh_token"] != old
        with pytest.raises(InvalidGrantError):
            library.refresh_token(token_url, refresh_token=old, **options)
        assert json.loads(refreshed(place, told["refresh_token"]).text)["error"] == "invalid_grant"
    finally:
        place.control.rotate_tokens(on=False)


def test_denial_reaches_the_callback(library: OAuth2Session, place: Place) -> None:
    address, state = library.authorization_url(f"{place.control.base_url}/services/oauth2/authorize")
    username, facts = next(iter(place.control.org(place.org_id)["users"].items()))
    back = place.control.approve(address, username, facts["password"], decision="deny")
    assert "error=access_denied" in back
    assert f"state={state}" in back


def test_revoked_token_is_dead_for_both(library: OAuth2Session, place: Place) -> None:
    granted = place.control.grant(place.org_id)
    assert posted(place, "/services/oauth2/revoke", token=granted["refresh_token"]).status == 200
    assert refreshed(place, granted["refresh_token"]).status == 400
    address = f"{place.control.base_url}/services/data/v66.0/limits"
    assert curl(address, "--header", f"Authorization: Bearer {granted['access_token']}").status == 401
