"""Object pages: switches, on and off, "Sync now" for the object (B13, C04, C05)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from apps.console.mappings.addresses import place_at, place_of
from apps.console.mappings.pages import (
    Outcome,
    address_of,
    editable_step,
    object_response,
    posted_version,
    the_connection,
)
from apps.field_mappings.selectors import active_profile
from apps.field_mappings.services.editing import Refused
from apps.field_mappings.services.steps import Switches, set_switches, switch_object
from apps.integrations.services.oauth import live_connection
from apps.sync.services import CannotStart, start_object_sync
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.audit import audit
from apps.tenants.roles import Right


@require_GET
@member_page(Right.VIEW)
def object_page(request: MemberRequest, name: str) -> HttpResponse:
    """The steps of one sObject with everything that can be set about them."""
    place = place_at(name)
    if live_connection() is None:
        return redirect("console:salesforce")
    return object_response(request, place)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def switches(request: MemberRequest, step_id: int) -> HttpResponse:
    """Save the four permissions of a step."""
    step = editable_step(step_id)
    wanted = Switches(**{name: request.POST.get(name) == "on" for name in Switches.__dataclass_fields__})
    try:
        set_switches(step=step, actor=request.user, seen_version=posted_version(request), switches=wanted)
    except Refused as refused:
        place = place_of(step.sobject)
        return object_response(request, place_at(place.slug if place else ""), outcome=Outcome(refused, step.pk))
    messages.success(request, "The switches are saved.")
    return redirect(address_of(step, saved=str(step.pk)))


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def object_on(request: MemberRequest, name: str) -> HttpResponse:
    """Switch an object on or off altogether."""
    place = place_at(name)
    profile = active_profile(the_connection())
    enabled = request.POST.get("on") == "1"
    try:
        count = switch_object(profile=profile, actor=request.user, sobject=place.sobject, enabled=enabled)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("console:salesforce-object", place.slug)
    if count:
        messages.success(request, f"{place.label} are switched {'on' if enabled else 'off'}.")
    return redirect("console:salesforce-object", place.slug)


@require_POST
@member_page(Right.RUN_SYNC)
def object_sync(request: MemberRequest, name: str) -> HttpResponse:
    """Sync one object now, in full."""
    place = place_at(name)
    try:
        run = start_object_sync(connection=the_connection(), sobject=place.sobject, user=request.user)
    except CannotStart as refusal:
        messages.error(request, str(refusal))
        return redirect("console:salesforce-object", place.slug)
    return redirect("console:log-run", run.pk)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def mappings_reviewed(request: MemberRequest) -> HttpResponse:
    """Note that somebody looked at the mappings and found them right: a step of the setup checklist."""
    audit(actor=request.user, action="mappings_reviewed", subject="Field mappings")
    return redirect("console:salesforce")
