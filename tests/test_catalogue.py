"""PostgreSQL itself keeps tenants apart, on every table there is: read from its catalogue, so that a new table without
its policy, or a new role with too many rights, fails here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.models import Model

from apps.core.db import app_transaction, dispatcher_transaction
from apps.tenants.models import Tenant, TenantManager, TenantModel
from apps.tenants.scope import NoTenant, tenant_transaction
from tests.core.catalogue import Catalogue, Row, fill, insert, new_user, read_catalogue, rows_of

pytestmark = pytest.mark.django_db

APP, DISPATCHER = settings.SYNCLINE_APP_ROLE, settings.SYNCLINE_DISPATCHER_ROLE
LOGIN = str(settings.DATABASES["default"]["USER"])
OWN_TENANT = "(tenant_id = (current_setting('app.tenant'::text))::bigint)"

OF_NO_TENANT = {
    "tenants_tenant": "the tenants themselves: a name and a date, needed before one is chosen",
    "tenants_user": "a person may belong to several tenants",
    "tenants_user_groups": "Django's own; no groups are used",
    "tenants_user_user_permissions": "Django's own; no permissions are used",
    "tenants_directoryentry": "look-ups before a tenant is known: hashes of keys only",
    "account_emailaddress": "belongs to a person",
    "account_emailconfirmation": "belongs to a person",
    "mfa_authenticator": "belongs to a person",
    "usersessions_usersession": "belongs to a person",
    "django_session": "belongs to a browser",
    "auth_group": "Django's own, empty",
    "auth_group_permissions": "Django's own, empty",
    "auth_permission": "Django's own, the same for all",
    "django_content_type": "Django's own, the same for all",
    "django_migrations": "Django's own, read at start",
}
"""The tables outside row-level security, each with its reason."""

# What the dispatcher may know of work that waits, beside when it is due: never what the work is about.
DISPATCHER_SEES = {"id", "tenant_id", "connection_id", "run_id", "kind", "name", "state", "is_done"}


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    return read_catalogue()


@pytest.fixture
def secured(catalogue: Catalogue) -> list[str]:
    """Every tenant table."""
    return [table for table in catalogue.tenant_tables if table not in OF_NO_TENANT]


def _models() -> Iterator[type[Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model.__module__.startswith("apps."):
            yield model


def test_every_model_is_a_tenants_or_named_with_its_reason() -> None:
    strangers = [m for m in _models() if not issubclass(m, TenantModel) and m._meta.db_table not in OF_NO_TENANT]
    assert strangers == []


def test_every_tenant_model_answers_through_the_guarded_manager_only() -> None:
    own = [model for model in _models() if issubclass(model, TenantModel)]
    assert len(own) > 30
    for model in own:
        for manager in (model._default_manager, *model._meta.managers):
            assert isinstance(manager, TenantManager), model


def test_every_table_is_a_tenants_or_named_with_its_reason(catalogue: Catalogue, secured: list[str]) -> None:
    assert set(catalogue.columns) == {*secured, *OF_NO_TENANT}
    assert len(secured) > 30


def test_every_tenant_table_has_row_security_forced_and_its_policy(secured: list[str]) -> None:
    enabled = dict(
        rows_of(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
    )
    policies: dict[str, list[tuple[object, ...]]] = {}
    for table, *policy in rows_of(
        "SELECT tablename, roles::text[], permissive, cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public'"
    ):
        policies.setdefault(table, []).append(tuple(policy))
    due_work = ([DISPATCHER], "PERMISSIVE", "SELECT", "true", None)
    for table in secured:
        assert enabled[table], f"{table}: row-level security is not enabled and forced"
        others = [policy for policy in policies.get(table, []) if policy != due_work]
        assert others == [([APP], "PERMISSIVE", "ALL", OWN_TENANT, OWN_TENANT)], table
    assert policies.keys() <= set(secured)


def test_every_primary_key_of_a_tenant_table_begins_with_the_tenant(secured: list[str]) -> None:
    first = dict(
        rows_of(
            "SELECT c.relname, a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a"
            " ON a.attrelid = c.oid AND a.attnum = k.conkey[1] WHERE k.contype = 'p'"
            " AND c.relnamespace = 'public'::regnamespace"
        )
    )
    assert {table: first.get(table) for table in secured} == dict.fromkeys(secured, "tenant_id")


def test_no_foreign_key_between_tenant_tables_can_cross_tenants(catalogue: Catalogue, secured: list[str]) -> None:
    crossing = [
        f"{key.table} {key.columns} → {key.target}"
        for key in catalogue.foreign_keys
        if key.table in secured and key.target in secured
        and ("tenant_id", "tenant_id") not in zip(key.columns, key.target_columns, strict=True)
    ]  # fmt: skip
    assert crossing == []


def test_no_unique_rule_of_a_tenant_table_reaches_beyond_the_tenant(secured: list[str]) -> None:
    without = rows_of(
        "SELECT c.relname, i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
        " WHERE i.indisunique AND c.relname = ANY (%s) AND NOT EXISTS (SELECT FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnum = ANY (i.indkey::int2[]))",
        secured,
    )
    assert without == []


def test_staging_is_the_one_schema_outside_row_security() -> None:
    schemas = rows_of("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'")
    assert {name for (name,) in schemas} == {"public", "staging"}


def test_the_applications_roles_have_no_power_over_the_database() -> None:
    for role in (APP, LOGIN, DISPATCHER):
        power = rows_of(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
            " WHERE rolname = %s",
            role,
        )
        assert power == [(False,) * 5], role
        owned = rows_of("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = %s", role)
        assert owned == [], role
    inherits = rows_of("SELECT rolcanlogin, rolinherit FROM pg_roles WHERE rolname = %s", LOGIN)
    assert inherits == [(True, False)]
    assert rows_of("SELECT rolcanlogin FROM pg_roles WHERE rolname = ANY (%s)", [APP, DISPATCHER]) == [(False,)] * 2


def test_no_role_may_empty_tables_or_get_round_their_rules(catalogue: Catalogue) -> None:
    # Row-level security does not hold for TRUNCATE, and a trigger or reference sees rows of all tenants.
    for role in (APP, LOGIN, DISPATCHER):
        for right in ("TRUNCATE", "TRIGGER", "REFERENCES"):
            having = [
                table
                for table in catalogue.columns
                if rows_of("SELECT has_table_privilege(%s, %s, %s)", role, f"public.{table}", right) == [(True,)]
            ]
            assert having == [], f"{role} {right}"
        assert rows_of("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role) == [(False,)], role


def test_the_login_by_itself_reads_no_table(catalogue: Catalogue) -> None:
    assert rows_of("SELECT current_user") == [(LOGIN,)]
    for table in catalogue.columns:
        if table == "django_migrations":
            continue
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            rows_of(f"SELECT 1 FROM {table}")


def test_the_dispatcher_sees_when_work_is_due_and_nothing_of_what_it_is(secured: list[str]) -> None:
    seen = rows_of(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, aclexplode(a.attacl) g"
        " WHERE g.grantee = %s::regrole",
        DISPATCHER,
    )
    assert {column for _, column in seen if not column.endswith(("_at", "_until"))} <= DISPATCHER_SEES
    assert {table for table, _ in seen} <= set(secured)
    whole = rows_of(
        "SELECT c.relname, g.privilege_type FROM pg_class c, aclexplode(c.relacl) g WHERE g.grantee = %s::regrole",
        DISPATCHER,
    )
    assert whole == []
    with dispatcher_transaction(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        rows_of("UPDATE sync_runlane SET due_at = now()")


@dataclass(frozen=True)
class TwoTenants:
    """A row in every tenant table for each of two tenants."""

    mine: Tenant
    theirs: Tenant
    my_rows: dict[str, Row]
    their_rows: dict[str, Row]


@pytest.fixture
def both(catalogue: Catalogue, secured: list[str], tenant: Tenant, other_tenant: Tenant) -> TwoTenants:
    user = new_user("somebody@northwind.example")
    rows = [fill(catalogue, secured, one, user) for one in (tenant, other_tenant)]
    return TwoTenants(tenant, other_tenant, rows[0], rows[1])


def _refused(statement: str, *parameters: object) -> str:
    """What PostgreSQL says against a statement; "" where it lets it pass."""
    try:
        with transaction.atomic():
            rows_of(statement, *parameters)
    except DatabaseError as error:
        return str(error)
    return ""


def _changed(statement: str, *parameters: Any) -> int:
    """How many rows a statement changed, or -1 where the role may not do such a thing at all."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)
    except ProgrammingError as error:
        if "permission denied" not in str(error):
            raise
        return -1


