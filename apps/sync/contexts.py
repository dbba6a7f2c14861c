"""The context of a batch, from the run, its frozen mapping version and the settings."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from apps.audience.models import Owner
from apps.domain.decider import BlankPolicy
from apps.domain.mapping import Step
from apps.domain.owning import OwnerPolicy
from apps.domain.reconcile import Policy
from apps.domain.relative_dates import has_relative, resolved
from apps.field_mappings.models import MappingVersion
from apps.field_mappings.versions import load_steps
from apps.sync.drafts import Context
from apps.sync.models import RunKind, SyncRun, Watermark
from apps.sync_settings.models import SyncSettings
from apps.tenants.models import Tenant


@lru_cache(maxsize=256)
def _steps(version_id: int) -> tuple[Step, ...]:
    """A version never changes, so a process may keep it."""
    return tuple(load_steps(MappingVersion.objects.get(id=version_id).document))


def steps_of(run: SyncRun) -> tuple[Step, ...]:
    """The steps of the version that the run works with."""
    if run.mapping_version_id is None:
        return ()
    return as_of(_steps(run.mapping_version_id), run.queued_at)


def as_of(steps: tuple[Step, ...], moment: datetime) -> tuple[Step, ...]:
    """The steps with the days that the dates of their filters mean at a moment."""
    if not has_relative(step.inbound_filter for step in steps):
        return steps
    return tuple(
        replace(step, inbound_filter=resolved(step.inbound_filter, moment, _zone(step.zone))) for step in steps
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, ZoneInfoNotFoundError):
        return UTC


def external_prefix(tenant_id: int) -> str:
    """What the external ids of a tenant's records begin with: ids of another tenant or installation, met in an org
    that was synced before, must not be taken for ours."""
    born = Tenant.objects.get(id=tenant_id).created_at
    return hashlib.sha256(f"{tenant_id}:{born.isoformat()}".encode()).hexdigest()[:10]


def policy_of(settings: SyncSettings) -> Policy:
    """The settings that the decider reads."""
    return Policy(
        blanks=BlankPolicy(into_local=settings.blank_in, into_remote=settings.blank_out),
        takes_opt_out=settings.opt_out_in,
        gives_opt_out=settings.opt_out_out,
        person_accounts=settings.person_accounts,
    )


def owner_policy(settings: SyncSettings) -> OwnerPolicy:
    """Who owns what its owner here cannot own there."""
    inactive = Owner.objects.filter(is_active=False).values_list("remote_id", flat=True)
    return OwnerPolicy(settings.fallback_owner, settings.lead_assignment, frozenset(inactive))


def context_of(run: SyncRun, sobject: str, *, settings: SyncSettings | None = None) -> Context:
    """The context for rows of ``sobject``. Raises LookupError where no step concerns it."""
    steps = tuple(step for step in steps_of(run) if step.sobject == sobject)
    if not steps:
        raise LookupError(f"no step for {sobject}")
    now = timezone.now()
    row = settings or SyncSettings.objects.get(connection_id=run.connection_id)
    return Context(
        connection_id=run.connection_id,
        run_id=run.pk,
        sobject=sobject,
        local_type=steps[0].local_type,
        steps=steps,
        policy=policy_of(row),
        now=now,
        external_prefix=external_prefix(run.tenant_id or 0),
        clock_offset=timedelta(seconds=run.clock_offset),
        is_bulk=run.kind == RunKind.FULL,
        is_backfill=_is_backfill(run, sobject),
    )


def _is_backfill(run: SyncRun, sobject: str) -> bool:
    """Whether a run brings the rows of an sObject that has never been in whole."""
    if run.kind not in {RunKind.FULL, RunKind.OBJECT}:
        return False
    return not Watermark.objects.filter(connection_id=run.connection_id, sobject=sobject).exists()
