"""OAuth: codes with PKCE, tokens, refresh with optional rotation, revocation."""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from emulator.store import Org

CLIENT_ID = "3MVG9.emulator.syncline"
CLIENT_SECRET = "emulator-consumer-secret"  # noqa: S105  # the stand-in's own, known to everybody


class OAuthRefused(Exception):
    """An OAuth error: code and description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


@dataclass
class Code:
    """An authorization code, used once, for ten minutes."""

    org: Org
    user: str
    challenge: str
    redirect_uri: str
    made_at: float = field(default_factory=time.monotonic)


@dataclass
class Grants:
    """All codes and tokens of the emulator."""

    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    rotate: bool = False
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, tuple[Org, str]] = field(default_factory=dict)
    refreshing: dict[str, tuple[Org, str]] = field(default_factory=dict)

    def new_code(self, org: Org, user: str, challenge: str, redirect_uri: str) -> str:
        code = "aPrx" + secrets.token_urlsafe(40)
        self.codes[code] = Code(org, user, challenge, redirect_uri)
        return code

    def token(self, form: dict[str, str], base: str) -> dict[str, Any]:
        """Answer of the token endpoint; raises OAuthRefused."""
        if form.get("client_id") != self.client_id:
            raise OAuthRefused("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self.client_secret:
            raise OAuthRefused("invalid_client", "invalid client credentials")
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._exchange(form, base)
        if kind == "refresh_token":
            return self._refresh(form, base)
        raise OAuthRefused("unsupported_grant_type", "grant type not supported")

    def _exchange(self, form: dict[str, str], base: str) -> dict[str, Any]:
        code = self.codes.pop(form.get("code", ""), None)
        if code is None or time.monotonic() - code.made_at > 600:
            raise OAuthRefused("invalid_grant", "expired authorization code")
        if form.get("redirect_uri") != code.redirect_uri:
            raise OAuthRefused("redirect_uri_mismatch", "redirect_uri must match configuration")
        made = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(made).rstrip(b"=").decode() != code.challenge:
            raise OAuthRefused("invalid_grant", "invalid code verifier")
        return self.grant(code.org, code.user, base)

    def grant(self, org: Org, user: str, base: str) -> dict[str, Any]:
        """The answer that a consent brings."""
        refresh = "5Aep861" + secrets.token_urlsafe(60)
        self.refreshing[refresh] = (org, user)
        return self._answer(org, user, base) | {"refresh_token": refresh}

    def _refresh(self, form: dict[str, str], base: str) -> dict[str, Any]:
        old = form.get("refresh_token", "")
        if old not in self.refreshing:
            raise OAuthRefused("invalid_grant", "expired access/refresh token")
        org, user = self.refreshing[old]
        answer = self._answer(org, user, base)
        if self.rotate:
            del self.refreshing[old]
            answer["refresh_token"] = "5Aep861" + secrets.token_urlsafe(60)
            self.refreshing[answer["refresh_token"]] = (org, user)
        return answer

    def _answer(self, org: Org, user: str, base: str) -> dict[str, Any]:
        token = f"{org.id[:15]}!{secrets.token_urlsafe(60)}"
        self.access[token] = (org, user)
        identity = f"{base}/id/{org.id}/{org.users[user]['id']}"
        issued = str(int(time.time() * 1000))
        mac = hmac.new(self.client_secret.encode(), (identity + issued).encode(), hashlib.sha256).digest()
        return {
            "access_token": token,
            "signature": base64.b64encode(mac).decode(),
            "scope": "id api refresh_token",
            "instance_url": base,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }

    def revoke(self, token: str) -> None:
        """End a token; raises OAuthRefused for one that is not known."""
        if token in self.refreshing:
            owner = self.refreshing.pop(token)
            for access in [key for key, value in self.access.items() if value == owner]:
                del self.access[access]
        elif self.access.pop(token, None) is None:
            raise OAuthRefused("invalid_token", "invalid token: " + token[:4])
