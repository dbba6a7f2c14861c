"""Connecting: from the click to the stored connection."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from apps.core.crypto import seal, unseal
from apps.domain.failures import Category, Failure
from apps.integrations.health import Proof, healthy
from apps.integrations.models import AuthKind, Connection, ConnectionState, OAuthAttempt
from apps.integrations.organization import Organization, read_organization
from apps.integrations.tokens import opened, salesforce_app, store_tokens
from apps.salesforce.errors import oauth_failure
from apps.salesforce.oauth import Identity, TokenSet, authorization_url, exchange_code, fetch_identity
from apps.salesforce.oauth import revoke as revoke_token
from apps.tenants.audit import audit
from apps.tenants.directory import enter, key_hash, leave, tenants_of
from apps.tenants.models import DirectoryKind, User
from apps.tenants.scope import current_tenant_id, tenant_transaction

log = structlog.get_logger(__name__)

_LIFETIME = timedelta(minutes=15)


class ConnectRefused(Exception):
    """The attempt ended without a connection. ``code`` names the page that explains it."""

    def __init__(self, code: str, message: str, *, in_popup: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.in_popup = code, message, in_popup


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that was claimed by its callback."""

    tenant_id: int
    attempt_id: int
    login_url: str
    verifier: str = field(repr=False)
    expected_org_id: str
    in_popup: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """What one allowed attempt brought: tokens, who logged in, and the org."""

    tokens: TokenSet
    identity: Identity
    organization: Organization


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


def disconnected_connection(org_id: str = "") -> Connection | None:
    """The latest connection that was ended; of one org, where it is named."""
    ended = Connection.objects.filter(state=ConnectionState.DISCONNECTED)
    if org_id:
        ended = ended.filter(org_id=org_id)
    found: Connection | None = ended.order_by("-disconnected_at", "-id").first()
    return found


def claim_attempt(*, tenant_id: int, user_id: int, state: str) -> Claim:
    """Use up the attempt that a state belongs to, in a transaction of its own; raises ConnectRefused."""
    with tenant_transaction(tenant_id):
        hashed = key_hash(DirectoryKind.OAUTH_STATE, state)
        attempt = OAuthAttempt.objects.select_for_update().filter(state_hash=hashed).first()
        if attempt is None or attempt.user_id != user_id:
            elsewhere = bool(tenants_of(DirectoryKind.OAUTH_STATE, state))
            raise ConnectRefused("other_account" if elsewhere else "state", "No attempt of yours has this state.")
        if attempt.used_at is not None:
            raise ConnectRefused("replayed", "This answer has been used already.", in_popup=attempt.in_popup)
        attempt.used_at = timezone.now()
        attempt.save(update_fields=["used_at"])
        leave(kind=DirectoryKind.OAUTH_STATE, key=state)
        claim = Claim(
            tenant_id=tenant_id,
            attempt_id=attempt.pk,
            login_url=attempt.login_url,
            verifier=unseal(attempt.verifier, binding=f"oauth:{hashed}"),
            expected_org_id=attempt.expected_org_id,
            in_popup=attempt.in_popup,
        )
        is_expired = attempt.expires_at < timezone.now()
    if is_expired:
        raise ConnectRefused("expired", "The attempt took longer than 15 minutes.", in_popup=claim.in_popup)
    return claim


def trade_code(*, claim: Claim, code: str) -> Grant:
    """Ask Salesforce for tokens, who logged in, and which org it is, outside transactions; raises ConnectRefused.

    Tokens that cannot be used (of another org than the expected one, or without API) are revoked, never stored.
    """
    app = salesforce_app()
    try:
        tokens = exchange_code(
            app, login_url=claim.login_url, redirect_uri=callback_url(), code=code, verifier=claim.verifier
        )
    except Failure as failure:
        raise ConnectRefused(refusal_code(failure.category), failure.message, in_popup=claim.in_popup) from failure
    if claim.expected_org_id and tokens.org_id != claim.expected_org_id:
        give_back(tokens, login_url=claim.login_url)
        raise ConnectRefused("wrong_org", "You logged in to another Salesforce org.", in_popup=claim.in_popup)
    try:
        return Grant(tokens, fetch_identity(app, tokens), read_organization(tokens))
    except Failure as failure:
        give_back(tokens, login_url=claim.login_url)
        raise ConnectRefused(refusal_code(failure.category), failure.message, in_popup=claim.in_popup) from failure


