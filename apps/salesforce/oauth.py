"""OAuth's web server flow with PKCE, with requests-oauthlib; nothing here knows of tenants or tables."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from apps.domain.failures import AuthorizationLost, Category, Internal
from apps.domain.values import Unreadable, normalize_id
from apps.salesforce.errors import failure_from, oauth_failure
from apps.salesforce.hosts import checked_base
from apps.salesforce.session import BoundedAdapter, broken_off, whole_answer

Session = TypeVar("Session", bound=requests.Session)
SCOPES = ("id", "api", "refresh_token")
_TIMEOUT = (10, 30)


@dataclass(frozen=True, slots=True)
class App:
    """The connected app or external client app, and who may see its tokens."""

    client_id: str
    client_secret: str = field(repr=False)
    trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenSet:
    """Tokens and the proof of whose they are: the identity URL names org and user."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    instance_url: str
    identity_url: str
    org_id: str
    user_id: str
    scope: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in."""

    username: str
    display_name: str
    email: str


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(app: App, *, login_url: str, redirect_uri: str, state: str, verifier: str) -> str:
    """Where to send the browser: log-in and consent at ``login_url``."""
    base = checked_base(login_url, app.trusted_hosts)
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        "prompt": "login consent",
    }
    return f"{base}/services/oauth2/authorize?{urlencode(query)}"


def exchange_code(app: App, *, login_url: str, redirect_uri: str, code: str, verifier: str) -> TokenSet:
    """Trade a code for tokens; raises a Failure in words."""
    base = checked_base(login_url, app.trusted_hosts)
    session = _bounded(OAuth2Session(app.client_id, redirect_uri=redirect_uri))
    session.max_redirects = 0  # code and secret are for this host alone; fetch_token cannot be told otherwise
    session.register_compliance_hook("access_token_response", _refuse_outage)
    try:
        answer: dict[str, Any] = session.fetch_token(
            f"{base}/services/oauth2/token",
            code=code,
            client_secret=app.client_secret,
            include_client_id=True,
            code_verifier=verifier,
            timeout=_TIMEOUT,
        )
    except OAuth2Error as error:
        raise oauth_failure(error.error or "", error.description or "") from None
    except requests.RequestException as error:
        raise broken_off(error) from None
    return token_set(app, answer, refresh_token="")  # there is none yet


def refresh(app: App, *, login_url: str, refresh_token: str) -> TokenSet:
    """A new access token; with rotation switched on the answer brings a new refresh token, too."""
    base = checked_base(login_url, app.trusted_hosts)
    body = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    answer = _post(f"{base}/services/oauth2/token", body)
    if answer.status_code != 200:
        raise failure_from(answer.status_code, answer.text)
    with whole_answer():
        told: dict[str, Any] = answer.json()
    return token_set(app, told, refresh_token=refresh_token)


def revoke(app: App, *, login_url: str, token: str) -> None:
    """End a grant; a token that Salesforce no longer knows is as good as revoked."""
    base = checked_base(login_url, app.trusted_hosts)
    answer = _post(f"{base}/services/oauth2/revoke", {"token": token})
    if answer.status_code >= 500:
        raise failure_from(answer.status_code, answer.text)


def fetch_identity(app: App, tokens: TokenSet) -> Identity:
    """Who logged in, from the userinfo of the instance (recorded: oauth/userinfo-200)."""
    base = checked_base(tokens.instance_url, app.trusted_hosts)
    session = _bounded(requests.Session())
    try:
        answer = session.get(
            f"{base}/services/oauth2/userinfo",
            headers={"Authorization": f"Bearer {tokens.access_token}"},
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise broken_off(error) from None
    if answer.status_code != 200:
        raise failure_from(answer.status_code, answer.text)
    with whole_answer():
        data = answer.json()
    return Identity(data.get("preferred_username") or "", data.get("name") or "", data.get("email") or "")


def _bounded(session: Session) -> Session:
    """A session that no environment leads elsewhere and no server holds for ever."""
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(max_retries=0))
    return session


def _post(url: str, body: dict[str, str]) -> requests.Response:
    session = _bounded(requests.Session())
    try:
        return session.post(url, data=body, timeout=_TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise broken_off(error) from None


def _refuse_outage(answer: requests.Response) -> requests.Response:
    """Keep an outage's page from being read as a token answer: oauthlib would call it a missing token."""
    if answer.status_code >= 500:
        raise failure_from(answer.status_code, answer.text)
    return answer


def token_set(app: App, answer: dict[str, Any], *, refresh_token: str) -> TokenSet:
    try:
        identity_url = str(answer["id"])
        *_, org, user = urlsplit(identity_url).path.rstrip("/").split("/")
        tokens = TokenSet(
            access_token=str(answer["access_token"]),
            refresh_token=str(answer.get("refresh_token") or refresh_token),
            instance_url=checked_base(str(answer["instance_url"]), app.trusted_hosts),
            identity_url=identity_url,
            org_id=normalize_id(org),
            user_id=normalize_id(user),
            scope=" ".join(answer["scope"])
            if isinstance(answer.get("scope"), list)
            else str(answer.get("scope") or ""),
        )
    except (KeyError, ValueError, Unreadable):
        raise Internal(Category.INTERNAL, "Salesforce's token answer is incomplete.") from None
    _check_signature(app, answer)
    if not tokens.refresh_token:
        raise AuthorizationLost(
            Category.CONFIGURATION, "Salesforce gave no refresh token: the app lacks the scope refresh_token."
        )
    return tokens


def _check_signature(app: App, answer: dict[str, Any]) -> None:
    """The signature over id and issued_at proves that the identity is Salesforce's word."""
    given = str(answer.get("signature") or "")
    if not given or not app.client_secret:
        return
    signed = f"{answer['id']}{answer.get('issued_at', '')}".encode()
    wanted = base64.b64encode(hmac.new(app.client_secret.encode(), signed, hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(given, wanted):
        raise Internal(Category.CONFIGURATION, "The signature of Salesforce's answer does not fit the app's secret.")
