"""Tokens of a connection: sealed in its row, renewed once at a time."""

import json
import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from apps.core.crypto import CannotDecrypt, seal, unseal
from apps.domain.failures import AuthorizationLost, Category, NotPermitted, Transient
from apps.integrations.health import needs_you
from apps.integrations.models import AuthKind, Connection, ConnectionState, HealthCause
from apps.salesforce.oauth import App, TokenSet, refresh
from apps.salesforce.soap_login import Credentials, soap_login
from apps.tenants.scope import tenant_transaction

_LEASE = timedelta(seconds=45)
_LOOKS = 40
_LOOK_SECONDS = 0.25


def salesforce_app() -> App:
    """The app of this deployment."""
    return App(settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET, settings.SALESFORCE_TRUSTED_HOSTS)


def _binding(connection: Connection, column: str) -> str:
    return f"integrations_connection:{connection.tenant_id}:{connection.pk}:{column}"


def store_tokens(connection: Connection, tokens: TokenSet) -> None:
    """Seal new tokens into the row (not saved); each opens only there."""
    for column in ("access_token", "refresh_token"):
        setattr(connection, column, seal(getattr(tokens, column), binding=_binding(connection, column)))
    connection.token_generation += 1
    connection.refresh_lease_until = None


def store_credentials(connection: Connection, credentials: Credentials) -> None:
    """Seal what a person typed into the row (not saved)."""
    packed = json.dumps([credentials.username, credentials.password, credentials.security_token])
    connection.auth_kind = AuthKind.PASSWORD
    connection.credentials = seal(packed, binding=_binding(connection, "credentials"))


def stored_credentials(connection: Connection) -> Credentials:
    """What a person typed; raises AuthorizationLost where it cannot be opened."""
    return Credentials(*json.loads(opened(connection, "credentials")))


def opened(connection: Connection, column: str) -> str:
    """A token in the clear; raises AuthorizationLost where it cannot be opened."""
    try:
        return unseal(getattr(connection, column), binding=_binding(connection, column))
    except CannotDecrypt as error:
        raise AuthorizationLost(Category.CONFIGURATION, "The stored tokens cannot be opened.") from error


def _new_tokens(connection: Connection) -> TokenSet:
    """A new session: by the refresh token, or by logging in once more. A password that is refused is not tried
    again by anybody, for the connection needs a person from then on: wrong ones lock the user out."""
    app = salesforce_app()
    if connection.auth_kind == AuthKind.PASSWORD:
        found = soap_login(
            stored_credentials(connection), login_url=connection.login_url, trusted_hosts=app.trusted_hosts
        )
        return found.tokens
    return refresh(app, login_url=connection.login_url, refresh_token=opened(connection, "refresh_token"))


class ConnectionTokens:
    """The token source of one connection. Call it outside transactions: it opens short ones of its own.

    Refresh tokens may rotate, and a replay revokes the grant; so whoever renews holds a lease on the row, and the
    others read the row again until the new token is there.
    """

    def __init__(self, tenant_id: int, connection_id: int) -> None:
        self._tenant_id = tenant_id
        self._connection_id = connection_id
        self._token: str | None = None

    def access_token(self) -> str:
        if self._token is None:
            with tenant_transaction(self._tenant_id):
                connection = Connection.objects.get(id=self._connection_id)
                if not connection.is_usable:
                    raise AuthorizationLost(Category.INVALID_GRANT, "The connection has to be renewed.")
                self._token = opened(connection, "access_token")
        return self._token

    def renew(self, stale: str) -> str:
        for _ in range(_LOOKS):
            with tenant_transaction(self._tenant_id, durable=False):
                connection = Connection.objects.select_for_update().get(id=self._connection_id)
                if not connection.is_usable:
                    raise AuthorizationLost(Category.INVALID_GRANT, "The connection has to be renewed.")
                current = opened(connection, "access_token")
                if current != stale:
                    self._token = current
                    return current
                now = timezone.now()
                held = connection.refresh_lease_until
                if held is None or held < now:
                    connection.refresh_lease_until = now + _LEASE
                    connection.save(update_fields=["refresh_lease_until"])
                    break
            time.sleep(_LOOK_SECONDS)
        else:
            raise Transient(Category.UNAVAILABLE, "Another worker is renewing the session.")
        return self._renew(connection)

    def _renew(self, connection: Connection) -> str:
        """Refresh with the lease in hand. The rotated token is stored in the transaction that ends the lease."""
        try:
            tokens = _new_tokens(connection)
        except (AuthorizationLost, NotPermitted) as failure:
            if isinstance(failure, NotPermitted) and connection.auth_kind != AuthKind.PASSWORD:
                raise
            return self._give_up(connection, failure)
        if tokens.org_id != connection.org_id:
            return self._give_up(connection, AuthorizationLost(Category.INVALID_GRANT, "this is a different org now"))
        with tenant_transaction(self._tenant_id):
            row = Connection.objects.select_for_update().get(id=self._connection_id)
            if row.token_generation == connection.token_generation:
                row.instance_url = tokens.instance_url
                store_tokens(row, tokens)
                row.save(
                    update_fields=[
                        "instance_url",
                        "access_token",
                        "refresh_token",
                        "token_generation",
                        "refresh_lease_until",
                    ]
                )
            self._token = opened(row, "access_token")
        return self._token

    def _give_up(self, connection: Connection, failure: AuthorizationLost | NotPermitted) -> str:
        """Mark the connection as one that needs a person, unless a newer token has come in meanwhile."""
        with tenant_transaction(self._tenant_id):
            row = Connection.objects.select_for_update().get(id=self._connection_id)
            if row.token_generation != connection.token_generation and row.is_usable:
                self._token = opened(row, "access_token")
                return self._token
            if row.is_usable:
                reason = f"Salesforce no longer accepts our access: {failure.message.rstrip('.')}."
                needs_you(connection_id=row.pk, reason=reason, cause=HealthCause.GRANT)
                row.state = ConnectionState.NEEDS_RECONNECT
            row.refresh_lease_until = None
            row.save(update_fields=["state", "refresh_lease_until"])
        raise failure
