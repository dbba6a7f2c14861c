"""OAuth: registered apps, codes with PKCE, tokens, refresh with optional rotation, revocation."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from emulator.errors import OAuthRefused
from emulator.org import Org

CLIENT_ID = os.environ.get("EMULATOR_CLIENT_ID", "3MVG9.emulator.syncline")
CLIENT_SECRET = os.environ.get("EMULATOR_CLIENT_SECRET", "emulator-consumer-secret")
CANVAS_URL = os.environ.get("EMULATOR_CANVAS_URL", "")
"""Where the app is framed on record pages; without one it is not."""
_CODE_SECONDS = 600
_MAX_APPROVALS = 5
_LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/.*"


@dataclass(slots=True)
class App:
    """A connected app; without callbacks any loopback address will do."""

    client_id: str
    client_secret: str
    name: str = "Syncline"
    callbacks: list[str] = field(default_factory=list)
    rotates: bool = False
    requires_pkce: bool = True
    requires_secret: bool = True
    canvas_url: str = ""

    def allows_callback(self, uri: str) -> bool:
        """The callback must be one of the registered ones, to the letter."""
        return uri in self.callbacks if self.callbacks else re.fullmatch(_LOOPBACK, uri) is not None


@dataclass(slots=True)
class Code:
    """An authorization code: used once, within ten minutes."""

    org_id: str
    username: str
    client_id: str
    challenge: str
    redirect_uri: str
    scope: str
    made_at: float
    used_for: str = ""


@dataclass(slots=True)
class Grant:
    """One approval of an app by a user, with its refresh token (none without the scope) and the used-up ones."""

    id: str
    org_id: str
    username: str
    client_id: str
    scope: str
    refresh_token: str = ""
    former: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Access:
    """A live access token (a session)."""

    grant_id: str
    org_id: str
    username: str
    client_id: str
    scope: str
    issued_at: float
    expires_at: float


@dataclass
class Grants:
    """All codes and tokens of the emulator."""

    apps: dict[str, App] = field(
        default_factory=lambda: {CLIENT_ID: App(CLIENT_ID, CLIENT_SECRET, canvas_url=CANVAS_URL)}
    )
    lifetime: float = 7200
    codes: dict[str, Code] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    shift: float = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def now(self) -> float:
        return time.time() + self.shift

    # -- authorize ------------------------------------------------------------------------------------------------

    def new_code(self, org: Org, username: str, client_id: str, challenge: str, redirect_uri: str, scope: str) -> str:
        """A code for the callback."""
        code = "aPrx" + secrets.token_urlsafe(40)
        self.codes[code] = Code(org.id, username, client_id, challenge, redirect_uri, scope, self.now())
        return code

    def is_approved(self, org_id: str, username: str, client_id: str) -> bool:
        """Whether the user has allowed the app before."""
        wanted = (org_id, username, client_id)
        return any((g.org_id, g.username, g.client_id) == wanted for g in self.grants.values())

    # -- token ----------------------------------------------------------------------------------------------------

    def app_of(self, form: dict[str, str]) -> App:
        """The app that asks; raises OAuthRefused (recorded/oauth/quoted)."""
        app = self.apps.get(form.get("client_id", ""))
        if app is None:
            raise OAuthRefused("invalid_client_id", "client identifier invalid")
        secret = form.get("client_secret")
        if secret is None and not app.requires_secret:
            return app
        if secret is None or not hmac.compare_digest(secret, app.client_secret):
            raise OAuthRefused("invalid_client", "invalid client credentials")
        return app

    def exchange(self, app: App, form: dict[str, str]) -> tuple[Access, str, Grant]:
        """A code for tokens; a second use ends what the first one brought."""
        with self.lock:
            code = self.codes.get(form.get("code", ""))
            if code is None or code.client_id != app.client_id:
                raise OAuthRefused("invalid_grant", "invalid authorization code")
            if code.used_for:
                self._end(code.used_for)
                raise OAuthRefused("invalid_grant", "expired authorization code")
            if self.now() - code.made_at > _CODE_SECONDS:
                raise OAuthRefused("invalid_grant", "expired authorization code")
            if form.get("redirect_uri") != code.redirect_uri:
                raise OAuthRefused("redirect_uri_mismatch", "redirect_uri must match configuration")
            if code.challenge and _challenge(form.get("code_verifier", "")) != code.challenge:
                raise OAuthRefused("invalid_grant", "invalid code verifier")
            grant = self._new_grant(code.org_id, code.username, app.client_id, code.scope)
            code.used_for = grant.id
            access, token = self._new_access(grant)
            return access, token, grant

    def approve(self, org: Org, username: str, app: App, scope: str) -> tuple[Access, str, Grant]:
        """What a consent brings, without the pages."""
        with self.lock:
            grant = self._new_grant(org.id, username, app.client_id, scope)
            access, token = self._new_access(grant)
            return access, token, grant

    def password(self, app: App, org: Org, username: str) -> tuple[Access, str, Grant]:
        """The username-password grant: no refresh token."""
        grant = Grant(secrets.token_hex(8), org.id, username, app.client_id, "api id")
        self.grants[grant.id] = grant
        access, token = self._new_access(grant)
        return access, token, grant

    def refresh(self, app: App, form: dict[str, str]) -> tuple[Access, str, Grant, bool]:
        """A new access token, and a new refresh token where they rotate; reuse of an old one ends the grant."""
        token = form.get("refresh_token", "")
        with self.lock:
            grant = next((g for g in self.grants.values() if g.refresh_token == token and token), None)
            if grant is None or grant.client_id != app.client_id:
                reused = next((g for g in self.grants.values() if token in g.former), None)
                if reused is not None:
                    self._end(reused.id)
                raise OAuthRefused("invalid_grant", "expired access/refresh token")
            if app.rotates:
                grant.former.append(token)
                grant.refresh_token = _refresh_token()
            access, made = self._new_access(grant)
            return access, made, grant, app.rotates

    def _new_grant(self, org_id: str, username: str, client_id: str, scope: str) -> Grant:
        """At most five approvals live per app and user; the sixth ends the oldest (facts.md, section 2)."""
        wanted = (org_id, username, client_id)
        same = [g for g in self.grants.values() if (g.org_id, g.username, g.client_id) == wanted and g.refresh_token]
        grant = Grant(secrets.token_hex(8), org_id, username, client_id, scope)
        if {"refresh_token", "offline_access", "full"} & set(scope.split()):
            grant.refresh_token = _refresh_token()
            for oldest in same[: max(0, len(same) - _MAX_APPROVALS + 1)]:
                self._end(oldest.id)
        self.grants[grant.id] = grant
        return grant

    def _new_access(self, grant: Grant) -> tuple[Access, str]:
        token = f"{grant.org_id[:15]}!{secrets.token_urlsafe(72).replace('-', '.')}"
        now = self.now()
        access = Access(grant.id, grant.org_id, grant.username, grant.client_id, grant.scope, now, now + self.lifetime)
        self.access[token] = access
        return access, token

    def _end(self, grant_id: str) -> None:
        self.grants.pop(grant_id, None)
        for token in [token for token, access in self.access.items() if access.grant_id == grant_id]:
            del self.access[token]

    # -- use ------------------------------------------------------------------------------------------------------

    def live(self, token: str) -> Access | None:
        """The session of a token; its life slides with use."""
        with self.lock:
            access = self.access.get(token)
            if access is None or access.expires_at <= self.now():
                self.access.pop(token, None)
                return None
            access.expires_at = self.now() + self.lifetime
            return access

    def revoke(self, token: str) -> None:
        """End a token; a refresh token ends its access tokens too; raises OAuthRefused for an unknown one."""
        with self.lock:
            grant = next((g for g in self.grants.values() if g.refresh_token == token and token), None)
            if grant is not None:
                self._end(grant.id)
            elif self.access.pop(token, None) is None:
                raise OAuthRefused("invalid_token", f"invalid token: {token}")

    def introspect(self, app: App, token: str) -> Access | Grant | None:
        """What a token is worth to its own app."""
        access = self.access.get(token)
        if access is not None and access.client_id == app.client_id and access.expires_at > self.now():
            return access
        grant = next((g for g in self.grants.values() if g.refresh_token == token and token), None)
        return grant if grant is not None and grant.client_id == app.client_id else None

    # -- control --------------------------------------------------------------------------------------------------

    def expire(self, org_id: str | None = None) -> None:
        """End all sessions (of an org); refresh tokens go on."""
        with self.lock:
            for token in [t for t, a in self.access.items() if org_id in (None, a.org_id)]:
                del self.access[token]

    def revoke_all(self, org_id: str | None = None) -> None:
        """End all approvals (of an org), as an administrator can."""
        with self.lock:
            for grant in [g for g in self.grants.values() if org_id in (None, g.org_id)]:
                self._end(grant.id)

    def forget_org(self, org_id: str) -> None:
        """An org has gone."""
        self.revoke_all(org_id)
        self.expire(org_id)

    def dump(self) -> dict[str, Any]:
        """What survives a restart."""
        return {
            "lifetime": self.lifetime,
            "apps": [asdict(app) for app in self.apps.values()],
            "grants": [asdict(grant) for grant in self.grants.values() if grant.refresh_token],
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take up what an earlier run left."""
        self.lifetime = data["lifetime"]
        self.apps = {facts["client_id"]: App(**facts) for facts in data["apps"]} | self.apps
        self.grants = {facts["id"]: Grant(**facts) for facts in data["grants"]}


def _refresh_token() -> str:
    return "5Aep861" + secrets.token_urlsafe(60)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signature(secret: str, identity: str, issued_at: str) -> str:
    """Base64 of HMAC-SHA256 over id and issued_at (facts.md, section 2)."""
    mac = hmac.new(secret.encode(), (identity + issued_at).encode(), hashlib.sha256)
    return base64.b64encode(mac.digest()).decode()
