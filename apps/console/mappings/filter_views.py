"""Filters of a step: build, import from a list view of Salesforce, load a saved one, clear (C12, C13)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from apps.audience.selectors.saved_filters import saved_filters
from apps.console.filter_builder import FilterForm
from apps.console.filter_words import FilterField
from apps.console.mappings.addresses import place_of
from apps.console.mappings.pages import address_of, editable_step, posted_version, shared_context, the_connection
from apps.console.mappings.shown import local_filter_fields, remote_filter_fields, step_card
from apps.domain.filters import BadFilter, Filter, from_dict
from apps.domain.list_views import Imported, imported
from apps.domain.relative_dates import has_relative
from apps.field_mappings.models import SyncStep
from apps.field_mappings.services.editing import Moved, Refused
from apps.field_mappings.services.steps import set_filter
from apps.integrations.metadata import cached_schema
from apps.integrations.models import Connection, ConnectionJob, JobKind
from apps.integrations.selectors import latest_job
from apps.integrations.services.connections import queue_job
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right

_SIDES = {"in": "inbound", "out": "outbound"}
_MOVES = (
    "Dates like “today” or “the last 30 days” move with the calendar, in the sync user's time zone. A row is compared "
    "with them when it changes, and by every full sync."
)
_SAVED_OF = {"person": "person", "company": "company"}


@member_page(Right.EDIT_MAPPINGS)
def step_filter(request: MemberRequest, step_id: int, side: str) -> HttpResponse:
    """Build the filter of one side, and save it."""
    step, connection = editable_step(step_id), the_connection()
    if side not in _SIDES:
        raise Http404
    fields = _fields(connection, step, side)
    stored = from_dict(getattr(step, f"{_SIDES[side]}_filter"))
    problem, status = "", 200
    notes: list[str] = []
    if request.method == "POST":
        form = FilterForm(fields) if "clear" in request.POST else FilterForm.posted(fields, request.POST)
        if not form.is_asking:
            problem, status = _save(request, step, side, form)
            if not problem:
                messages.success(request, "The filter is saved." if form.tree else "The filter is cleared.")
                return redirect(address_of(step, saved=str(step.pk)))
    else:
        tree, notes = _loaded(request, connection, step, side, stored)
        form = FilterForm(fields, tree)
        if has_relative([tree]):
            notes = [*notes, _MOVES]
    context = {
        **shared_context(request, connection, place_of(step.sobject)),
        "step": step,
        "card": step_card(step, 0),
        "side": side,
        "form": form,
        "problem": problem,
        "notes": notes,
        "has_filter": stored is not None,
        "saved": saved_filters(step.local_type) if side == "out" and step.local_type in _SAVED_OF else (),
        "is_read": bool(fields),
        **_list_views(connection, step, side),
    }
    return render(request, "console/mappings/filter.html", context, status=status)


def _save(request: MemberRequest, step: SyncStep, side: str, form: FilterForm) -> tuple[str, int]:
    """Store what the form says; why it could not be, with the answer's status, or ""."""
    if not form.is_valid():
        return "Nothing was saved: please correct what is marked below.", 422
    seen = posted_version(request)
    try:
        set_filter(step=step, actor=request.user, seen_version=seen, side=_SIDES[side], tree=form.tree)
    except Refused as refused:
        step.refresh_from_db()
        return str(refused), 409 if isinstance(refused, Moved) else 422
    return "", 200


def _fields(connection: Connection, step: SyncStep, side: str) -> list[FilterField]:
    if side == "out":
        return local_filter_fields(connection, step.local_type)
    return remote_filter_fields(cached_schema(connection, step.sobject))


def _loaded(
    request: MemberRequest, connection: Connection, step: SyncStep, side: str, stored: Filter | None
) -> tuple[Filter | None, list[str]]:
    """What the form begins with: the stored filter, a saved one, or a list view; nothing is saved by looking."""
    chosen = request.GET.get("load", "")
    if side == "out" and chosen.isascii() and chosen.isdecimal():
        row = saved_filters(step.local_type).filter(id=int(chosen[:18])).first()
        if row is not None:
            try:
                return from_dict(row.tree), [
                    f"This is the saved filter “{row.name}”. Press Save to use it in this step."
                ]
            except BadFilter:
                return stored, [f"The saved filter “{row.name}” can no longer be read."]
    if side == "in" and request.GET.get("view"):
        job = _view_job(connection, step, request.GET["view"])
        if job is not None and job.result.get("view"):
            found = _imported(connection, step, job.result["view"])
            notes = ["These are the conditions of the list view. Look through them, then press Save."]
            notes += [f"Left out: {words}" for words in found.left_out]
            return found.tree, notes
    return stored, []


def _imported(connection: Connection, step: SyncStep, view: dict[str, Any]) -> Imported:
    fields = remote_filter_fields(cached_schema(connection, step.sobject))
    types = {one.name: (one.label, one.type) for one in fields}
    return imported(view.get("where"), str(view.get("scope") or ""), types)


# -- list views -------------------------------------------------------------------------------------------------


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def list_views(request: MemberRequest, step_id: int) -> HttpResponse:
    """Ask Salesforce for the list views of the object, or for the conditions of one; a job does it."""
    step, connection = editable_step(step_id), the_connection()
    subject = {"sobject": step.sobject, "view": request.POST.get("view", "")[:18]}
    job = queue_job(connection=connection, kind=JobKind.LIST_VIEWS, user=request.user, subject=subject)
    if job.subject != subject:
        messages.info(request, "Salesforce is being asked for something else just now. Try again in a moment.")
    query = f"?view={subject['view']}" if subject["view"] else "?views=1"
    response = redirect("console:step-filter", step.pk, "in")
    response["Location"] += query
    return response


def _list_views(connection: Connection, step: SyncStep, side: str) -> dict[str, Any]:
    """The list views that were read last for this object, and whether a question is on its way."""
    if side != "in":
        return {}
    job = latest_job(connection, JobKind.LIST_VIEWS)
    names = (
        ConnectionJob.objects.filter(
            connection=connection, kind=JobKind.LIST_VIEWS, subject={"sobject": step.sobject, "view": ""}
        )
        .exclude(result={})
        .order_by("-id")
        .first()
    )
    concerns = job is not None and job.subject.get("sobject") == step.sobject
    return {
        "views": names.result.get("views", []) if names is not None else [],
        "were_read": names is not None,
        "asking": job if concerns and job is not None and job.finished_at is None else None,
        "ask_failed": job.error if concerns and job is not None and job.error else "",
    }


def _view_job(connection: Connection, step: SyncStep, view: str) -> ConnectionJob | None:
    found: ConnectionJob | None = (
        ConnectionJob.objects.filter(
            connection=connection, kind=JobKind.LIST_VIEWS, subject={"sobject": step.sobject, "view": view[:18]}
        )
        .order_by("-id")
        .first()
    )
    return found
