"""Scopes: which role and tenant a transaction has, and that nothing of it outlives the transaction."""

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from apps.core.db import Scope, app_transaction, current_scope, dispatcher_transaction
from apps.tenants.models import Tenant
from apps.tenants.scope import NoTenant, current_tenant_id, tenant_transaction
from tests.core.catalogue import rows_of

pytestmark = pytest.mark.django_db(transaction=True)


class Oops(Exception):
    """What the tests raise."""


def in_force() -> tuple[str, str]:
    """Role and tenant, as PostgreSQL sees them."""
    role, tenant = rows_of("SELECT current_user, coalesce(current_setting('app.tenant', true), '')")[0]
    return role, tenant


APP, DISPATCHER = settings.SYNCLINE_APP_ROLE, settings.SYNCLINE_DISPATCHER_ROLE
LOGIN = (str(settings.DATABASES["default"]["USER"]), "")


def test_a_scope_ends_with_its_transaction() -> None:
    assert in_force() == LOGIN
    with tenant_transaction(7):
        assert in_force() == (APP, "7")
        assert current_scope() == Scope(APP, 7)
        assert current_tenant_id() == 7
    assert in_force() == LOGIN
    assert current_scope() == Scope()


def test_a_scope_ends_with_a_transaction_that_fails() -> None:
    with pytest.raises(Oops), tenant_transaction(7):
        raise Oops
    assert in_force() == LOGIN
    assert current_scope() == Scope()


def test_an_inner_scope_gives_the_outer_one_back() -> None:
    with tenant_transaction(1):
        with tenant_transaction(2):
            assert in_force() == (APP, "2")
            with dispatcher_transaction():
                assert in_force() == (DISPATCHER, "")
            assert in_force() == (APP, "2")
        assert in_force() == (APP, "1")
        assert current_scope() == Scope(APP, 1)


def test_an_inner_scope_that_fails_gives_the_outer_one_back() -> None:
    with tenant_transaction(1):
        with pytest.raises(Oops), tenant_transaction(2):
            raise Oops
        assert in_force() == (APP, "1")
        assert current_tenant_id() == 1


def break_the_transaction() -> None:
    """Leave an error of the database behind that nobody has rolled back to a savepoint for."""
    try:
        rows_of("SELECT 1 / 0")
    except DatabaseError as error:
        raise Oops from error


def test_an_inner_scope_broken_by_the_database_gives_the_outer_one_back() -> None:
    with tenant_transaction(1):
        with pytest.raises(Oops), tenant_transaction(2):
            break_the_transaction()
        assert in_force() == (APP, "1")


def test_an_inner_scope_that_is_rolled_back_gives_the_outer_one_back() -> None:
    with tenant_transaction(1):
        with tenant_transaction(2):
            transaction.set_rollback(True)
        assert in_force() == (APP, "1")
        assert current_scope() == Scope(APP, 1)


def test_the_applications_transaction_keeps_the_tenant_it_is_opened_in() -> None:
    with app_transaction():
        assert in_force() == (APP, "")
        with pytest.raises(NoTenant):
            current_tenant_id()
    with tenant_transaction(3), app_transaction():
        assert in_force() == (APP, "3")


def test_the_dispatchers_transaction_never_lends_its_rights_to_the_application() -> None:
    with dispatcher_transaction(), app_transaction():
        assert in_force() == (APP, "")


def test_a_durable_scope_refuses_to_be_part_of_a_larger_one() -> None:
    with tenant_transaction(1), pytest.raises(RuntimeError, match="durable"), tenant_transaction(1, durable=True):
        pass


def test_a_connection_that_is_handed_on_carries_nothing_over(tenant: Tenant) -> None:
    with tenant_transaction(tenant.pk):
        backend = rows_of("SELECT pg_backend_pid()")
    assert rows_of("SELECT pg_backend_pid()") == backend
    assert in_force() == LOGIN
    with connection.cursor() as cursor:
        cursor.execute("SHOW ROLE")
        assert cursor.fetchone() == ("none",)
