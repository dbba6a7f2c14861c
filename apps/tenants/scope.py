"""The tenant of the running transaction: set here, asked for here."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from apps.core.db import Scope, current_scope, scoped_transaction


class NoTenant(RuntimeError):
    """A tenant's table was asked for outside any tenant's transaction: an error of ours, never an empty list."""


def current_tenant_id() -> int:
    """The tenant of the open transaction; raises NoTenant where none is set."""
    tenant_id = current_scope().tenant_id
    if tenant_id is None:
        raise NoTenant("No tenant is set: open tenant_transaction() first.")
    return tenant_id


@contextmanager
def tenant_transaction(tenant_id: int, *, durable: bool = False) -> Iterator[None]:
    """A transaction in which exactly this tenant's rows can be read and written."""
    with scoped_transaction(Scope(role=settings.SYNCLINE_APP_ROLE, tenant_id=tenant_id), durable=durable):
        yield
