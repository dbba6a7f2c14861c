"""Profiles and their steps (C01 to C03)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.selectors.types import custom_types
from apps.console.mappings.addresses import place_of
from apps.console.mappings.pages import editable_step, posted_version, shared_context, the_connection
from apps.console.mappings.shown import StepCard, step_card
from apps.field_mappings.catalogue import (
    ACTIVITY_SOURCES,
    LOCAL_TYPES,
    STATUS_SOURCES,
    label_of,
    local_fields,
    type_label,
)
from apps.field_mappings.models import FieldMapping, Profile, ProfileKind, StepKind, SyncStep
from apps.field_mappings.selectors import active_profile, profiles_of, steps_of_profile
from apps.field_mappings.services.editing import Moved, Refused
from apps.field_mappings.services.profiles import switch_profile
from apps.field_mappings.services.steps import (
    add_step,
    clone_step,
    enable_step,
    move_step,
    remove_step,
    set_status_map,
    turn_step,
)
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.effects import Count, linked_rows, records_without_row
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

_STATES: dict[str, tuple[tuple[str, str], ...]] = {
    "sequence_status": (
        ("active", "Active in a sequence"),
        ("paused", "Paused"),
        ("finished", "Finished"),
        ("replied", "Replied"),
        ("removed", "Removed"),
    ),
    "inbox_state": (("replied", "Replied"),),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A step with the page of its object, if it has one."""

    card: StepCard
    slug: str
    is_first: bool
    is_last: bool
    fields: str


@require_GET
@member_page(Right.VIEW)
def profiles(request: MemberRequest) -> HttpResponse:
    """The steps of the profile in use, in the order in which they are asked."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    both = profiles_of(connection)
    current = active_profile(connection)
    context = {
        **shared_context(request, connection, None),
        "kinds": [(kind.value, kind.value.capitalize(), both[kind].pk == current.pk) for kind in both],
        "steps": _places(current),
    }
    return render(request, "console/mappings/profiles.html", context)


def _places(profile: Profile) -> list[Place]:
    steps = steps_of_profile(profile)
    return [
        Place(step_card(step, number), _slug(step), number == 1, number == len(steps), _field_words(step))
        for number, step in enumerate(steps, 1)
    ]


def _slug(step: SyncStep) -> str:
    place = place_of(step.sobject) if step.kind == StepKind.RECORD else None
    return place.slug if place is not None else ""


def _field_words(step: SyncStep) -> str:
    """What a step carries, in a few words."""
    if step.kind == StepKind.STATUS:
        return (
            ", ".join(f"{state} → {status}" for state, status in step.value_map.items())
            or "No state is translated yet."
        )
    if step.kind == StepKind.ACTIVITY:
        return "Each one becomes a task in Salesforce."
    fields = local_fields(step.local_type)
    names = list(
        FieldMapping.objects.filter(step=step).order_by("position", "id").values_list("local_field", flat=True)
    )
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(label_of(fields, name) for name in names[:4]) + more


# -- switching --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """What a step of the other profile would write, in numbers."""

    card: StepCard
    linked: Count | None
    here_only: Count | None
    written_there: str
    written_here: str


@member_page(Right.EDIT_MAPPINGS)
def switch(request: MemberRequest) -> HttpResponse:
    """Show what the other profile would write, then use it."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    both = profiles_of(connection)
    data = request.POST if request.method == "POST" else request.GET
    wanted = data.get("to", "")
    target = both[ProfileKind(wanted)] if wanted in set(ProfileKind) else None
    if target is None or target.pk == active_profile(connection).pk:
        return redirect("console:profiles")
    if request.method == "POST":
        switch_profile(profile=target, actor=request.user)
        messages.success(request, f"The {target.kind.capitalize()} profile is in use from the next sync on.")
        return redirect("console:profiles")
    context = {
        **shared_context(request, connection, None),
        "target": target,
        "target_label": target.kind.capitalize(),
        "effects": [_effect(connection, step, number) for number, step in enumerate(steps_of_profile(target), 1)],
    }
    return render(request, "console/mappings/switch.html", context)


def _effect(connection: Connection, step: SyncStep, number: int) -> Effect:
    card = step_card(step, number)
    if step.kind != StepKind.RECORD or not step.is_enabled:
        return Effect(card, None, None, "", "")
    fields = local_fields(step.local_type)
    mappings = list(FieldMapping.objects.filter(step=step).order_by("position", "id"))
    out = [one.remote_field for one in mappings if card.pushes and one.way_out != "off"]
    into = [label_of(fields, one.local_field) for one in mappings if card.pulls and one.way_in != "off"]
    return Effect(
        card,
        linked_rows(connection, step.sobject, step.local_type),
        records_without_row(step.local_type) if card.pushes and step.create_remote else None,
        ", ".join(out),
        ", ".join(into),
    )


# -- steps ------------------------------------------------------------------------------------------------------


