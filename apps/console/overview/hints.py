"""Hints for the usual troubles (G08): what causes each, and what of it can be seen in this account."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from apps.console.overview.pulse import Pulse
from apps.field_mappings.models import FieldMapping, SyncStep
from apps.integrations.models import Connection
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.sync_settings.models import SyncSettings

_OFF = Q(way_in="off", way_out="off")


@dataclass(frozen=True, slots=True)
class Trouble:
    """A trouble in the words in which it is felt, its usual causes, and what was found here (empty: nothing)."""

    title: str
    causes: tuple[str, ...]
    found: str
    button: str
    url: str


def usual_troubles(connection: Connection, settings: SyncSettings, pulse: Pulse) -> list[Trouble]:
    """The five troubles; those that show here come first."""
    steps = SyncStep.objects.filter(profile__connection=connection, profile__is_active=True)
    mappings = FieldMapping.objects.filter(step__in=steps.filter(is_enabled=True))
    found = [
        _nothing_syncs(steps.filter(is_enabled=True).exists(), mappings.exclude(_OFF).exists()),
        _missing_field(mappings.exclude(paused_reason="").count()),
        _twice(),
        _old_values(settings, pulse),
        _wrong_value(mappings.filter(Q(way_in="fill") | Q(way_out="fill")).count()),
    ]
    return sorted(found, key=lambda one: not one.found)


def _nothing_syncs(has_steps: bool, has_ways: bool) -> Trouble:
    gate = why_nothing_synced()
    found = ""
    if gate is not None and gate.run_id is None:
        found = f"{gate.title}. {gate.text}"
    elif not has_steps:
        found = "No sync step is enabled."
    elif not has_ways:
        found = "Every mapping is off both ways, so no value has a direction."
    return Trouble(
        "Nothing syncs",
        (
            "“Syncs Enabled” is off, or no full sync has run yet.",
            "The object's step is off, or has no direction: neither into Syncline nor to Salesforce.",
            "The step's filter leaves the record out.",
        ),
        found,
        "Open the sync settings",
        reverse("console:sync-settings"),
    )


def _missing_field(paused: int) -> Trouble:
    found = f"{paused} mapping{' is' if paused == 1 else 's are'} paused; the page says why." if paused else ""
    return Trouble(
        "A field stays empty",
        (
            "It is not mapped: only mapped fields are read.",
            "The sync user may not see it in Salesforce (field-level security).",
            "It is empty there, and empty fields are not allowed to overwrite.",
        ),
        found,
        "Look at the mappings",
        reverse("console:salesforce-object", args=["lead"]),
    )


def _twice() -> Trouble:
    errors = SyncError.objects.filter(state__in=LIVE_STATES, category="ambiguous_match").count()
    found = f"{errors} row{' fits' if errors == 1 else 's fit'} several records here." if errors else ""
    return Trouble(
        "Somebody is there twice",
        (
            "People are matched by link, external id, then e-mail. Without an e-mail, nothing ties two rows.",
            "Two rows in Salesforce carry different addresses of the same human being.",
            "A lead and a contact are one person here as soon as their e-mail is the same; the contact then leads.",
        ),
        found,
        "See rows that fit several",
        reverse("console:errors-list") + "?category=ambiguous_match",
    )


def _old_values(settings: SyncSettings, pulse: Pulse) -> Trouble:
    found = ""
    if pulse.is_late:
        found = f"Changes of the last {pulse.lag} are not in yet, which is longer than your frequency explains."
    elif settings.syncs_enabled and not settings.frequency_minutes:
        found = "The frequency is “Manual only”: changes come when you start a sync."
    return Trouble(
        "Values are old",
        (
            "The frequency decides how long a change may wait; a shorter one costs more API calls.",
            "The API budget is spent, so that only essential work goes on.",
            "A change waits with an error, and is tried again later.",
        ),
        found,
        "Change the frequency",
        reverse("console:sync-settings"),
    )


def _wrong_value(fills: int) -> Trouble:
    found = f"{fills} mapping{' only fills' if fills == 1 else 's only fill'} empty fields." if fills else ""
    return Trouble(
        "The wrong value is kept",
        (
            "“Fill” writes only into an empty field; “overwrite” always does.",
            "Both sides changed: the mapping's winner decided. The other value is kept in the activity log.",
            "A field that only comes in is restored from Salesforce when it is edited here.",
        ),
        found,
        "Look at the mappings",
        reverse("console:salesforce-object", args=["contact"]),
    )
