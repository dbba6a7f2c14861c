"""Adding and changing people, and syncing one at once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import Person
from apps.audience.services.people import (
    SourceMissing,
    create_person,
    deactivate_person,
    reactivate_person,
    set_opt_out,
    update_person,
)
from apps.console import linking
from apps.console.record_editing import Kind, edit_record, new_record
from apps.console.record_sync import show_progress, start
from apps.console.why.pages import record_page
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

PEOPLE = Kind("person", "person", "People", "people", create_person, update_person)
_LONGEST_SOURCE = 2000


@member_page(Right.EDIT_RECORDS)
def new(request: MemberRequest) -> HttpResponse:
    """Add a person."""
    return new_record(request, PEOPLE)


@member_page(Right.EDIT_RECORDS)
def edit(request: MemberRequest, person_id: int) -> HttpResponse:
    """Change a person."""
    return edit_record(request, PEOPLE, load(Person, person_id))


@require_POST
@member_page(Right.EDIT_RECORDS)
def consent(request: MemberRequest, person_id: int) -> HttpResponse:
    """Opt a person out of e-mail, or in again with the source of their wish."""
    person = load(Person, person_id)
    opted_out, source = request.POST.get("opted_out") == "yes", request.POST.get("source", "")[:_LONGEST_SOURCE]
    try:
        set_opt_out(person=person, opted_out=opted_out, source=source.replace("\0", ""), user=request.user)
    except SourceMissing as error:
        messages.error(request, str(error))
        return redirect("console:people-detail", person.pk)
    words = "is unsubscribed and gets no e-mail from here." if opted_out else "may be mailed again."
    messages.success(request, f"{person.display_name} {words}")
    return redirect("console:people-detail", person.pk)


@require_POST
@member_page(Right.EDIT_RECORDS)
def active(request: MemberRequest, person_id: int) -> HttpResponse:
    """Deactivate or reactivate a person."""
    person = load(Person, person_id)
    if request.POST.get("active") == "yes":
        reactivate_person(person=person, user=request.user)
        messages.success(request, f"{person.display_name} is active again.")
    else:
        deactivate_person(person=person, user=request.user)
        messages.success(request, f"{person.display_name} is deactivated. Nothing is deleted in Salesforce.")
    return redirect("console:people-detail", person.pk)


@require_POST
@member_page(Right.RUN_SYNC)
def sync(request: MemberRequest, person_id: int) -> HttpResponse:
    """Sync this person now, both ways."""
    return start(request, "people", "person", load(Person, person_id))


@require_GET
@member_page(Right.VIEW)
def sync_run(request: MemberRequest, person_id: int, run_id: int) -> HttpResponse:
    """How far the person's sync is."""
    return show_progress(request, "people", "person", load(Person, person_id), run_id)


@require_GET
@member_page(Right.VIEW)
def why(request: MemberRequest, person_id: int) -> HttpResponse:
    """Why did this person not sync?"""
    return render(request, "console/why/why.html", record_page("person", load(Person, person_id)))


@require_POST
@member_page(Right.EDIT_RECORDS)
def link(request: MemberRequest, person_id: int) -> HttpResponse:
    """Link this person with a row of Salesforce by hand."""
    return linking.link(request, "people", load(Person, person_id))


@require_POST
@member_page(Right.EDIT_RECORDS)
def unlink(request: MemberRequest, person_id: int) -> HttpResponse:
    """Unlink this person from a row of Salesforce by hand."""
    return linking.take_apart(request, "people", load(Person, person_id))
