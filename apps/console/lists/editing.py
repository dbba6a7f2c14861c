"""Making and changing lists, and who is on them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from apps.audience.models import List, Origin
from apps.audience.services.lists import (
    add_to_list,
    archive_list,
    create_list,
    keep_as_campaign,
    remove_from_list,
    rename_list,
    set_member_status,
)
from apps.audience.services.names import BadName
from apps.console.lists.forms import ListForm
from apps.console.named_people import TooMany, people_named
from apps.console.record_lists import number_in
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right


@member_page(Right.EDIT_RECORDS)
def new(request: MemberRequest) -> HttpResponse:
    """Make a list."""
    form = ListForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_list(
                name=form.cleaned_data["name"], user=request.user, is_campaign=form.cleaned_data["is_campaign"]
            )
        except BadName as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"The list “{made.name}” is made. Add people below.")
            return redirect("console:lists-detail", made.pk)
    return render(request, "console/lists/new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@member_page(Right.EDIT_RECORDS)
def change(request: MemberRequest, list_id: int) -> HttpResponse:
    """Rename a list, put it away, take it back, or keep it as a Campaign."""
    shown = load(List, list_id)
    deed = request.POST.get("deed", "")
    try:
        if deed == "rename":
            renamed = rename_list(shown=shown, name=request.POST.get("name", ""), user=request.user)
            messages.success(request, f"The list is called “{renamed.name}” now.")
        elif deed in {"archive", "restore"}:
            archive_list(shown=shown, is_archived=deed == "archive", user=request.user)
            words = "is archived: it is out of the way, and its people stay on it." if deed == "archive" else "is back."
            messages.success(request, f"“{shown.name}” {words}")
        elif deed == "campaign":
            keep_as_campaign(shown=shown, user=request.user)
            messages.success(request, "A Campaign is made in Salesforce, and its members follow.")
    except BadName as error:
        messages.error(request, str(error))
    return redirect("console:lists-detail", shown.pk)


@require_POST
@member_page(Right.EDIT_RECORDS)
def members(request: MemberRequest, list_id: int) -> HttpResponse:
    """Add people by their addresses, take one off, or change a member's status."""
    shown = load(List, list_id)
    deed = request.POST.get("deed", "")
    if deed == "add":
        _add(request, shown)
    person_id = number_in(request.POST.get("person", ""))
    if deed == "remove" and person_id:
        if remove_from_list(people=[person_id], of=shown, origin=Origin.MANUAL, user=request.user):
            messages.success(request, "Taken off the list.")
    elif deed == "status" and person_id:
        status = request.POST.get("status", "")
        if set_member_status(people=[person_id], of=shown, status=status, origin=Origin.MANUAL, user=request.user):
            messages.success(request, "The status is changed.")
    return redirect("console:lists-detail", shown.pk)


def _add(request: MemberRequest, shown: List) -> None:
    try:
        named = people_named(request.POST.get("emails", ""))
    except TooMany as error:
        messages.error(request, str(error))
        return
    status = request.POST.get("status", "")
    added = add_to_list(people=named.ids, to=shown, origin=Origin.MANUAL, status=status, user=request.user)
    if named.ids:
        messages.success(
            request, f"{added:,} added to the list." if added else "Everybody named is on the list already."
        )
    if named.unknown:
        messages.error(request, named.missing_words)
    if not named.ids and not named.unknown:
        messages.error(request, "Enter at least one e-mail address.")
