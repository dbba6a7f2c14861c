"""Everything that is held about one person, table by table: what they get when they ask for it."""

from typing import Any

from django.apps import apps
from django.db import connection

from apps.audience.models import Person
from apps.sync.erasing import columns_of
from apps.tenants.models import AuditEntry, TenantModel
from apps.tenants.scope import current_tenant_id

_MOST = 10_000
_LEFT_OUT = frozenset({"tenant_id"})


def held_about(person: Person) -> dict[str, list[dict[str, Any]]]:
    """Rows by table: the person's own, and every one that names them by number or by a row in Salesforce."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT remote_id FROM sync_recordlink WHERE tenant_id = %s AND person_id = %s",
            [current_tenant_id(), person.pk],
        )
        names = [row[0] for row in cursor.fetchall()]
    found: dict[str, list[dict[str, Any]]] = {}
    for model in apps.get_models():
        if not issubclass(model, TenantModel) or model is AuditEntry:
            continue
        rows = _rows(model, person.pk, names)
        if rows:
            found[model._meta.db_table] = rows
    return found


def _rows(model: type[TenantModel], person_id: int, names: list[str]) -> list[dict[str, Any]]:
    columns = columns_of(model)
    tests = ["t.id = %(id)s"] if model is Person else []
    if "person_id" in columns:
        tests.append("t.person_id = %(id)s")
    tests += [
        f"(t.{kind}_type = 'person' AND t.{kind}_id = %(id)s)"
        for kind in ("local", "record")
        if {f"{kind}_type", f"{kind}_id"} <= columns.keys()
    ]
    if "remote_id" in columns:
        tests.append("t.remote_id = ANY(%(names)s)")
    if not tests:
        return []
    listed = ", ".join(f't."{column}"' for column in columns if column not in _LEFT_OUT)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {listed} FROM {model._meta.db_table} t WHERE t.tenant_id = %(tenant)s AND ({' OR '.join(tests)}) "
            f"LIMIT {_MOST}",
            {"tenant": current_tenant_id(), "id": person_id, "names": names},
        )
        titles = [column.name for column in cursor.description or []]
        return [dict(zip(titles, row, strict=True)) for row in cursor.fetchall()]
