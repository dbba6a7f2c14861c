"""Transactions and the role they run under.

The login role has no rights of its own. Work happens in a transaction that switches to a role for its length;
so a connection that is handed from one tenant to the next, or through a pooler, carries nothing over.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Scope:
    """Role and tenant of the transaction that is open on this thread's connection."""

    role: str | None = None
    tenant_id: int | None = None


_NO_SCOPE = Scope()


def current_scope() -> Scope:
    """The scope in force; an empty one outside every transaction of ours."""
    scope: Scope = getattr(connection, "syncline_scope", _NO_SCOPE)
    return scope


def _apply(scope: Scope) -> None:
    tenant = "" if scope.tenant_id is None else str(int(scope.tenant_id))
    with connection.cursor() as cursor:
        # SET LOCAL ROLE and SET LOCAL app.tenant in one statement.
        cursor.execute(
            "SELECT set_config('role', %s, true), set_config('app.tenant', %s, true)", [scope.role or "none", tenant]
        )
    connection.syncline_scope = scope  # type: ignore[attr-defined]  # Django's wrapper takes attributes


@contextmanager
def scoped_transaction(scope: Scope, *, durable: bool = False) -> Iterator[None]:
    """Run the block in a transaction (or savepoint) under ``scope``; the scope before it holds again after.

    With ``durable`` the block must be the outermost transaction, so that its effects are committed at its end.
    """
    before = current_scope()
    is_inner = connection.in_atomic_block
    try:
        with transaction.atomic(durable=durable):
            if scope != before:
                _apply(scope)
            yield
            if scope != before and is_inner and not connection.needs_rollback:
                _apply(before)
    finally:
        # The end of a transaction and the rollback of a savepoint take SET LOCAL with them; only our memory of it is
        # left to mend.
        connection.syncline_scope = before  # type: ignore[attr-defined]


@contextmanager
def app_transaction(*, durable: bool = False) -> Iterator[None]:
    """A transaction for tables that belong to no tenant (users, sessions, the directory).

    Inside a transaction that already has the application's role it keeps the tenant that is set.
    """
    scope = current_scope()
    if scope.role != settings.SYNCLINE_APP_ROLE:
        scope = Scope(role=settings.SYNCLINE_APP_ROLE)
    with scoped_transaction(scope, durable=durable):
        yield


@contextmanager
def dispatcher_transaction() -> Iterator[None]:
    """A transaction that sees which work is due across tenants, and nothing else of theirs."""
    with scoped_transaction(Scope(role=settings.SYNCLINE_DISPATCHER_ROLE), durable=False):
        yield
