"""The lanes of pulls: fetch and apply of full runs, and the one of differential runs."""

import time
from datetime import timedelta

import structlog
from django.utils import timezone

from apps.core.queue import wake
from apps.core.served import giving_way, is_to_give_way
from apps.domain.failures import Failure
from apps.integrations.gateways import Gateway, open_gateway
from apps.sync.conversions import join_conversions
from apps.sync.lanes import CHUNK_SECONDS, Hold
from apps.sync.models import ObjectStage, RunKind, RunLane, RunObject, RunPage, RunState, Schedule, SyncRun, Watermark
from apps.sync.pull.differential import pull_changes
from apps.sync.pull.fetch import SOON, next_step, plan_run
from apps.sync.pull.pieces import Piece, apply_piece
from apps.sync.pull.staging import drop_page
from apps.sync.pull.sweep import all_done, compare, plan_sweep, take_inventory
from apps.sync.replanning import run_to_advance
from apps.sync.schedules import begin_schedule
from apps.sync.services import LANES, wake_run
from apps.sync.telling import tell_end
from apps.sync_settings.models import SyncSettings
from apps.tenants.scope import tenant_transaction

log = structlog.get_logger(__name__)

_MOMENT = 0.03
_MOMENTS = 10
"""How often a lane looks again at once for what another is about to bring."""

_ASIDE = timedelta(seconds=1)


# -- fetching -------------------------------------------------------------------------------------------------


def fetch_lane(hold: Hold) -> timedelta | None:
    with tenant_transaction(hold.tenant_id):
        run = SyncRun.objects.get(id=hold.run_id)
    if run.state != RunState.RUNNING:
        return None
    deadline = time.monotonic() + CHUNK_SECONDS
    with open_gateway(hold.tenant_id, run.connection_id, purpose=hold.name) as gateway:
        if run.mapping_version_id is None:
            plan_run(hold, gateway)
        delay: timedelta | None = timedelta()
        while delay == timedelta() and time.monotonic() < deadline:
            if _is_cancelled(hold):
                return None
            delay = next_step(hold, gateway)
        if delay is None:
            _clean_up(hold, gateway)
    return delay


def _clean_up(hold: Hold, gateway: Gateway) -> None:
    """Finished jobs are removed from the org; one that is gone already is as good."""
    with tenant_transaction(hold.tenant_id):
        jobs = list(
            RunObject.objects.filter(run_id=hold.run_id, is_done=True)
            .exclude(job_id="")
            .values_list("job_id", flat=True)
        )
    for job_id in jobs:
        try:
            gateway.bulk.delete(job_id)
        except Failure as failure:
            log.info("job_not_deleted", job=job_id, category=failure.category)


def _is_cancelled(hold: Hold) -> bool:
    with tenant_transaction(hold.tenant_id):
        return bool(SyncRun.objects.filter(id=hold.run_id).exclude(state=RunState.RUNNING).exists())


# -- applying -------------------------------------------------------------------------------------------------


def apply_lane(hold: Hold) -> timedelta | None:
    deadline = time.monotonic() + CHUNK_SECONDS
    idle = 0
    while time.monotonic() < deadline and idle < _MOMENTS:
        with giving_way(hold.tenant_id), tenant_transaction(hold.tenant_id):
            hold.check()
            run = SyncRun.objects.get(id=hold.run_id)
            if run.state == RunState.CANCELLING:
                end_run(hold, RunState.CANCELLED, "")
                return None
            if run.state != RunState.RUNNING:
                return None
            objects = list(RunObject.objects.filter(run=run).order_by("position"))
            current = next((o for o in objects if not o.is_done), None)
            if current is None:
                if run.mapping_version_id is None:
                    return SOON
                end_run(hold, RunState.COMPLETED, "")
                return None
            piece = apply_piece(run, current)
            is_over = piece is Piece.NONE and current.stage == ObjectStage.FETCHED
            if is_over:
                _finish_object(run, current)
            elif piece is Piece.NONE and current.stage != ObjectStage.FETCHING:
                return SOON
        idle = 0 if is_over or piece is Piece.APPLIED else idle + 1
        if idle:
            time.sleep(_MOMENT)
    return SOON if idle else timedelta()


def assist_lane(hold: Hold) -> timedelta | None:
    """A second pair of hands for large pages: the other half of what the lane of applying is at. It steps aside for
    other tenants: on a machine of few processors they would wait for it."""
    deadline = time.monotonic() + CHUNK_SECONDS
    idle = 0
    while time.monotonic() < deadline and idle < _MOMENTS:
        if is_to_give_way(hold.tenant_id):
            return _ASIDE
        with tenant_transaction(hold.tenant_id):
            hold.check()
            run = SyncRun.objects.get(id=hold.run_id)
            if run.state != RunState.RUNNING:
                return None
            current = RunObject.objects.filter(run=run, is_done=False).order_by("position").first()
            if current is None:
                return SOON
            piece = apply_piece(run, current, halves_only=True)
            if piece is Piece.NONE and current.stage != ObjectStage.FETCHING:
                return SOON
        idle = 0 if piece is Piece.APPLIED else idle + 1
        if idle:
            time.sleep(_MOMENT)
    return SOON if idle else timedelta()


