"""Connecting from end to end: what the callback does, step by step, and what a new connection starts with."""

from apps.field_mappings.needs import note_needed_fields
from apps.field_mappings.setup import seed_custom_profile, seed_default_profile
from apps.integrations.models import Connection, JobKind
from apps.integrations.services.connections import queue_job
from apps.integrations.services.oauth import (
    ConnectRefused,
    claim_attempt,
    give_back,
    refused_by_salesforce,
    revoke_quietly,
    store_connection,
    trade_code,
)
from apps.sync_settings.services import settings_of
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


def set_up(*, connection: Connection, user: User) -> None:
    """Paused settings, the Custom profile inbound only (A09), and the first look at the org."""
    settings_of(connection)
    seed_custom_profile(connection)
    seed_default_profile(connection)
    ask_again(connection=connection, user=user)


def ask_again(*, connection: Connection, user: User) -> None:
    """Queue the pre-flight, which reads metadata first; the fields in use now are the ones it checks."""
    note_needed_fields(connection)
    queue_job(connection=connection, kind=JobKind.PREFLIGHT, user=user)
