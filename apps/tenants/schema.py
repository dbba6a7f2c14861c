"""Migration operations that make a table a tenant's table."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.migrations.operations import RunSQL


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """A composite foreign key: (tenant_id, ``column``) to the primary key of ``table``."""

    column: str
    table: str
    on_delete: str = "CASCADE"


def secure_tenant_table(
    table: str,
    *,
    foreign_keys: Sequence[ForeignTable] = (),
    hot: bool = False,
    has_id: bool = True,
    dispatcher_columns: Sequence[str] = (),
    append_only: bool = False,
) -> RunSQL:
    """Give ``table`` its policy, its tenant-first primary key and its composite foreign keys.

    A hot table has no foreign key to the tenant itself: the composite ones and the policy hold the same rule, and
    one check per row less counts in a sync of a million rows. ``dispatcher_columns`` are what the dispatcher may
    read across tenants to see which work is due.
    """
    forward = [*_policy(table)]
    if has_id:
        forward += [
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_pkey",
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (tenant_id, id)",
        ]
    if not hot:
        forward.append(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_tenant FOREIGN KEY (tenant_id) "
            "REFERENCES tenants_tenant (id) ON DELETE CASCADE"
        )
    forward += [_foreign_key(table, key) for key in foreign_keys]
    if dispatcher_columns:
        forward += [
            f"GRANT SELECT ({', '.join(dispatcher_columns)}) ON {table} TO syncline_dispatcher",
            f"CREATE POLICY due_work ON {table} FOR SELECT TO syncline_dispatcher USING (true)",
        ]
    if append_only:
        forward.append(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM syncline_app")
    return RunSQL(tuple(forward), RunSQL.noop)


def _policy(table: str) -> list[str]:
    """Rows of the open tenant only, for whoever asks."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant_rows ON {table} TO syncline_app "
        "USING (tenant_id = current_setting('app.tenant')::bigint) "
        "WITH CHECK (tenant_id = current_setting('app.tenant')::bigint)",
    ]


def _foreign_key(table: str, key: ForeignTable) -> str:
    set_null = f" SET NULL ({key.column})" if key.on_delete == "SET NULL" else f" {key.on_delete}"
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{key.column} FOREIGN KEY (tenant_id, {key.column}) "
        f"REFERENCES {key.table} (tenant_id, id) ON DELETE{set_null}"
    )