def _finish_object(run: SyncRun, run_object: RunObject) -> None:
    RunObject.objects.filter(id=run_object.pk).update(is_done=True, finished_at=timezone.now())
    following = RunObject.objects.filter(run=run, position__gt=run_object.position, is_done=False).order_by("position")
    upcoming = following.first()
    SyncRun.objects.filter(id=run.pk).update(step=f"Syncing {upcoming.label}" if upcoming else "Finishing")


def end_run(hold: Hold, state: RunState, failure: str) -> None:
    """Close the run; a complete one moves the watermarks to the org time at which it began."""
    now = timezone.now()
    run = SyncRun.objects.select_for_update().get(id=hold.run_id)
    join_conversions(run, at=now)
    run.state, run.failure, run.finished_at = state, failure, now
    run.step, run.waiting_reason = "", ""
    run.save()
    RunLane.objects.filter(run=run).update(is_done=True, lease_until=None)
    for page in RunPage.objects.filter(run_object__run=run, is_applied=False).exclude(table=""):
        drop_page(page.table)
    if state is RunState.COMPLETED and run.kind == RunKind.OBJECT:
        _begin_watermarks(run)
    if state is RunState.COMPLETED and run.kind in {RunKind.FULL, RunKind.DIFFERENTIAL}:
        _move_watermarks(run)
        wake("apps.sync.tasks.push_with_sync", run.tenant_id or 0, queue="routine")
    tell_end(run)


def _move_watermarks(run: SyncRun) -> None:
    """What a full run read is known up to the org's time at its beginning; what Bulk brought to a differential one,
    up to the end of its window. A full run asks for rows that are there: those that were deleted since the watermark
    it moves are found by comparing, at once."""
    is_full = run.kind == RunKind.FULL
    is_first = not Watermark.objects.filter(connection_id=run.connection_id).exists()
    for run_object in RunObject.objects.filter(run=run, stage=ObjectStage.FETCHED):
        covered_to = run.org_started_at if is_full else run_object.window_to
        if covered_to is not None:
            Watermark.objects.update_or_create(
                connection_id=run.connection_id,
                sobject=run_object.sobject,
                defaults={"covered_to": covered_to, "run_id": run.pk},
            )
    settings = SyncSettings.objects.get(connection_id=run.connection_id)
    if is_full:
        begin_schedule(run.connection_id, settings, sweeps_now=not is_first)
    else:
        Schedule.objects.filter(connection_id=run.connection_id).update(last_differential_at=run.started_at)


def _begin_watermarks(run: SyncRun) -> None:
    """An object that was mapped after the full sync joins the differential ones. No watermark moves: a question
    without deleted rows must not make them forgotten."""
    if run.org_started_at is None or not Watermark.objects.filter(connection_id=run.connection_id).exists():
        return
    for run_object in RunObject.objects.filter(run=run, stage=ObjectStage.FETCHED):
        Watermark.objects.get_or_create(
            connection_id=run.connection_id,
            sobject=run_object.sobject,
            defaults={"covered_to": run.org_started_at, "run_id": run.pk},
        )


# -- differential ---------------------------------------------------------------------------------------------


def pull_lane(hold: Hold) -> timedelta | None:
    """A differential run: small answers at once; a large object is handed to the lanes of full runs."""
    run = run_to_advance(hold)
    if run is None:
        return None
    with open_gateway(hold.tenant_id, run.connection_id, purpose=hold.name) as gateway:
        is_in = pull_changes(hold, gateway)
    with tenant_transaction(hold.tenant_id):
        hold.check()
        if is_in:
            end_run(hold, RunState.COMPLETED, "")
            return None
        for name in LANES[RunKind.FULL]:
            RunLane.objects.get_or_create(run=run, name=name)
        RunLane.objects.filter(id=hold.lane_id).update(is_done=True)
        wake_run(run)
    return None


# -- sweep ----------------------------------------------------------------------------------------------------


def sweep_lane(hold: Hold) -> timedelta | None:
    """A sweep: ids and stamps by Bulk, compared with the links, and repaired."""
    deadline = time.monotonic() + CHUNK_SECONDS
    run = run_to_advance(hold)
    if run is None:
        return None
    with tenant_transaction(hold.tenant_id):
        is_planned = RunObject.objects.filter(run=run).exists()
    with open_gateway(hold.tenant_id, run.connection_id, purpose=hold.name) as gateway:
        if not is_planned:
            plan_sweep(hold, gateway)
        delay: timedelta | None = timedelta()
        while time.monotonic() < deadline:
            if take_inventory(hold) or compare(hold, gateway):
                continue
            if all_done(hold):
                _clean_up(hold, gateway)
                with tenant_transaction(hold.tenant_id):
                    hold.check()
                    Schedule.objects.filter(connection_id=run.connection_id).update(last_sweep_at=timezone.now())
                    end_run(hold, RunState.COMPLETED, "")
                return None
            delay = next_step(hold, gateway)
            if delay:
                return delay
    return timedelta()
