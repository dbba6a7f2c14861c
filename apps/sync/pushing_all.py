"""Queueing all records that a step writes, chunk by chunk: "Push all that match"."""

import time
from typing import Any

from django.utils import timezone

from apps.field_mappings.models import FieldMapping, SyncStep
from apps.integrations.jobs import Claim, claim_job, settle_job
from apps.integrations.models import ConnectionJob
from apps.outbox.queue import queue_changes
from apps.sync.selectors.effects import records_of
from apps.tenants.scope import tenant_transaction

_ROWS = 1_000
_CHUNK_SECONDS = 5.0


def push_all(tenant_id: int, job_id: int) -> None:
    """Do one chunk of such a job; harmless when it is done. The push itself looks at filters and what differs; that a
    record is queued says nothing of when it changed."""
    claim = claim_job(tenant_id, job_id)
    if claim is None:
        return
    until = time.monotonic() + _CHUNK_SECONDS
    while True:
        with tenant_transaction(tenant_id):
            is_done = _queue_some(claim)
        if is_done or time.monotonic() > until:
            settle_job(claim, is_done=is_done)
            return


def _queue_some(claim: Claim) -> bool:
    """Queue the next records; True when none is left, or the step is gone."""
    job = ConnectionJob.objects.select_for_update().filter(id=claim.job_id, fence=claim.fence).first()
    step = SyncStep.objects.filter(id=job.subject.get("step")).first() if job is not None else None
    if job is None or step is None:
        return True
    fields = list(FieldMapping.objects.filter(step=step).exclude(way_out="off").values_list("local_field", flat=True))
    after = int(job.result.get("after", 0))
    ids = list(_concerned(step).filter(id__gt=after).order_by("id").values_list("id", flat=True)[:_ROWS])
    if not ids or not fields:
        return True
    queue_changes(local_type=step.local_type, changes=dict.fromkeys(ids, fields), origin="reconcile", at=timezone.now())
    job.result = {"after": ids[-1], "queued": int(job.result.get("queued", 0)) + len(ids)}
    job.save(update_fields=["result"])
    return len(ids) < _ROWS


def _concerned(step: SyncStep) -> Any:
    """Active records that are linked with a row of the step's sObject, and those without a row where it makes some."""
    rows = records_of(step.local_type).filter(is_active=True)
    places = [step.sobject, ""] if step.create_remote else [step.sobject]
    return rows.filter(leading_sobject__in=places)