@member_page(Right.EDIT_MAPPINGS)
def add(request: MemberRequest) -> HttpResponse:
    """Choose what a new step binds."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    custom = profiles_of(connection)[ProfileKind.CUSTOM]
    if not custom.is_active:
        messages.error(request, "The Default profile is locked. Switch to the Custom profile to add steps.")
        return redirect("console:profiles")
    problem, status = "", 200
    if request.method == "POST":
        kind, _, rest = request.POST.get("what", "").partition(":")
        sobject, _, source = rest.partition(":")
        try:
            if kind not in set(StepKind):
                raise Refused("Choose what the step syncs.")
            made = add_step(
                profile=custom,
                actor=request.user,
                seen_version=posted_version(request),
                sobject=sobject,
                kind=StepKind(kind),
                source=source,
            )
        except Refused as refused:
            problem, status = str(refused), 409 if isinstance(refused, Moved) else 422
            custom.refresh_from_db()
        else:
            messages.success(request, f"The step “{step_card(made, 0).title}” is added at the end.")
            return redirect("console:profiles")
    context = {
        **shared_context(request, connection, None),
        "profile_version": custom.version,
        "problem": problem,
        "choices": _choices(),
        "chosen": request.POST.get("what", ""),
    }
    return render(request, "console/mappings/add_step.html", context, status=status)


def _choices() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What a step can be, in groups: value, words, and what it does."""
    pairs = [(sobject, type_label(kind)) for sobject, kind in LOCAL_TYPES.items()]
    pairs += [(one.sobject, one.label) for one in custom_types() if one.sobject]
    records = [
        (
            f"record:{sobject}",
            f"{sobject} and {ours}",
            "Field by field. It begins inbound only; turn it round afterwards.",
        )
        for sobject, ours in pairs
    ]
    statuses = [
        (f"status:Lead:{source}", f"{label} → Lead Status", "You choose which state becomes which status.")
        for source, label in STATUS_SOURCES.items()
    ]
    activities = [
        (f"activity:{sobject}:{source}", f"{label} → {sobject} Tasks", "Each one becomes a completed task.")
        for source, label in ACTIVITY_SOURCES.items()
        for sobject in ("Lead", "Contact")
    ]
    return [("Records", records), ("Status", statuses), ("Activities", activities)]


def _changed(request: MemberRequest, step_id: int, change: Callable[[SyncStep], str]) -> HttpResponse:
    """Make one change of a step and say what was done, or why it was not."""
    step = editable_step(step_id, kind=None)
    try:
        messages.success(request, change(step))
    except Refused as refused:
        messages.error(request, str(refused))
    back = place_of(request.POST.get("back", ""))
    return redirect("console:salesforce-object", back.slug) if back else redirect("console:profiles")


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def move(request: MemberRequest, step_id: int) -> HttpResponse:
    """One place up or down."""
    up = request.POST.get("way") == "up"

    def change(step: SyncStep) -> str:
        move_step(step=step, actor=request.user, up=up)
        return f"“{step_card(step, 0).title}” is moved {'up' if up else 'down'}."

    return _changed(request, step_id, change)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def enable(request: MemberRequest, step_id: int) -> HttpResponse:
    """On or off."""
    enabled = request.POST.get("on") == "1"

    def change(step: SyncStep) -> str:
        enable_step(step=step, actor=request.user, enabled=enabled)
        return f"“{step_card(step, 0).title}” is switched {'on' if enabled else 'off'}."

    return _changed(request, step_id, change)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def turn(request: MemberRequest, step_id: int) -> HttpResponse:
    """The next direction."""

    def change(step: SyncStep) -> str:
        turned = turn_step(step=step, actor=request.user, seen_version=posted_version(request))
        card = step_card(turned, 0)
        more = ""
        if card.pushes and not turned.create_remote:
            more = " Records are updated in Salesforce, not created: that has a switch of its own."
        return f"“{card.title}” now goes: {card.direction[:1].lower()}{card.direction[1:]}.{more}"

    return _changed(request, step_id, change)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def clone(request: MemberRequest, step_id: int) -> HttpResponse:
    """A copy at the end, switched off."""

    def change(step: SyncStep) -> str:
        copy = clone_step(step=step, actor=request.user)
        return f"A copy of “{step_card(copy, 0).title}” stands at the end. It is off until you switch it on."

    return _changed(request, step_id, change)


@member_page(Right.EDIT_MAPPINGS)
def remove(request: MemberRequest, step_id: int) -> HttpResponse:
    """Ask first, then remove."""
    step = editable_step(step_id, kind=None)
    if request.method == "POST":

        def change(row: SyncStep) -> str:
            remove_step(step=row, actor=request.user)
            return f"“{step_card(step, 0).title}” is removed. Records and links stay as they are."

        return _changed(request, step_id, change)
    context: dict[str, Any] = {
        **shared_context(request, the_connection(), place_of(step.sobject)),
        "step": step,
        "card": step_card(step, 0),
        "fields": FieldMapping.objects.filter(step=step).count(),
    }
    return render(request, "console/mappings/remove_step.html", context)


@member_page(Right.EDIT_MAPPINGS)
def statuses(request: MemberRequest, step_id: int) -> HttpResponse:
    """Which state becomes which status of Salesforce (E08)."""
    step = editable_step(step_id, kind=StepKind.STATUS)
    problem, status = "", 200
    states = _STATES[step.local_type]
    if request.method == "POST":
        pairs = {state: request.POST.get(f"status-{state}", "") for state, _ in states}
        try:
            set_status_map(step=step, actor=request.user, seen_version=posted_version(request), pairs=pairs)
        except Refused as refused:
            problem, status = str(refused), 409 if isinstance(refused, Moved) else 422
            step.refresh_from_db()
        else:
            messages.success(request, "The statuses are saved.")
            return redirect("console:profiles")
    connection = the_connection()
    schema = cached_schema(connection, step.sobject)
    field = schema.fields.get("Status") if schema else None
    context = {
        **shared_context(request, connection, None),
        "step": step,
        "card": step_card(step, 0),
        "problem": problem,
        "states": [(state, label, step.value_map.get(state, "")) for state, label in states],
        "offered": field.picklist if field else (),
    }
    return render(request, "console/mappings/statuses.html", context, status=status)
