"""The page of one sObject, put together: steps, switches, filters, mappings, numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from apps.audience.models import List, ListKind
from apps.console.mappings.addresses import ObjectPlace, object_places, place_of
from apps.console.mappings.shown import SHORTHANDS, WAYS, WINNERS, StepCard, full_card
from apps.core.paging import count_up_to
from apps.field_mappings.catalogue import PULL_ONLY, local_type_of, type_label
from apps.field_mappings.models import FieldMapping, ProfileKind, StepKind, SyncStep
from apps.field_mappings.selectors import active_profile, profiles_of, steps_of_profile
from apps.field_mappings.services.editing import Moved, Refused
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection, JobKind
from apps.integrations.selectors import latest_job
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.effects import standing_of
from apps.sync.services import open_pull_run
from apps.sync_settings.services import settings_of
from apps.tenants.access import MemberRequest, load
from apps.tenants.roles import Right


@dataclass(frozen=True)
class Outcome:
    """What a form on the page came to where it was refused: words, the step, and what stood in its table."""

    refused: Refused
    step_id: int = 0
    posted: Mapping[int, tuple[str, str, str]] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return 409 if isinstance(self.refused, Moved) else 422


def the_connection() -> Connection:
    """The live connection; 404 without one, since steps belong to it."""
    connection = live_connection()
    if connection is None:
        raise Http404
    return connection


def editable_step(step_id: int, *, kind: StepKind | None = StepKind.RECORD) -> SyncStep:
    """A step of the live connection, whatever its profile; 404 for any other."""
    step = load(SyncStep, step_id)
    if step.profile.connection_id != the_connection().pk or (kind is not None and step.kind != kind):
        raise Http404
    return step


def posted_version(request: MemberRequest) -> int:
    """The version that the form was opened with; what is no number fits none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def address_of(step: SyncStep, **query: str) -> str:
    """The place of a step on its object's page."""
    place = place_of(step.sobject)
    url = reverse("console:salesforce-object", args=[place.slug]) if place else reverse("console:profiles")
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{url}{'?' + words if words else ''}#step-{step.pk}"


def object_response(request: MemberRequest, place: ObjectPlace, *, outcome: Outcome | None = None) -> HttpResponse:
    """The page, from cached metadata alone: it opens when Salesforce is down (C18)."""
    connection = the_connection()
    context = shared_context(request, connection, place)
    if place.sobject == "Campaign":
        return render(request, "console/mappings/campaign.html", context | _campaigns(connection))
    local_type = local_type_of(place.sobject)
    schema = cached_schema(connection, place.sobject)
    profile = active_profile(connection)
    steps = steps_of_profile(profile)
    numbers = {step.pk: number for number, step in enumerate(steps, 1)}
    mine = [step for step in steps if step.sobject == place.sobject and step.kind == StepKind.RECORD]
    cards = [full_card(step, numbers[step.pk], schema, connection) for step in mine]
    if outcome is not None:
        _put_in(cards, outcome)
    context |= {
        "outcome": outcome,
        "cards": cards,
        "is_on": any(step.is_enabled for step in mine),
        "is_visible": schema is not None,
        "is_read": connection.metadata_at is not None,
        "is_pull_only": place.sobject in PULL_ONLY,
        "is_shared": len({step.direction for step in mine}) > 1 and profile.kind == ProfileKind.CUSTOM,
        "type_label": type_label(local_type),
        "standing": standing_of(connection, place.sobject, local_type),
        "ways": WAYS,
        "winners": WINNERS,
        "shorthands": SHORTHANDS,
        "saved": _saved(request, cards),
        "queueing": latest_job(connection, JobKind.PUSH_ALL),
    }
    return render(request, "console/mappings/object.html", context, status=outcome.status if outcome else 200)


def shared_context(request: MemberRequest, connection: Connection, place: ObjectPlace | None) -> dict[str, Any]:
    """What all pages about profiles and objects show."""
    profile = active_profile(connection)
    is_locked = profile.kind == ProfileKind.DEFAULT
    return {
        "connection": connection,
        "place": place,
        "places": object_places(),
        "profile": profile,
        "profile_version": profiles_of(connection)[ProfileKind.CUSTOM].version,
        "is_locked": is_locked,
        "may_edit": request.membership.may(Right.EDIT_MAPPINGS) and not is_locked,
        "may_review": request.membership.may(Right.EDIT_MAPPINGS),
        "may_run": request.membership.may(Right.RUN_SYNC),
        "running": open_pull_run(connection),
        "syncs_enabled": settings_of(connection).syncs_enabled,
    }


def _campaigns(connection: Connection) -> dict[str, Any]:
    settings = settings_of(connection)
    return {
        "settings": settings,
        "is_on": settings.sync_members and not settings.group_edition,
        "campaigns": count_up_to(List.objects.filter(kind=ListKind.CAMPAIGN))[0],
        "is_visible": cached_schema(connection, "Campaign") is not None,
        "is_read": connection.metadata_at is not None,
    }


def _saved(request: MemberRequest, cards: list[StepCard]) -> StepCard | None:
    """The step that was just saved, to say how many records are concerned."""
    return next((card for card in cards if str(card.step.pk) == request.GET.get("saved")), None)


def _put_in(cards: list[StepCard], outcome: Outcome) -> None:
    """Show what was posted, with each refusal at its row."""
    for card in cards:
        if card.step.pk != outcome.step_id:
            continue
        card.problem = str(outcome.refused)
        for row in card.rows:
            row.error = outcome.refused.rows.get(row.mapping.pk, "")
            posted = outcome.posted.get(row.mapping.pk)
            if posted and not isinstance(outcome.refused, Moved):
                _put(row.mapping, posted)


def _put(mapping: FieldMapping, posted: tuple[str, str, str]) -> None:
    mapping.way_in, mapping.way_out, mapping.winner = posted
