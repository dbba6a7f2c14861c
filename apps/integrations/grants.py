"""A connection from a token answer that did not come through the browser (the demo's)."""

from typing import Any

from django.conf import settings

from apps.integrations.models import Connection
from apps.integrations.tokens import salesforce_app, store_tokens
from apps.salesforce.oauth import token_set
from apps.tenants.audit import audit
from apps.tenants.directory import enter
from apps.tenants.models import DirectoryKind, User


def connection_from_grant(*, answer: dict[str, Any], login_url: str, username: str, user: User) -> Connection:
    """Store a new connection; the answer passes the same checks as one from the browser."""
    tokens = token_set(salesforce_app(), answer, refresh_token="")
    connection = Connection(
        org_id=tokens.org_id,
        login_url=login_url,
        instance_url=tokens.instance_url,
        username=username,
        user_remote_id=tokens.user_id,
        scopes=tokens.scope,
        api_version=settings.SALESFORCE_API_VERSION,
        connected_by=user,
    )
    connection.save()
    store_tokens(connection, tokens)
    connection.save()
    enter(kind=DirectoryKind.SALESFORCE_ORG, key=tokens.org_id)
    audit(actor=user, action="connected", subject=f"Salesforce org {tokens.org_id}", after={"username": username})
    return connection
