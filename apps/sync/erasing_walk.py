"""The second part of an erasure: a worker walks through logs and stored files by ranges of keys.

Each short transaction deletes what names the person in one range and moves the cursor, so that a worker that dies loses
nothing. What it needs to know of the person is sealed on the job, and goes with it.
"""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils import timezone

from apps.audience.models import Erasure, ErasureState
from apps.core import crash
from apps.core.crypto import CannotDecrypt, unseal
from apps.core.leases import claim_due, lock_held, wake_due
from apps.core.queue import wake
from apps.imports.scrubbing import blank_rows, stored_files
from apps.sync.erasing import LOGS, TASK, binding_of, columns_of, tests_of_person
from apps.sync.models import ErasureJob, RunEntry
from apps.sync_errors.models import SyncError
from apps.tenants.audit import audit
from apps.tenants.models import TenantModel
from apps.tenants.scope import current_tenant_id, tenant_transaction

_ROWS = 5_000
_CHUNK_SECONDS = 5.0
_LEASE = timedelta(seconds=60)
_LOOK_AGAIN = timedelta(hours=1)
_FILE = "file "
_SHORTEST = 5
"""An identifier of fewer characters (an external key such as "7") is not looked for in texts."""
_TEXTUAL = (models.CharField, models.TextField, models.JSONField, ArrayField)
SEALED_FOR_GOOD = (
    "What is looked for was sealed with a key that this server does not have. Put the key back into "
    "SYNCLINE_ENCRYPTION_KEYS, and the erasure goes on within the hour."
)

# The planner believes that a fresh tenant's tables are empty, and would sort all that is left to find one range's end.
_BY_KEY = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"

Span = list[Any]
"""[place, key before the first row, last key]; the place is a table, or "file " and the number of its import."""


def wake_due_erasures() -> int:
    """Call workers to walks that wait or whose worker died; the dispatcher's part."""
    return wake_due(ErasureJob._base_manager.all(), TASK, queue="routine")


def advance_erasure(tenant_id: int, job_id: int) -> None:
    """Walk on for a few seconds; harmless when the walk is over or somebody else's."""
    fence = _claim(tenant_id, job_id)
    crash.point("erasing_claimed")
    until = time.monotonic() + _CHUNK_SECONDS
    while fence is not None:
        with tenant_transaction(tenant_id):
            job = lock_held(ErasureJob.objects.filter(id=job_id), fence)
            if job is None:
                return
            is_over = _step(job)
            is_pause = bool(job.problem) or time.monotonic() > until
            if is_over:
                _finish(job)
            else:
                job.lease_until = None if is_pause else timezone.now() + _LEASE
                job.save()
                if is_pause and not job.problem:
                    wake(TASK, tenant_id, job_id, queue="routine")
            crash.point("erasing")
        crash.point("erasing_step")
        if is_over or is_pause:
            return


def _claim(tenant_id: int, job_id: int) -> int | None:
    """Take a walk in hand; its fencing number, or None where there is nothing to take."""
    with tenant_transaction(tenant_id):
        job: ErasureJob | None = claim_due(ErasureJob.objects.filter(id=job_id), _LEASE)
    return None if job is None else job.fence


def _step(job: ErasureJob) -> bool:
    """Look at the next rows, in the open transaction; True when there are no more."""
    try:
        names = json.loads(unseal(job.names, binding=binding_of(job)))
    except CannotDecrypt:
        job.problem, job.due_at = SEALED_FOR_GOOD, timezone.now() + _LOOK_AGAIN
        return False
    job.problem = ""
    if job.spans is None:
        job.spans = _spans()
    if job.at_span >= len(job.spans):
        return True
    span = job.spans[job.at_span]
    if job.cursor is None:  # what was written since the walk began is looked at, too
        job.cursor, span[2] = span[1], _last_key(span)
    erasure = Erasure.objects.select_for_update().get(id=job.erasure_id)
    job.cursor, deleted = _look_at(span, job.cursor, erasure.person_id, names)
    if deleted:
        table = _table_of(span)
        erasure.counts[table] = erasure.counts.get(table, 0) + deleted
        erasure.save(update_fields=["counts"])
    if job.cursor is None:
        job.at_span += 1
    return False


