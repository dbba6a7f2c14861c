"""The test database, made by the owner and used by the login role, as in production."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from apps.core.db import app_transaction
from apps.core.served import KEYS
from apps.tenants.models import Tenant
from apps.tenants.scope import tenant_transaction

SALESFORCE_TRUTH = Path(__file__).resolve().parents[1].parent / "shared" / "salesforce"


@pytest.fixture(scope="session")
def salesforce_truth() -> Path:
    """Recorded answers of real orgs; they lie beside the checkout and are not part of the project."""
    if not SALESFORCE_TRUTH.is_dir():
        pytest.skip("shared/salesforce (recorded answers of real orgs) does not lie beside this checkout")
    return SALESFORCE_TRUTH


def _owner_statement(database: str, statement: str) -> None:
    _statement("owner", database, statement)


def _statement(alias: str, database: str, statement: str) -> None:
    parameters = connections[alias].settings_dict
    link = psycopg2.connect(
        host=parameters["HOST"],
        port=parameters["PORT"],
        user=parameters["USER"],
        password=parameters["PASSWORD"],
        dbname=database,
    )
    try:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(statement)
    finally:
        link.close()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Create and migrate a database as the owner, then point the login role's connection at it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    home = connections["owner"].settings_dict["NAME"]
    name = f"test_syncline_{worker}_{os.getpid()}"
    with django_db_blocker.unblock():
        _owner_statement(home, f'CREATE DATABASE "{name}"')
        for alias in ("owner", "default"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
        call_command("migrate", database="owner", verbosity=0)
        connections["owner"].close()
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        _drop_database(home, name)


def _drop_database(home: str, name: str) -> None:
    """Drop it. Threads of a live server leave connections of the login role behind, which only that role may end; and
    the server's own clean-up may be in it for a moment."""
    left = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND usename = current_user"
    for attempt in range(60):
        _statement("default", home, left)
        try:
            _owner_statement(home, f'DROP DATABASE "{name}" WITH (FORCE)')
        except psycopg2.errors.InsufficientPrivilege:
            if attempt == 59:
                raise
            time.sleep(0.5)
        else:
            return


def truncate_everything() -> None:
    """Empty every table of the test database, as its owner."""
    name = connections["default"].settings_dict["NAME"]
    _owner_statement(
        name,
        """
        DO $$ DECLARE t record; BEGIN
          FOR t IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'staging' LOOP
            EXECUTE format('DROP TABLE %I.%I', t.schemaname, t.tablename);
          END LOOP;
          EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' CASCADE' FROM pg_tables
                   WHERE schemaname = 'public' AND tablename NOT IN ('django_migrations', 'django_content_type',
                                                                     'auth_permission'));
        END $$
        """,
    )


def _teardown_as_owner(self: TransactionTestCase) -> None:
    truncate_everything()


# Django flushes through the connection under test, which here has no right to truncate.
setattr(TransactionTestCase, "_fixture_teardown", _teardown_as_owner)  # noqa: B010 - unknown to the stubs


@pytest.fixture
def tenant(db: None) -> Tenant:
    """A tenant, in the test's own transaction; those of other tests do not count as served."""
    cache.delete_many(KEYS)
    with app_transaction():
        return Tenant.objects.create(name="Northwind Traders")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    """Another tenant, whose rows must never be seen."""
    with app_transaction():
        return Tenant.objects.create(name="Contoso")


@pytest.fixture
def in_tenant(tenant: Tenant) -> Iterator[Tenant]:
    """The rest of the test runs inside ``tenant``."""
    with tenant_transaction(tenant.pk):
        yield tenant