def give_back(tokens: TokenSet, *, login_url: str) -> None:
    """Revoke tokens that we shall not use, as far as Salesforce answers."""
    revoke_quietly(tokens.refresh_token, login_url=login_url)


def revoke_quietly(token: str, *, login_url: str) -> None:
    """End a grant; a Salesforce that does not answer costs a log line, for the grant is of no use to anyone else."""
    try:
        revoke_token(salesforce_app(), login_url=login_url, token=token)
    except Failure as failure:
        log.warning("token_not_revoked", category=failure.category)


def refusal_code(category: Category) -> str:
    """The page for a failure of the way in."""
    pages = {
        Category.ACCESS_DENIED: "denied",
        Category.APP_NOT_INSTALLED: "not_installed",
        Category.INVALID_GRANT: "expired",
        Category.UNAVAILABLE: "unavailable",
        Category.API_DISABLED: "api_disabled",
        Category.INSUFFICIENT_ACCESS: "api_disabled",
        Category.CONFIGURATION: "configuration",
        Category.UNTRUSTED_HOST: "untrusted_host",
        Category.REQUEST_LIMIT: "limit",
    }
    return pages.get(category, "failed")


def store_connection(*, claim: Claim, grant: Grant, user: User) -> tuple[Connection, str]:
    """Make or renew the connection, in the open transaction; raises ConnectRefused where the org is taken.

    Answers the connection and the refresh token that it held before, to be revoked after the commit. A tenant that
    comes back to an org it had disconnected finds its links and settings again.
    """
    tokens = grant.tokens
    row = live_connection()
    if row is not None:
        row = Connection.objects.select_for_update().get(id=row.pk)
        if row.org_id != tokens.org_id:
            raise ConnectRefused("wrong_org", "Another Salesforce org is connected.", in_popup=claim.in_popup)
    is_new = row is None
    row = row or disconnected_connection(tokens.org_id) or Connection(org_id=tokens.org_id, connected_by=user)
    before = {"username": row.username, "instance_url": row.instance_url} if not is_new else {}
    replaced = opened(row, "refresh_token") if row.refresh_token else ""
    _fill(row, claim, grant)
    try:
        with transaction.atomic():
            if current_tenant_id() not in tenants_of(DirectoryKind.SALESFORCE_ORG, tokens.org_id):
                enter(kind=DirectoryKind.SALESFORCE_ORG, key=tokens.org_id)
            row.save()
    except IntegrityError as error:
        raise ConnectRefused("taken", "This Salesforce org is connected elsewhere.", in_popup=claim.in_popup) from error
    store_tokens(row, tokens)
    row.save()
    healthy(connection_id=row.pk, proof=Proof.PERSON)
    row.refresh_from_db()
    audit(
        actor=user,
        action="connected" if is_new else "reconnected",
        subject=f"Salesforce org {row.org_id}",
        before=before,
        after={"username": row.username, "instance_url": row.instance_url},
    )
    return row, replaced if replaced != tokens.refresh_token else ""


def _fill(row: Connection, claim: Claim, grant: Grant) -> None:
    tokens, identity, organization = grant.tokens, grant.identity, grant.organization
    row.api_version = settings.SALESFORCE_API_VERSION
    row.state, row.disconnected_at = ConnectionState.CONNECTED, None
    row.login_url, row.instance_url = claim.login_url, tokens.instance_url
    row.username, row.user_name, row.user_remote_id = identity.username, identity.display_name, tokens.user_id
    row.scopes = tokens.scope[:255]
    row.auth_kind, row.credentials = AuthKind.OAUTH, ""
    row.org_name, row.edition = organization.name, organization.edition
    row.is_sandbox = organization.is_sandbox
    if organization.usage is not None:
        row.api_used, row.api_allowed = organization.usage.used, organization.usage.allowed
        row.api_seen_at = timezone.now()


def refused_by_salesforce(*, claim: Claim, error: str, description: str) -> ConnectRefused:
    """What a callback that brings an error instead of a code means, for the person in front of it."""
    code = refusal_code(oauth_failure(error, description).category) if error else "failed"
    return ConnectRefused(code, (description or error)[:200], in_popup=claim.in_popup)
