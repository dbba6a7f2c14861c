"""Erasing one person: everywhere, at once, in one transaction; what stays is a mark that nobody can read (INV-25).

Tables that name people by number or by a row in Salesforce lose those rows; in all others whatever text holds one of
the person's identifiers goes, too, found by looking at every text and JSON column that there is.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from apps.audience.models import CustomRecord, Erasure, ErasureKey, Person, Tombstone
from apps.audience.services.erasures import leave_tombstones, lock_for_erasing
from apps.imports.scrubbing import blank_rows
from apps.sync.models import RecordLink, RunObject
from apps.sync_errors.models import SyncError
from apps.tenants.audit import audit
from apps.tenants.models import AuditEntry, TenantModel, User
from apps.tenants.scope import current_tenant_id

_OWN = (Person, Erasure, ErasureKey, Tombstone)
_TEXTUAL = (models.CharField, models.TextField, models.JSONField, ArrayField)
_SHORTEST = 5
"""An identifier of fewer characters (an external key such as "7") is not looked for in texts."""


def identifiers_of(person: Person) -> list[str]:
    """What names exactly this person: e-mail address, ids of rows in Salesforce, external key."""
    ids = RecordLink.objects.filter(person_id=person.pk).values_list("remote_id", flat=True)
    found = [person.email.lower(), person.leading_remote_id, person.external_key, *ids]
    return list(dict.fromkeys(value for value in found if value))


def erase_person(*, person: Person, user: User) -> Erasure:
    """Remove a person from everywhere, in the open transaction. Salesforce is told nothing."""
    lock_for_erasing()
    row = Person.objects.select_for_update().get(id=person.pk)
    names = identifiers_of(row)
    erasure = leave_tombstones(person=row, identifiers=names, user=user)
    counts: dict[str, int] = {}
    for model in _tenant_models():
        deleted = _delete_of_person(model, row.pk, names) + _delete_mentions(model, names)
        if deleted:
            counts[model._meta.db_table] = deleted
    blank_rows(names)
    # Where a sync has stopped may be at one of their rows; without the id it looks at that moment's rows again.
    RunObject.objects.filter(cursor_id__in=names).update(cursor_id="")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audience_person WHERE tenant_id = %s AND id = %s", [current_tenant_id(), row.pk])
    Erasure.objects.filter(id=erasure.pk).update(counts=counts)
    audit(actor=user, action="person_erased", subject=f"Person {row.pk}", after={"rows": sum(counts.values())})
    return erasure


def _tenant_models() -> Iterator[type[TenantModel]]:
    for model in apps.get_models():
        if issubclass(model, TenantModel) and model not in _OWN and model is not AuditEntry:
            yield model


def columns_of(model: type[models.Model]) -> dict[str, models.Field]:  # type: ignore[type-arg]
    """Columns of a table that are stored as they are."""
    return {field.column: field for field in model._meta.concrete_fields if field.column and not field.generated}


def _delete_of_person(model: type[TenantModel], person_id: int, names: Sequence[str]) -> int:
    """Rows that name the person by number, or one of their rows in Salesforce."""
    columns, tests = columns_of(model), []
    if "person_id" in columns and model is not CustomRecord:  # that one only loses its reference
        tests.append("t.person_id = %(id)s")
    tests += [
        f"(t.{kind}_type = 'person' AND t.{kind}_id = %(id)s)"
        for kind in ("local", "record")
        if {f"{kind}_type", f"{kind}_id"} <= columns.keys()
    ]
    if "remote_id" in columns:
        tests.append("t.remote_id = ANY(%(names)s)")
    if model is SyncError:
        tests.append(
            "t.details @> jsonb_build_object('candidates', jsonb_build_array(jsonb_build_object('id', %(id)s)))"
        )
    return _delete(model, tests, {"id": person_id, "names": list(names)})


def _delete_mentions(model: type[TenantModel], names: Sequence[str]) -> int:
    """Rows of which a text holds one of the person's identifiers."""
    wanted = [name.lower() for name in names if len(name) >= _SHORTEST]
    texts = [column for column, field in columns_of(model).items() if isinstance(field, _TEXTUAL)]
    if not wanted or not texts or model._meta.db_table not in LOGS:
        return 0
    whole = " || ' ' || ".join(f"coalesce(t.\"{column}\"::text, '')" for column in texts)
    tests = [f"EXISTS (SELECT 1 FROM unnest(%(names)s) n (name) WHERE strpos(lower({whole}), n.name) > 0)"]
    return _delete(model, tests, {"names": wanted})


LOGS = frozenset(
    {
        "api_keptanswer",
        "embedded_signedrequest",
        "imports_importproblem",
        "notifications_attempt",
        "notifications_delivery",
        "notifications_notice",
        "sync_conversion",
        "sync_runentry",
        "sync_errors_syncerror",
        "sync_writeintent",
        "sync_actions_crmaction",
        "sync_actions_reaction",
        "sync_actions_rulerun",
    }
)
"""What only tells of what happened: a row that names the person goes whole. Records of others stay as they are: what
somebody wrote into another person's description is theirs."""


def _delete(model: type[TenantModel], tests: Sequence[str], values: dict[str, Any]) -> int:
    if not tests:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {model._meta.db_table} t WHERE t.tenant_id = %(tenant)s AND ({' OR '.join(tests)})",
            {"tenant": current_tenant_id(), **values},
        )
        return int(cursor.rowcount)
