"""Steps as others read them: what is not for the engine's record road, and the profiles of a connection."""

from collections.abc import Mapping
from dataclasses import dataclass

from apps.field_mappings.models import Profile, ProfileKind, StepKind, SyncStep
from apps.field_mappings.setup import seed_custom_profile, seed_default_profile
from apps.integrations.models import Connection


@dataclass(frozen=True, slots=True)
class ExtraStep:
    """A step that carries a state or activities. ``source`` is sequence_status or inbox_state (kind *status*), email,
    task or call (kind *activity*); ``value_map`` gives the status of Salesforce for each of our states."""

    kind: StepKind
    source: str
    sobject: str
    value_map: Mapping[str, str]
    step_id: int


def extra_steps(connection: Connection, kind: StepKind | None = None) -> list[ExtraStep]:
    """The status and activity steps of the active profile that are switched on, in order; of one kind if named."""
    steps = SyncStep.objects.filter(profile__connection=connection, profile__is_active=True, is_enabled=True)
    steps = steps.exclude(kind=StepKind.RECORD) if kind is None else steps.filter(kind=kind)
    return [
        ExtraStep(StepKind(step.kind), step.local_type, step.sobject, step.value_map, step.pk)
        for step in steps.order_by("position", "id")
    ]


def profiles_of(connection: Connection) -> dict[ProfileKind, Profile]:
    """Both profiles; those that an older connection lacks are made."""
    return {
        ProfileKind.DEFAULT: seed_default_profile(connection),
        ProfileKind.CUSTOM: seed_custom_profile(connection),
    }


def active_profile(connection: Connection) -> Profile:
    """The profile in use."""
    found: Profile | None = Profile.objects.filter(connection=connection, is_active=True).first()
    return found or seed_custom_profile(connection)


def steps_of_profile(profile: Profile, sobject: str = "") -> list[SyncStep]:
    """The steps of a profile in order; the record steps of one sObject where it is named."""
    steps = SyncStep.objects.filter(profile=profile).select_related("profile").order_by("position", "id")
    return list(steps.filter(sobject=sobject, kind=StepKind.RECORD) if sobject else steps)