def test_another_tenants_rows_cannot_be_seen_in_any_table(both: TwoTenants, secured: list[str]) -> None:
    with tenant_transaction(both.mine.pk):
        for table in secured:
            assert rows_of(f"SELECT DISTINCT tenant_id FROM {table}") == [(both.mine.pk,)], table
            theirs = both.theirs.pk
            assert rows_of(f"SELECT 1 FROM {table} WHERE tenant_id = %s", theirs) == [], table


def test_another_tenants_rows_cannot_be_changed_in_any_table(both: TwoTenants, secured: list[str]) -> None:
    theirs = both.theirs.pk
    with tenant_transaction(both.mine.pk):
        for table in secured:
            assert _changed(f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = %s", theirs) <= 0, table
            assert _changed(f"DELETE FROM {table} WHERE tenant_id = %s", theirs) <= 0, table
    with tenant_transaction(theirs):
        assert [table for table in secured if len(rows_of(f"SELECT 1 FROM {table}")) != 1] == []


def test_no_row_can_be_written_or_handed_to_another_tenant(
    both: TwoTenants, catalogue: Catalogue, secured: list[str]
) -> None:
    with tenant_transaction(both.mine.pk):
        for table in secured:
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                insert(table, catalogue.given_of(table, both.their_rows[table]))
            refusal = _refused(f"UPDATE {table} SET tenant_id = %s RETURNING 1", both.theirs.pk)
            assert "row-level security" in refusal or "permission denied" in refusal, table


def test_postgresql_raises_for_every_table_where_no_tenant_is_set(both: TwoTenants, secured: list[str]) -> None:
    with app_transaction():
        for table in secured:
            for statement in (
                f"SELECT 1 FROM {table}",
                f"UPDATE {table} SET tenant_id = tenant_id RETURNING 1",
                f"DELETE FROM {table} RETURNING 1",
            ):
                refusal = _refused(statement)
                assert "invalid input syntax for type bigint" in refusal or "permission denied" in refusal, statement


def test_every_tenant_model_raises_where_no_tenant_is_set() -> None:
    with app_transaction():
        for model in _models():
            if issubclass(model, TenantModel):
                with pytest.raises(NoTenant):
                    model.objects.count()
