"""Custom objects: which are synced, choosing one, and adding it (C14). The org is asked by a job; these pages only
read what it brought."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from apps.audience.selectors.types import custom_types
from apps.console.custom_objects.forms import AddForm, PickForm
from apps.field_mappings.compatibility import type_words
from apps.field_mappings.custom_objects import (
    CannotAdd,
    Proposed,
    add_custom_object,
    ask_for_object,
    choosable_objects,
    key_choices,
    propose,
)
from apps.integrations.metadata import Schema, cached_schema
from apps.integrations.models import Connection, JobKind, JobState
from apps.integrations.selectors import latest_job
from apps.integrations.services.oauth import live_connection
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right


@require_GET
@member_page(Right.VIEW)
def objects(request: MemberRequest) -> HttpResponse:
    """The custom objects that are synced, and those that could be."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    choosable = choosable_objects(connection)
    context = {
        "connection": connection,
        "types": [one for one in custom_types() if one.sobject],
        "form": PickForm(choosable=choosable),
        "choosable": choosable,
        "may_add": request.membership.may(Right.EDIT_MAPPINGS),
    }
    return render(request, "console/custom_objects/objects.html", context)


@require_POST
@member_page(Right.EDIT_MAPPINGS)
def look(request: MemberRequest) -> HttpResponse:
    """Have an object's fields read, and go on to the page that shows them."""
    connection = live_connection()
    if connection is None or not connection.is_usable:
        messages.error(request, "Salesforce has to be connected first.")
        return redirect("console:salesforce")
    form = PickForm(request.POST, choosable=choosable_objects(connection))
    if not form.is_valid():
        messages.error(request, "Choose one of the objects in the list.")
        return redirect("console:custom-objects")
    sobject = form.cleaned_data["sobject"]
    ask_for_object(connection=connection, sobject=sobject, user=request.user)
    return redirect(_add_url(sobject))


@member_page(Right.EDIT_MAPPINGS)
def add(request: MemberRequest) -> HttpResponse:
    """The object with its fields, once they are read; posted, it is added."""
    connection = live_connection()
    if connection is None:
        return redirect("console:salesforce")
    sobject = request.GET.get("object", "")
    item = next((one for one in choosable_objects(connection) if one.key == sobject), None)
    if item is None:
        messages.error(request, "Choose one of the objects in the list.")
        return redirect("console:custom-objects")
    schema = cached_schema(connection, sobject)
    context: dict[str, Any] = {"connection": connection, "item": item, "url": _add_url(sobject)}
    if schema is None:
        return render(request, "console/custom_objects/reading.html", context | _reading(connection))
    form = AddForm(
        request.POST if request.method == "POST" else None,
        keys=key_choices(schema),
        label=schema.label,
        plural=schema.label_plural,
    )
    if request.method == "POST" and form.is_valid() and _is_added(request, connection, schema, form):
        return redirect("console:custom-objects")
    context |= {"form": form, "fields": _fields(propose(schema))}
    return render(request, "console/custom_objects/add.html", context)


def _is_added(request: MemberRequest, connection: Connection, schema: Schema, form: AddForm) -> bool:
    said = form.cleaned_data
    try:
        made = add_custom_object(
            connection=connection,
            sobject=schema.name,
            label=said["label"],
            label_plural=said["label_plural"],
            key_field=said["key_field"],
            is_two_way=said["direction"] == "two_way",
            user=request.user,
        )
    except CannotAdd as error:
        for field, words in error.errors.items():
            form.add_error(field if field in form.fields else None, words)
        return False
    words = f"{made.label_plural} are added. They come in with the next full sync, or when you sync the object now."
    messages.success(request, words)
    return True


def _fields(proposed: list[Proposed]) -> list[tuple[Proposed, str]]:
    """The fields with the type of each in words."""
    return [(one, type_words(one.remote.type)) for one in proposed]


def _reading(connection: Connection) -> dict[str, Any]:
    job = latest_job(connection, JobKind.DESCRIBE)
    has_failed = job is not None and job.state == JobState.FAILED
    is_over = job is None or job.finished_at is not None
    return {"job": job, "has_failed": has_failed, "is_over": is_over}


def _add_url(sobject: str) -> str:
    return f"{reverse('console:custom-objects-add')}?{urlencode({'object': sobject})}"
