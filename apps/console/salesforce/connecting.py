"""Connecting from end to end: what the callback does, step by step."""

from apps.integrations.models import Connection
from apps.integrations.services.oauth import (
    ConnectRefused,
    claim_attempt,
    give_back,
    refused_by_salesforce,
    revoke_quietly,
    store_connection,
    trade_code,
)
from apps.sync.first_setup import set_up
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction


def finish_connecting(
    *, tenant_id: int, user: User, state: str, code: str, error: str, description: str
) -> tuple[Connection, bool]:
    """Claim the attempt, trade the code, store the connection; answers it and whether a popup waits for it.

    Salesforce is asked between two transactions, inside none. Raises ConnectRefused with the page to show.
    """
    claim = claim_attempt(tenant_id=tenant_id, user_id=user.pk, state=state)
    if error or not code:
        raise refused_by_salesforce(claim=claim, error=error, description=description)
    grant = trade_code(claim=claim, code=code)
    try:
        with tenant_transaction(tenant_id):
            connection, replaced = store_connection(claim=claim, grant=grant, user=user)
            set_up(connection=connection, user=user)
    except ConnectRefused:
        give_back(grant.tokens, login_url=claim.login_url)
        raise
    if replaced:
        revoke_quietly(replaced, login_url=claim.login_url)
    return connection, claim.in_popup
