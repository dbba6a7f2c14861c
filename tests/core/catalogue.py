"""What PostgreSQL's own catalogue says of the tables, and one row in each of them for any tenant."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.core.db import app_transaction
from apps.tenants.models import Tenant, User
from apps.tenants.scope import tenant_transaction

_OF_TYPE: dict[str, object] = {
    "bool": True, "int2": 1, "int4": 1, "int8": 1, "float8": 1.0, "numeric": 1, "date": "2026-01-01",
    "timestamptz": "2026-01-01T00:00:00Z", "jsonb": "{}", "varchar": "x", "text": "x", "bytea": b"x",
    "_int4": [1], "_int8": [1], "_text": ["x"], "_varchar": ["x"], "inet": "127.0.0.1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column, as far as filling it is concerned."""

    name: str
    type: str
    is_filled_by_itself: bool
    is_required: bool


@dataclass(frozen=True)
class ForeignKey:
    """Which columns of a table lead to which columns of another."""

    table: str
    columns: list[str]
    target: str
    target_columns: list[str]


@dataclass
class Catalogue:
    """The tables of schema ``public``."""

    columns: dict[str, list[Column]]
    foreign_keys: list[ForeignKey]
    tenant_tables: list[str]

    def keys_of(self, table: str) -> list[ForeignKey]:
        return [key for key in self.foreign_keys if key.table == table]

    def given_of(self, table: str, row: Row) -> Row:
        """The values of a row that whoever writes it gives; the others are filled by PostgreSQL itself."""
        given = [column for column in self.columns[table] if not column.is_filled_by_itself]
        return {c.name: json.dumps(row[c.name]) if c.type == "jsonb" else row[c.name] for c in given}


def rows_of(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What a query answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return list(cursor.fetchall())


def read_catalogue() -> Catalogue:
    """Tables, columns and foreign keys; a tenant table is one with a column ``tenant_id``."""
    columns: dict[str, list[Column]] = {}
    for table, name, kind, by_itself, required in rows_of(
        "SELECT c.relname, a.attname, t.typname, a.attidentity <> '' OR a.attgenerated <> '' OR a.atthasdef,"
        " a.attnotnull FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0"
        " AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    ):
        columns.setdefault(table, []).append(Column(name, kind, by_itself, required))
    keys = rows_of(
        "SELECT s.relname, (SELECT array_agg(attname::text ORDER BY array_position(k.conkey, attnum))"
        " FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = ANY (k.conkey)), t.relname,"
        " (SELECT array_agg(attname::text ORDER BY array_position(k.confkey, attnum))"
        " FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = ANY (k.confkey))"
        " FROM pg_constraint k JOIN pg_class s ON s.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid"
        " WHERE k.contype = 'f' AND s.relnamespace = 'public'::regnamespace"
    )
    of_tenants = [table for table, its in columns.items() if any(column.name == "tenant_id" for column in its)]
    return Catalogue(columns, [ForeignKey(*key) for key in keys], of_tenants)


def fill(catalogue: Catalogue, tables: list[str], tenant: Tenant, user: User) -> dict[str, Row]:
    """One row of ``tenant`` in each of ``tables``, written by the application's role; parents first."""
    made: dict[str, Row] = {"tenants_tenant": {"id": tenant.pk}, "tenants_user": {"id": user.pk}}
    waiting = list(tables)
    with tenant_transaction(tenant.pk):
        while waiting:
            ready = [table for table in waiting if _parents(catalogue, table) <= made.keys()]
            assert ready, f"tables that wait for each other: {waiting}"
            for table in ready:
                made[table] = _insert_somehow(table, catalogue, made)
                waiting.remove(table)
    return made


def _parents(catalogue: Catalogue, table: str) -> set[str]:
    return {key.target for key in catalogue.keys_of(table)} - {table}


def _insert_somehow(table: str, catalogue: Catalogue, made: Mapping[str, Row]) -> Row:
    """The least row; where a check wants one of the columns that may stay empty, with one of those."""
    linked = {
        name: made[key.target][target]
        for key in catalogue.keys_of(table)
        if key.target in made
        for name, target in zip(key.columns, key.target_columns, strict=True)
    }
    values = {c.name: linked.get(c.name, _OF_TYPE[c.type]) for c in catalogue.columns[table]}
    values["tenant_id"] = made["tenants_tenant"]["id"]
    least = {c.name for c in catalogue.columns[table] if c.is_required and not c.is_filled_by_itself}
    optional = [c.name for c in catalogue.columns[table] if not c.is_required]
    for more in ([], *([name] for name in optional)):
        try:
            with transaction.atomic():
                return insert(table, {name: values[name] for name in [*least, *more]})
        except IntegrityError as refused:
            if "violates check constraint" not in str(refused):
                raise
    raise AssertionError(f"no row satisfies {table}")


def insert(table: str, values: Row) -> Row:
    """Insert a row and give it back whole."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING to_jsonb({table}.*)", [*values.values()]
        )
        (row,) = cursor.fetchone()
    return dict(json.loads(row))  # Django hands jsonb out as text


def new_user(email: str) -> User:
    """Somebody."""
    with app_transaction():
        return User.objects.create_user(email, "correct horse battery")