def _finish(job: ErasureJob) -> None:
    """Nothing is left of the person: neither is what was looked for."""
    erasure = Erasure.objects.get(id=job.erasure_id)
    erasure.state, erasure.finished_at = ErasureState.ERASED, timezone.now()
    erasure.save(update_fields=["state", "finished_at"])
    rows = sum(erasure.counts.values())
    audit(actor=None, action="person_erased", subject=f"Person {erasure.person_id}", after={"rows": rows})
    job.delete()


# -- where to look --------------------------------------------------------------------------------------------


def _spans() -> list[Span]:
    """All that has to be looked at. Files come first: importing one writes to a log."""
    spans: list[Span] = [[f"{_FILE}{number}", [start], [end]] for number, start, end in stored_files()]
    for table in LOGS:
        span: Span = [table, [], []]
        first = _key(table, "", {}, "ASC")
        if first is not None:
            span[1], span[2] = [*first[:-1], first[-1] - 1], _last_key(span)
            spans.append(span)
    return spans


def _last_key(span: Span) -> list[int]:
    place, _, last = span
    if place.startswith(_FILE):
        return list(last)
    return _key(place, "", {}, "DESC") or list(last)


def _table_of(span: Span) -> str:
    return "imports_importpiece" if span[0].startswith(_FILE) else str(span[0])


def _model(table: str) -> type[TenantModel]:
    return next(model for model in apps.get_models() if model._meta.db_table == table)  # type: ignore[return-value]


def _key_columns(table: str) -> tuple[str, ...]:
    return ("run_id", "number") if table == RunEntry._meta.db_table else ("id",)


def _key(table: str, condition: str, values: dict[str, Any], order: str, skip: int = 0) -> list[int] | None:
    """The key of a row, in the order of keys."""
    columns = _key_columns(table)
    ordered = ", ".join(f"t.{column} {order}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY)
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM {table} t WHERE t.tenant_id = %(tenant)s {condition} "
            f"ORDER BY {ordered} OFFSET {skip} LIMIT 1",
            {"tenant": current_tenant_id(), **values},
        )
        row = cursor.fetchone()
    return list(row) if row else None


# -- looking --------------------------------------------------------------------------------------------------


def _look_at(span: Span, cursor: list[int], person_id: int, names: Sequence[str]) -> tuple[list[int] | None, int]:
    """Take the person out of the next rows of a span; where to go on (None: that was its end), and how many went."""
    place, _, last = span
    if place.startswith(_FILE):
        position, found = blank_rows(int(place.removeprefix(_FILE)), names, position=cursor[0], most=_ROWS)
        return None if position is None else [position], found
    key = f"({', '.join(f't.{column}' for column in _key_columns(place))})"
    values = {"after": tuple(cursor), "last": tuple(last)}
    between = f"AND {key} > %(after)s AND {key} <= %(last)s"
    end = _key(place, between, values, "ASC", skip=_ROWS - 1)
    deleted = _delete_between(place, between, {**values, "last": tuple(end or last)}, person_id, names)
    return end, deleted


def _delete_between(table: str, between: str, values: dict[str, Any], person_id: int, names: Sequence[str]) -> int:
    wanted = [name.lower() for name in names if len(name) >= _SHORTEST]
    model = _model(table)
    tests = tests_of_person(model)
    texts = [column for column, field in columns_of(model).items() if isinstance(field, _TEXTUAL)]
    if wanted and texts:
        whole = " || ' ' || ".join(f"coalesce(t.\"{column}\"::text, '')" for column in texts)
        tests.append(f"EXISTS (SELECT 1 FROM unnest(%(wanted)s) n (name) WHERE strpos(lower({whole}), n.name) > 0)")
    if model is SyncError:
        candidate = "jsonb_build_object('candidates', jsonb_build_array(jsonb_build_object('id', %(id)s)))"
        tests.append(f"t.details @> {candidate}")
    if not tests:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} t WHERE t.tenant_id = %(tenant)s {between} AND ({' OR '.join(tests)})",
            {
                "tenant": current_tenant_id(), "id": person_id, "names": list(names), "wanted": wanted, **values
            },
        )  # fmt: skip
        return int(cursor.rowcount)
