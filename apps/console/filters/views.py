"""Saved filters of people and companies: making, changing and removing one."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from apps.audience.models import SavedFilter
from apps.audience.selectors.saved_filters import filter_type, filterable_fields
from apps.audience.services.saved_filters import LONGEST_NAME, CannotSave, remove_filter, save_filter
from apps.console.filter_builder import FilterForm
from apps.console.filter_words import FilterField, fields_by_label
from apps.console.record_lists import AREAS, FILTER
from apps.domain.filters import BadFilter, Filter, from_dict, to_dict
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right


@require_http_methods(["GET", "POST"])
@member_page(Right.EDIT_RECORDS)
def new(request: MemberRequest, area: str) -> HttpResponse:
    """Save a new filter."""
    if area not in AREAS:
        raise Http404
    return _form(request, area, None)


@require_http_methods(["GET", "POST"])
@member_page(Right.EDIT_RECORDS)
def edit(request: MemberRequest, filter_id: int) -> HttpResponse:
    """Change a saved filter."""
    saved = load(SavedFilter, filter_id)
    return _form(request, _area_of(saved), saved)


@require_POST
@member_page(Right.EDIT_RECORDS)
def remove(request: MemberRequest, filter_id: int) -> HttpResponse:
    """Remove a saved filter."""
    saved = load(SavedFilter, filter_id)
    area = _area_of(saved)
    remove_filter(saved=saved, user=request.user)
    messages.success(request, f"The filter “{saved.name}” is removed.")
    return redirect(f"console:{area}-list")


def _area_of(saved: SavedFilter) -> str:
    return next(area for area, record_type in AREAS.items() if record_type == saved.record_type)


def _form(request: MemberRequest, area: str, saved: SavedFilter | None) -> HttpResponse:
    fields = _fields(AREAS[area])
    name, problems = saved.name if saved else "", {}
    if request.method == "POST":
        form = FilterForm.posted(fields, request.POST)
        name = request.POST.get("name", "")[: LONGEST_NAME + 1]
        if not form.is_asking and form.is_valid():
            try:
                tree: dict[str, Any] = to_dict(form.tree) or {"parts": []}
                kept = save_filter(record_type=AREAS[area], name=name, tree=tree, user=request.user, existing=saved)
            except CannotSave as error:
                problems = {error.field: str(error)}
            else:
                messages.success(request, f"The filter “{kept.name}” is saved.")
                return redirect(f"{reverse(f'console:{area}-list')}?{FILTER}={kept.pk}")
        status = 200 if form.is_asking else 422
    else:
        form, status = FilterForm(fields, _tree(saved)), 200
    context = {"form": form, "name": name, "problems": problems, "saved": saved, "area": area, "longest": LONGEST_NAME}
    return render(request, "console/filters/edit.html", context, status=status)


def _tree(saved: SavedFilter | None) -> Filter | None:
    try:
        return from_dict(saved.tree) if saved else None
    except BadFilter:
        return None


def _fields(record_type: str) -> list[FilterField]:
    known = filterable_fields(record_type)
    return fields_by_label(
        [
            FilterField(name, one.label, filter_type(one), tuple((option, option) for option in one.options))
            for name, one in known.items()
        ]
    )
