"""Connecting: from the click to the stored connection."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError
from django.urls import reverse
from django.utils import timezone

from apps.core.crypto import seal, unseal
from apps.domain.failures import Category, Failure
from apps.integrations.models import Connection, ConnectionState, Health, OAuthAttempt
from apps.integrations.tokens import salesforce_app, store_tokens
from apps.salesforce.oauth import Identity, TokenSet, authorization_url, exchange_code, fetch_identity
from apps.salesforce.oauth import revoke as revoke_token
from apps.tenants.audit import audit
from apps.tenants.directory import enter, key_hash, leave, tenants_of
from apps.tenants.models import DirectoryKind, User
from apps.tenants.scope import current_tenant_id, tenant_transaction

_LIFETIME = timedelta(minutes=15)


class ConnectRefused(Exception):
    """The attempt ended without a connection. ``code`` names the page that explains it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that was claimed by its callback."""

    tenant_id: int
    attempt_id: int
    login_url: str
    verifier: str
    expected_org_id: str
    user_id: int


def callback_url() -> str:
    """The address registered with the app."""
    return settings.SYNCLINE_BASE_URL + reverse("console:salesforce-callback")


def begin_oauth(*, user: User, login_url: str, in_popup: bool) -> str:
    """Write down an attempt and answer the address of the log-in page; raises Failure for a host not trusted."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    hashed = key_hash(DirectoryKind.OAUTH_STATE, state)
    live = live_connection()
    url = authorization_url(
        salesforce_app(), login_url=login_url, redirect_uri=callback_url(), state=state, verifier=verifier
    )
    OAuthAttempt.objects.create(
        state_hash=hashed,
        verifier=seal(verifier, binding=f"oauth:{hashed}"),
        login_url=login_url,
        purpose="reconnect" if live else "connect",
        expected_org_id=live.org_id if live else "",
        user=user,
        in_popup=in_popup,
        expires_at=timezone.now() + _LIFETIME,
    )
    enter(kind=DirectoryKind.OAUTH_STATE, key=state)
    return url


def live_connection() -> Connection | None:
    """The tenant's connection that is not disconnected."""
    found: Connection | None = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).first()
    return found


def claim_attempt(*, tenant_id: int, user_id: int, state: str) -> Claim:
    """Use up the attempt that a state belongs to, in a transaction of its own; raises ConnectRefused."""
    with tenant_transaction(tenant_id):
        if tenant_id not in tenants_of(DirectoryKind.OAUTH_STATE, state):
            raise ConnectRefused("state", "This answer does not belong to an attempt of yours.")
        hashed = key_hash(DirectoryKind.OAUTH_STATE, state)
        attempt = OAuthAttempt.objects.select_for_update().filter(state_hash=hashed).first()
        if attempt is None or attempt.user_id != user_id:
            raise ConnectRefused("state", "This answer does not belong to an attempt of yours.")
        if attempt.used_at is not None:
            raise ConnectRefused("replayed", "This answer has been used already.")
        if attempt.expires_at < timezone.now():
            raise ConnectRefused("expired", "The attempt took longer than 15 minutes.")
        attempt.used_at = timezone.now()
        attempt.save(update_fields=["used_at"])
        leave(kind=DirectoryKind.OAUTH_STATE, key=state)
        return Claim(
            tenant_id=tenant_id,
            attempt_id=attempt.pk,
            login_url=attempt.login_url,
            verifier=unseal(attempt.verifier, binding=f"oauth:{hashed}"),
            expected_org_id=attempt.expected_org_id,
            user_id=user_id,
        )


def trade_code(*, claim: Claim, code: str) -> tuple[TokenSet, Identity]:
    """Ask Salesforce for tokens and for who logged in, outside any transaction; raises ConnectRefused.

    Tokens of an org other than the expected one are revoked at once and never stored.
    """
    app = salesforce_app()
    try:
        tokens = exchange_code(
            app, login_url=claim.login_url, redirect_uri=callback_url(), code=code, verifier=claim.verifier
        )
        if claim.expected_org_id and tokens.org_id != claim.expected_org_id:
            revoke_token(app, login_url=claim.login_url, token=tokens.refresh_token)
            raise ConnectRefused("wrong_org", "You logged in to another Salesforce org than the connected one.")
        return tokens, fetch_identity(app, tokens)
    except Failure as failure:
        raise ConnectRefused(refusal_code(failure.category), failure.message) from failure


def refusal_code(category: Category) -> str:
    """The page for a failure of the way in."""
    pages = {
        Category.ACCESS_DENIED: "denied",
        Category.APP_NOT_INSTALLED: "not_installed",
        Category.INVALID_GRANT: "expired",
        Category.UNAVAILABLE: "unavailable",
    }
    return pages.get(category, "failed")


def store_connection(*, claim: Claim, tokens: TokenSet, identity: Identity, user: User) -> Connection:
    """Make or renew the connection, in the open transaction; raises ConnectRefused where the org is taken."""
    row = live_connection()
    if row is not None and row.org_id != tokens.org_id:
        raise ConnectRefused("wrong_org", "You logged in to another Salesforce org than the connected one.")
    if row is None:
        elsewhere = set(tenants_of(DirectoryKind.SALESFORCE_ORG, tokens.org_id)) - {current_tenant_id()}
        if elsewhere:
            raise ConnectRefused("taken", "This Salesforce org is connected to another Syncline account.")
        row = Connection(org_id=tokens.org_id, connected_by=user, api_version=settings.SALESFORCE_API_VERSION)
    row.state, row.health, row.health_reason, row.health_since = ConnectionState.CONNECTED, Health.HEALTHY, "", None
    row.login_url, row.instance_url = claim.login_url, tokens.instance_url
    row.username, row.user_name, row.user_remote_id = identity.username, identity.display_name, tokens.user_id
    row.scopes = tokens.scope
    try:
        row.save()
        if current_tenant_id() not in tenants_of(DirectoryKind.SALESFORCE_ORG, tokens.org_id):
            enter(kind=DirectoryKind.SALESFORCE_ORG, key=tokens.org_id)
    except IntegrityError as error:
        raise ConnectRefused("taken", "This Salesforce org has just been connected elsewhere.") from error
    store_tokens(row, tokens)
    row.save()
    audit(
        actor=user,
        action="connected",
        subject=f"Salesforce org {row.org_id}",
        after={"username": row.username, "instance_url": row.instance_url},
    )
    return row
