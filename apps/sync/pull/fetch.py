"""Fetch: ask by Bulk 2.0, look whether the answer is ready, bring pages into staging; one short step at a time."""

import tempfile
from datetime import timedelta
from typing import IO

from django.db.models import QuerySet
from django.utils import timezone

from apps.core.served import giving_way
from apps.domain.failures import Category, Failure, JobLost, MappingBroken, Transient
from apps.field_mappings.versions import load_steps, save_version
from apps.integrations.gateways import Gateway
from apps.integrations.metadata import refresh_metadata
from apps.integrations.models import Connection, ObjectMetadata
from apps.sync.contexts import steps_of
from apps.sync.lanes import Hold
from apps.sync.models import ObjectStage, RunObject, RunPage, SyncRun
from apps.sync.owners import sync_owners
from apps.sync.pull.plan import questions
from apps.sync.pull.staging import stage_page
from apps.sync.replanning import plan_anew
from apps.sync_settings.services import settings_of
from apps.tenants.scope import tenant_transaction

PAGE_ROWS = 10_000
AHEAD = 12
"""Pages that may wait for being applied: a bound on disk, not on speed."""

_IN_MEMORY = 48 * 1024 * 1024
_MOST_JOBS = 3
SOON = timedelta(milliseconds=300)
LATER = timedelta(seconds=2)
LONGEST = timedelta(hours=2)
"""After so long a job is taken for one that never ends; Salesforce itself gives up on slow ones sooner."""


def plan_run(hold: Hold, gateway: Gateway) -> None:
    """Refresh metadata, freeze the mapping version, write down what will be asked; org time is taken before."""
    with tenant_transaction(hold.tenant_id):
        connection_id = SyncRun.objects.get(id=hold.run_id).connection_id
    org_time = gateway.org_time()
    refresh_metadata(hold.tenant_id, connection_id)
    with tenant_transaction(hold.tenant_id):
        hold.check()
        run = SyncRun.objects.select_for_update().get(id=hold.run_id)
        connection = Connection.objects.get(id=connection_id)
        sync_owners(connection)
        version, settings = save_version(connection), settings_of(connection)
        metadata = list(ObjectMetadata.objects.filter(connection=connection))
        asked = questions(
            load_steps(version.document),
            metadata,
            with_campaigns=settings.sync_members and not settings.group_edition,
            person_accounts=settings.person_accounts,
        )
        asked = [question for question in asked if not run.sobjects or question.sobject in run.sobjects]
        for position, question in enumerate(asked):
            RunObject.objects.create(
                run=run,
                position=position,
                sobject=question.sobject,
                label=question.label,
                columns=list(question.columns),
                soql=question.soql,
            )
        run.mapping_version_id, run.settings_version = version.pk, settings.version
        run.org_started_at, run.step = org_time, "Asking Salesforce"
        run.save()


def next_step(hold: Hold, gateway: Gateway) -> timedelta | None:
    """Do one step of fetching; answers when to look again, or None when everything has been fetched."""
    with tenant_transaction(hold.tenant_id):
        objects = list(RunObject.objects.filter(run_id=hold.run_id).order_by("position"))
        waiting = _staged(RunPage.objects.filter(run_object__in=objects, is_applied=False)).count()
    for run_object in objects:
        if run_object.stage == ObjectStage.WAITING:
            _ask(hold, gateway, run_object)
            return timedelta()
    open_ones = [o for o in objects if o.stage in {ObjectStage.ASKED, ObjectStage.FETCHING}]
    if not open_ones:
        return None
    if waiting >= AHEAD:
        return SOON
    first = open_ones[0]
    if first.stage == ObjectStage.ASKED:
        return _look(hold, gateway, first)
    return _bring_page(hold, gateway, first)


def _ask(hold: Hold, gateway: Gateway, run_object: RunObject) -> None:
    try:
        job = gateway.bulk.create(run_object.soql, include_deleted=run_object.window_to is not None)
    except (MappingBroken, Failure) as failure:
        if isinstance(failure, Transient):
            raise
        if failure.category is Category.FIELD_GONE and run_object.job_generation < _MOST_JOBS:
            _ask_without(hold, run_object)
            return
        if failure.category not in {Category.FIELD_GONE, Category.OBJECT_GONE, Category.BULK_UNSUPPORTED}:
            raise
        _leave_out(hold, run_object, failure)
        return
    _save(hold, run_object, stage=ObjectStage.ASKED, job_id=job.id, started_at=timezone.now())


def _ask_without(hold: Hold, run_object: RunObject) -> None:
    """A field went after the run was planned: its mapping pauses with the reason, and the others are asked for."""
    plan_anew(hold)
    with tenant_transaction(hold.tenant_id):
        run = SyncRun.objects.get(id=hold.run_id)
        metadata = list(ObjectMetadata.objects.filter(connection_id=run.connection_id))
        steps = list(steps_of(run))
        person_accounts = settings_of(Connection.objects.get(id=run.connection_id)).person_accounts
    found = questions(steps, metadata, with_campaigns=True, person_accounts=person_accounts)
    asked = next((question for question in found if question.sobject == run_object.sobject), None)
    if asked is not None:
        generation = run_object.job_generation + 1
        _save(hold, run_object, soql=asked.soql, columns=list(asked.columns), job_generation=generation)


