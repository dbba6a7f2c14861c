"""Why a page is empty, and the one thing that helps."""

from dataclasses import dataclass

from apps.field_mappings.models import Profile, StepKind, SyncStep
from apps.integrations.models import Connection, ConnectionState
from apps.sync.models import OPEN_RUN_STATES, RunKind, RunState, SyncRun
from apps.sync_settings.models import SyncSettings


@dataclass(frozen=True, slots=True)
class Hint:
    """Words for an empty page; ``page`` names the page whose button helps, ``run_id`` the run it is about."""

    title: str
    text: str
    button: str
    page: str
    run_id: int | None = None


def why_nothing_synced() -> Hint | None:
    """The first gate that stays closed on the way from Salesforce to here; None when nothing is in the way."""
    connection = Connection.objects.exclude(state=ConnectionState.DISCONNECTED).first()
    if connection is None:
        return Hint(
            "Salesforce is not connected",
            "Connect it, and this page fills by itself.",
            "Connect Salesforce",
            "console:hub",
        )
    if connection.state == ConnectionState.NEEDS_RECONNECT:
        return Hint(
            "Salesforce has to be reconnected",
            "Salesforce no longer accepts our access, so nothing is synced.",
            "Reconnect",
            "console:salesforce",
        )
    run = SyncRun.objects.filter(connection_id=connection.pk, state__in=OPEN_RUN_STATES).order_by("-id").first()
    if run is not None:
        return Hint(
            "A sync is under way",
            "Records appear here as they arrive.",
            "Watch it",
            "console:log-run",
            run.pk,
        )
    return _closed_switch(connection)


def _closed_switch(connection: Connection) -> Hint | None:
    if not SyncSettings.objects.filter(connection=connection, syncs_enabled=True).exists():
        return Hint(
            "Syncs are switched off",
            "The connection stands, but nothing flows until syncs are enabled.",
            "Open the sync settings",
            "console:sync-settings",
        )
    profile = Profile.objects.filter(connection=connection, is_active=True).first()
    pulling = SyncStep.objects.filter(profile=profile, kind=StepKind.RECORD, is_enabled=True).exclude(direction="push")
    if profile is not None and not pulling.exists():
        return Hint(
            "No step brings anything in",
            "Every step is switched off, or writes to Salesforce only.",
            "Open the steps",
            "console:profiles",
        )
    done = SyncRun.objects.filter(connection_id=connection.pk, kind=RunKind.FULL, state=RunState.COMPLETED)
    if not done.exists():
        return Hint(
            "No full sync has run yet",
            "The first full sync brings in everything that is there. Later syncs bring in what changes.",
            "Run a Full Sync",
            "console:sync-settings",
        )
    return None
