"""What a person may ask for: a copy of everything that is held about them, and to be erased (I06)."""

import json

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import Erasure, ErasureState, Person
from apps.audience.services.erasures import allow_again, erasure_of
from apps.console.listing import listing
from apps.core.paging import Order
from apps.sync.erasing import erase_person
from apps.sync.models import ErasureJob
from apps.sync.selectors.links import instance_urls, record_url
from apps.sync.selectors.subject import held_about
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.audit import audit
from apps.tenants.roles import Right

_NEWEST = Order("newest", ("id",), (int,), descending=True)


def word_of(person: Person) -> str:
    """What has to be typed to erase somebody: their address, or their name where there is none."""
    return person.email or person.display_name


@require_GET
@member_page(Right.EDIT_SETTINGS)
def export(request: MemberRequest, person_id: int) -> HttpResponse:
    """Everything held about a person, as JSON; of somebody who was erased, that they were, and how far that is."""
    gone = Erasure.objects.filter(person_id=person_id).last()
    if gone is not None:
        return JsonResponse(_told(gone), status=410)
    person = load(Person, person_id)
    body = json.dumps(held_about(person), default=str, indent=2, ensure_ascii=False)
    audit(actor=request.user, action="person_exported", subject=f"Person {person.pk}")
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="person-{person.pk}.json"'
    response["Cache-Control"] = "no-store"
    return response


@member_page(Right.EDIT_SETTINGS)
def erase(request: MemberRequest, person_id: int) -> HttpResponse:
    """Erase a person, once their address has been typed."""
    person = load(Person, person_id)
    problem = ""
    if request.method == "POST":
        if request.POST.get("confirmation", "").strip().lower() == word_of(person).strip().lower():
            erasure = erase_person(person=person, user=request.user)
            words = "is gone from all pages and will not come back. What logs and stored files hold is being erased."
            messages.success(request, f"Person {erasure.person_id} {words}")
            return redirect("console:privacy")
        problem = "That is not what stands above. Nothing was erased."
    addresses = list(instance_urls().values())
    context = {
        "person": person,
        "word": word_of(person),
        "problem": problem,
        "salesforce_url": record_url(addresses[-1], person.leading_remote_id)
        if addresses and person.leading_remote_id
        else "",
    }
    return render(request, "console/privacy/erase.html", context, status=422 if problem else 200)


@require_GET
@member_page(Right.EDIT_SETTINGS)
def erasures(request: MemberRequest) -> HttpResponse:
    """Erasures, and how far they are; one can be found by the address that it was about."""
    asked = request.GET.get("q", "")[:254]
    found = listing(request, Erasure.objects.all(), _NEWEST)
    jobs = {job.erasure_id: job for job in ErasureJob.objects.filter(erasure_id__in=[row.pk for row in found.rows])}
    context = {
        "found": found,
        "lines": [(row, jobs.get(row.pk)) for row in found.rows],
        "is_under_way": bool(jobs),
        "asked": asked,
        "match": erasure_of(asked) if asked else None,
    }
    return render(request, "console/privacy/erasures.html", context)


@require_POST
@member_page(Right.EDIT_SETTINGS)
def allow(request: MemberRequest, erasure_id: int) -> HttpResponse:
    """Let somebody come back."""
    erasure = load(Erasure, erasure_id)
    if allow_again(erasure=erasure, user=request.user):
        messages.success(request, f"Person {erasure.person_id} may come back with the next sync, event or import.")
    else:
        messages.info(request, f"Person {erasure.person_id} is still being erased. Allow them again once that is done.")
    return redirect("console:privacy")


def _told(erasure: Erasure) -> dict[str, object]:
    return {
        "person": erasure.person_id,
        "state": "being erased" if erasure.state == ErasureState.ERASING else "erased",
        "asked_at": erasure.at.isoformat(),
        "finished_at": erasure.finished_at.isoformat() if erasure.finished_at else None,
    }
