"""Erasing one person (INV-25): what must hold at once, in one transaction. What stays is a mark that nobody can read.

Marks keep the person out; their own row, links, waiting changes and whatever else an index finds go at once. What can
only be found by looking at every row of a log or of a stored file is left to a worker (``erasing_walk``).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connection, models

from apps.audience.models import CustomRecord, Erasure, ErasureKey, ErasureState, Person, Tombstone
from apps.audience.services.erasures import leave_tombstones, lock_for_erasing
from apps.core.crypto import seal
from apps.core.queue import wake
from apps.sync.models import ErasureJob, RecordLink, RunObject
from apps.tenants.audit import audit
from apps.tenants.models import AuditEntry, TenantModel, User
from apps.tenants.scope import current_tenant_id

TASK = "apps.sync.tasks.erase"
_OWN = (Person, Erasure, ErasureKey, Tombstone, ErasureJob)
_PERSON_HERE = "(t.{kind}_type = 'person' AND t.{kind}_id = %(id)s)"

LOGS = {
    "api_keptanswer": "",
    "embedded_signedrequest": "",
    "imports_importproblem": "",
    "notifications_attempt": "",
    "notifications_delivery": _PERSON_HERE.format(kind="record"),
    "notifications_notice": "",
    "sync_actions_crmaction": "t.person_id = %(id)s",
    "sync_actions_reaction": "t.state = 'waiting' AND t.person_id = %(id)s",
    "sync_actions_rulerun": "t.person_id = %(id)s",
    "sync_conversion": "t.lead_id = ANY(%(names)s)",
    "sync_errors_syncerror": f"({_PERSON_HERE.format(kind='local')} OR t.remote_id = ANY(%(names)s))",
    "sync_runentry": f"{_PERSON_HERE.format(kind='local')} AND t.action <> 'created'",
    "sync_writeintent": "t.closed_at IS NULL AND "
    f"({_PERSON_HERE.format(kind='local')} OR t.remote_id = ANY(%(names)s))",
}
"""What only tells of what happened, each with the part of the person's rows that an index finds: those go at once. A
worker looks at all others, and a row that names the person goes whole. Records of others stay as they are: what
somebody wrote into another person's description is theirs."""


def identifiers_of(person: Person) -> list[str]:
    """What names exactly this person: e-mail address, ids of rows in Salesforce, external key."""
    ids = RecordLink.objects.filter(person_id=person.pk).values_list("remote_id", flat=True)
    found = [person.email.lower(), person.leading_remote_id, person.external_key, *ids]
    return list(dict.fromkeys(value for value in found if value))


def erase_person(*, person: Person, user: User) -> Erasure:
    """Take a person out for good, in the open transaction, and call a worker for their traces in logs. Salesforce is
    told nothing."""
    lock_for_erasing()
    row = Person.objects.select_for_update().get(id=person.pk)
    names = identifiers_of(row)
    erasure = leave_tombstones(person=row, identifiers=names, user=user)
    counts = _delete_at_once(row.pk, names)
    # Where a sync has stopped may be at one of their rows; without the id it looks at that moment's rows again.
    RunObject.objects.filter(cursor_id__in=names).update(cursor_id="")
    _delete("audience_person", "t.id = %(id)s", {"id": row.pk})
    Erasure.objects.filter(id=erasure.pk).update(counts=counts, state=ErasureState.ERASING)
    job: ErasureJob = ErasureJob.objects.create(erasure=erasure)
    job.names = seal(json.dumps(names), binding=binding_of(job))
    job.save(update_fields=["names"])
    audit(actor=user, action="person_erasure_begun", subject=f"Person {row.pk}", after={"rows": sum(counts.values())})
    wake(TASK, current_tenant_id(), job.pk, queue="routine")
    return erasure


def binding_of(job: ErasureJob) -> str:
    """What the sealed names are bound to."""
    return f"sync_erasurejob:{current_tenant_id()}:{job.pk}"


def columns_of(model: type[models.Model]) -> dict[str, models.Field]:  # type: ignore[type-arg]
    """Columns of a table that are stored as they are."""
    return {field.column: field for field in model._meta.concrete_fields if field.column and not field.generated}


def tests_of_person(model: type[TenantModel]) -> list[str]:
    """Conditions for rows that name the person by number, or one of their rows in Salesforce."""
    columns, tests = columns_of(model), []
    if "person_id" in columns and model is not CustomRecord:  # that one only loses its reference
        tests.append("t.person_id = %(id)s")
    tests += [
        _PERSON_HERE.format(kind=kind)
        for kind in ("local", "record")
        if {f"{kind}_type", f"{kind}_id"} <= columns.keys()
    ]
    if "remote_id" in columns:
        tests.append("t.remote_id = ANY(%(names)s)")
    return tests


def _delete_at_once(person_id: int, names: Sequence[str]) -> dict[str, int]:
    """Delete what an index finds, or what stands in a table that stays small; answers how many rows, by table."""
    counts: dict[str, int] = {}
    values = {"id": person_id, "names": list(names)}
    for model in _tenant_models():
        table = model._meta.db_table
        condition = _condition_at_once(model)
        deleted = _delete(table, condition, values) if condition else 0
        if deleted:
            counts[table] = deleted
    return counts


def _condition_at_once(model: type[TenantModel]) -> str:
    if model._meta.db_table in LOGS:
        return LOGS[model._meta.db_table]
    if model is RecordLink:
        return "t.person_id = %(id)s"  # the names of rows come from these very links
    return " OR ".join(tests_of_person(model))


def _tenant_models() -> Iterator[type[TenantModel]]:
    for model in apps.get_models():
        if issubclass(model, TenantModel) and model not in _OWN and model is not AuditEntry:
            yield model


def _delete(table: str, condition: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} t WHERE t.tenant_id = %(tenant)s AND ({condition})",
            {"tenant": current_tenant_id(), **values},
        )
        return int(cursor.rowcount)
