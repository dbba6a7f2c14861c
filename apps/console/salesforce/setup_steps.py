"""The setup checklist (A08): five steps, each ticked by what is true and not by a click."""

from dataclasses import dataclass

from django.db.models import Max, QuerySet
from django.urls import reverse

from apps.integrations.models import Connection
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunState, SyncRun
from apps.sync_settings.services import settings_of
from apps.tenants.models import AuditEntry

_LOOKED = (
    "mappings_reviewed",
    "mapping_added",
    "mappings_changed",
    "mappings_removed",
    "step_changed",
    "step_turned",
    "filter_changed",
    "profile_switched",
)
"""What only somebody does who has looked at the mappings."""


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One step with the page where it is done; an optional one is never the next."""

    key: str
    title: str
    detail: str
    url: str
    is_done: bool
    is_optional: bool = False


def setup_steps(connection: Connection | None) -> list[SetupStep]:
    """The five steps in their order. Settings and mappings count as reviewed when they were saved, or when the
    first full sync was started with them as they are."""
    is_connected = connection is not None and connection.is_usable
    latest = _latest_by_state(connection) if connection is not None else {}
    has_run, has_synced = bool(latest), RunState.COMPLETED in latest
    under_way = max((pk for state, pk in latest.items() if state in OPEN_RUN_STATES), default=None)
    has_saved = connection is not None and settings_of(connection).version > 1
    has_looked = AuditEntry.objects.filter(action__in=_LOOKED).exists()
    home, settings = reverse("console:salesforce"), reverse("console:sync-settings")
    mappings = reverse("console:salesforce-object", args=["lead"])
    return [
        SetupStep("connect", "Connect Salesforce", "Log in as the sync user and press Allow.", home, is_connected),
        SetupStep("settings", "Review the settings", "What may flow, and how much.", settings, has_saved or has_run),
        SetupStep("mappings", "Review the mappings", "Which field goes where.", mappings, has_looked or has_run),
        SetupStep("full_sync", "Run a full sync", "Bring everything in once.", f"{settings}#full-sync", has_synced)
        if under_way is None
        else SetupStep("full_sync", "Watch the full sync", "It is under way.", _run(under_way), has_synced),
        SetupStep(
            "panel",
            "Add the panel in Salesforce",
            "See engagement beside each lead and contact. Optional; installs our fields, too.",
            reverse("console:salesforce-package"),
            is_done=connection is not None and connection.has_package,
            is_optional=True,
        ),
    ]


def next_step(steps: list[SetupStep]) -> SetupStep | None:
    """The first step that is still to be done; None when setup is complete."""
    return next((step for step in steps if not step.is_done and not step.is_optional), None)


def last_full_sync(connection: Connection) -> SyncRun | None:
    """The latest full sync that came to its end."""
    found: SyncRun | None = _full_syncs(connection).filter(state=RunState.COMPLETED).order_by("-finished_at").first()
    return found


def _latest_by_state(connection: Connection) -> dict[str, int]:
    """The latest full sync in each state that one is in."""
    return dict(_full_syncs(connection).order_by().values_list("state").annotate(Max("id")))


def _run(run_id: int) -> str:
    return reverse("console:log-run", args=[run_id])


def _full_syncs(connection: Connection) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(connection_id=connection.pk, kind=RunKind.FULL)