def _leave_out(hold: Hold, run_object: RunObject, failure: Failure) -> None:
    note = f"{run_object.label} was left out: {failure.message.strip().splitlines()[-1]}"
    with tenant_transaction(hold.tenant_id):
        hold.check()
        run = SyncRun.objects.select_for_update().get(id=hold.run_id)
        run.warnings = [*run.warnings, note]
        run.save(update_fields=["warnings"])
        RunObject.objects.filter(id=run_object.pk).update(
            stage=ObjectStage.SKIPPED, is_done=True, note=note, finished_at=timezone.now()
        )


def _look(hold: Hold, gateway: Gateway, run_object: RunObject) -> timedelta:
    try:
        job = gateway.bulk.look(run_object.job_id)
        if job.is_lost:
            raise JobLost(Category.JOB_FAILED, job.message or f"The Bulk job ended as {job.state}.")
    except JobLost as failure:
        _ask_anew(hold, run_object, failure)
        return timedelta()
    if not job.is_complete:
        waited = timezone.now() - (run_object.started_at or timezone.now())
        if waited > LONGEST:
            gateway.bulk.abort(run_object.job_id)
            _ask_anew(hold, run_object, JobLost(Category.JOB_FAILED, "The Bulk job did not end."))
            return timedelta()
        return SOON if waited < timedelta(seconds=20) else LATER
    _save(hold, run_object, stage=ObjectStage.FETCHING, expected=job.rows)
    return timedelta()


def _ask_anew(hold: Hold, run_object: RunObject, failure: Failure) -> None:
    """A lost job is asked again; its pages that are applied stay, since applying a row twice changes nothing."""
    if run_object.job_generation + 1 >= _MOST_JOBS:
        _leave_out(hold, run_object, failure)
        return
    with tenant_transaction(hold.tenant_id):
        hold.check()
        RunPage.objects.filter(run_object=run_object).delete()
        RunObject.objects.filter(id=run_object.pk).update(
            stage=ObjectStage.WAITING, job_generation=run_object.job_generation + 1, job_id="",
            fetched=0, created=0, updated=0, unchanged=0, skipped=0, failed=0, skip_reasons={},
        )  # fmt: skip


def _bring_page(hold: Hold, gateway: Gateway, run_object: RunObject) -> timedelta:
    """Download the next page outside any transaction, then stage it and its ledger row in one."""
    with tenant_transaction(hold.tenant_id):
        pages = {page.number: page for page in _staged(RunPage.objects.filter(run_object=run_object))}
    number = next(n for n in range(1, len(pages) + 2) if n not in pages)
    locator = pages[number - 1].next_locator if number > 1 else ""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
        try:
            with gateway.bulk.page(run_object.job_id, locator=locator, max_records=PAGE_ROWS) as page:
                while chunk := page.stream.read(1 << 20):
                    body.write(chunk)
        except JobLost as failure:
            _ask_anew(hold, run_object, failure)
            return timedelta()
        body.seek(0)
        _stage(hold, run_object, number, locator, page.next_locator, page.rows, body)
    return timedelta()


def _staged(pages: QuerySet[RunPage]) -> QuerySet[RunPage]:
    """Without those that a crash emptied, which are to be fetched again."""
    return pages.exclude(table="")


def _stage(
    hold: Hold, run_object: RunObject, number: int, locator: str, following: str, rows: int, body: IO[bytes]
) -> None:
    table = f"t{hold.tenant_id}_r{hold.run_id}_o{run_object.pk}_p{number}"
    with giving_way(hold.tenant_id), tenant_transaction(hold.tenant_id):
        hold.check()
        staged = stage_page(table, run_object.columns, body)
        if staged != rows:
            raise Transient(Category.UNAVAILABLE, f"A page held {staged} rows instead of {rows}.")
        RunPage.objects.update_or_create(
            run_object=run_object,
            number=number,
            defaults={"locator": locator, "next_locator": following, "table": table, "rows": rows},
        )
        row = RunObject.objects.select_for_update().get(id=run_object.pk)
        row.fetched += rows
        known = set(_staged(RunPage.objects.filter(run_object=run_object)).values_list("number", flat=True))
        last_is_in = RunPage.objects.filter(run_object=run_object, next_locator="").exists()
        if last_is_in and len(known) == max(known):
            row.stage = ObjectStage.FETCHED
        row.save(update_fields=["fetched", "stage"])


def _save(hold: Hold, run_object: RunObject, **fields: object) -> None:
    with tenant_transaction(hold.tenant_id):
        hold.check()
        RunObject.objects.filter(id=run_object.pk).update(**fields)
