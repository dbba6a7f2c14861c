"""What saving a step means for records: a preview on a real one, and "Push all that match"."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import Record
from apps.console.mappings.addresses import place_of
from apps.console.mappings.pages import address_of, editable_step, shared_context, the_connection
from apps.console.mappings.shown import step_card
from apps.core.search import begins_with, search_text
from apps.domain.values import Unreadable, normalize_id
from apps.field_mappings.models import FieldMapping, ProfileKind, SyncStep
from apps.field_mappings.services.editing import LOCKED, Refused, check_direction
from apps.integrations.models import JobKind
from apps.integrations.services.connections import queue_job
from apps.sync.selectors.effects import records_of
from apps.sync.selectors.links import ids_behind
from apps.sync.selectors.previews import preview_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.audit import audit
from apps.tenants.roles import Right

_MOST_FOUND = 20
_KEYS = {"person": ("email_key", "last_key", "first_key"), "company": ("name_key",), "opportunity": ("name_key",)}


@require_GET
@member_page(Right.VIEW)
def preview(request: MemberRequest, step_id: int) -> HttpResponse:
    """Find a record, and show what the step would do with each of its fields."""
    step, connection = editable_step(step_id), the_connection()
    typed = request.GET.get("q", "").strip()
    chosen = request.GET.get("record", "")
    found = _found(step, typed) if typed else []
    record = _chosen(step, chosen) or (found[0] if len(found) == 1 else None)
    context = {
        **shared_context(request, connection, place_of(step.sobject)),
        "step": step,
        "card": step_card(step, 0),
        "typed": typed,
        "found": [] if record else found,
        "record": record,
        "preview": preview_of(connection, step, record, step.local_type) if record else None,
    }
    return render(request, "console/mappings/preview.html", context)


def _found(step: SyncStep, typed: str) -> list[Record]:
    rows = records_of(step.local_type)
    try:
        normalize_id(typed)
    except Unreadable:
        text = search_text(typed)
        if not text:
            return []
        keys = _KEYS.get(step.local_type.partition(":")[0], ("name_key",))
        ids = {
            number
            for key in keys
            for number in rows.filter(begins_with(key, text)).values_list("id", flat=True)[:_MOST_FOUND]
        }
        return list(rows.filter(id__in=ids).order_by("id")[:_MOST_FOUND])
    return list(rows.filter(id__in=ids_behind(typed, step.local_type)))


def _chosen(step: SyncStep, text: str) -> Record | None:
    if not text.isascii() or not text.isdecimal():
        return None
    found: Record | None = records_of(step.local_type).filter(id=int(text[:18])).first()
    return found


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def push_all(request: MemberRequest, step_id: int) -> HttpResponse:
    """Queue every record that the step writes; a job does it, and the push sends only what differs."""
    step, connection = editable_step(step_id), the_connection()
    try:
        _check(step)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(address_of(step))
    job = queue_job(connection=connection, kind=JobKind.PUSH_ALL, user=request.user, subject={"step": step.pk})
    if job.subject != {"step": step.pk}:
        messages.info(request, "Records of another step are being queued just now. Try again in a moment.")
        return redirect(address_of(step))
    audit(actor=request.user, action="push_all_started", subject=f"Step {step_card(step, 0).title}")
    messages.success(request, "The records are being queued. What differs goes to Salesforce.")
    return redirect("console:queue-list")


def _check(step: SyncStep) -> None:
    if step.profile.kind == ProfileKind.DEFAULT and not step.profile.is_active:
        raise Refused(LOCKED)
    check_direction(step.sobject, writes=True)
    if step.direction == "pull" or not (step.update_remote or step.create_remote):
        raise Refused("This step writes nothing to Salesforce. Switch on “Update in Salesforce” first.")
    if not FieldMapping.objects.filter(step=step).exclude(way_out="off").exists():
        raise Refused("None of its fields goes to Salesforce.")
