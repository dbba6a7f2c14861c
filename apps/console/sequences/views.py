"""Sequences, and who is in them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from apps.audience.models import EnrolmentStatus, Origin, Sequence
from apps.audience.selectors.sequences import BY_NAME, ENROLLED, enrolled_in, running_counts, sequences, statuses_in
from apps.audience.services.names import BadName
from apps.audience.services.sequences import IsArchived, create_sequence, enrol, set_status, update_sequence
from apps.console.listing import listing
from apps.console.named_people import TooMany, people_named
from apps.console.record_lists import number_in
from apps.console.sequences.forms import SequenceFilterForm, SequenceForm
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

STATUS_TONES: dict[str, str] = {
    EnrolmentStatus.ACTIVE: "busy",
    EnrolmentStatus.PAUSED: "warn",
    EnrolmentStatus.FINISHED: "off",
    EnrolmentStatus.REPLIED: "ok",
    EnrolmentStatus.REMOVED: "off",
}


@member_page(Right.VIEW)
def sequences_list(request: MemberRequest) -> HttpResponse:
    """Sequences by name, each with how many people are in it."""
    form = SequenceFilterForm(request.GET)
    rows = sequences(search=form.value("q"), archived=form.value("show") == "archived")
    found = listing(request, rows, BY_NAME)
    counts = running_counts(found.rows)
    context = {
        "form": form,
        "found": found,
        "rows": [(row, counts.get(row.pk, 0)) for row in found.rows],
        "is_filtered": bool(form.value("q") or form.value("show")),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
    }
    return render(request, "console/sequences/list.html", context)


@member_page(Right.EDIT_RECORDS)
def new(request: MemberRequest) -> HttpResponse:
    """Make a sequence."""
    form = SequenceForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_sequence(**form.cleaned_data, user=request.user)
        except BadName as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"The sequence “{made.name}” is made. Enrol people below.")
            return redirect("console:sequences-detail", made.pk)
    return render(request, "console/sequences/new.html", {"form": form}, status=422 if form.errors else 200)


@member_page(Right.VIEW)
def sequence_detail(request: MemberRequest, sequence_id: int) -> HttpResponse:
    """One sequence and the people in it, paged."""
    shown = load(Sequence, sequence_id)
    status = request.GET.get("status", "")
    chosen = status if status in set(EnrolmentStatus) else ""
    found = listing(request, enrolled_in(shown, chosen), ENROLLED)
    context = {
        "sequence": shown,
        "statuses": [(EnrolmentStatus(one), count, STATUS_TONES[one]) for one, count in statuses_in(shown)],
        "chosen": chosen,
        "found": found,
        "rows": [(row, EnrolmentStatus(row.status), STATUS_TONES[row.status]) for row in found.rows],
        "choices": list(EnrolmentStatus),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
    }
    return render(request, "console/sequences/detail.html", context)


@require_POST
@member_page(Right.EDIT_RECORDS)
def change(request: MemberRequest, sequence_id: int) -> HttpResponse:
    """Rename or describe a sequence, put it away, or take it back."""
    shown = load(Sequence, sequence_id)
    is_active = {"archive": False, "restore": True}.get(request.POST.get("deed", ""), shown.is_active)
    try:
        saved = update_sequence(
            sequence=shown,
            name=request.POST.get("name", shown.name),
            description=request.POST.get("description", shown.description),
            is_active=is_active,
            user=request.user,
        )
    except BadName as error:
        messages.error(request, str(error))
    else:
        archived = "is archived: nobody is enrolled any more" if not saved.is_active else "is saved"
        messages.success(request, f"“{saved.name}” {archived}.")
    return redirect("console:sequences-detail", shown.pk)


@require_POST
@member_page(Right.EDIT_RECORDS)
def enrolled(request: MemberRequest, sequence_id: int) -> HttpResponse:
    """Enrol people by their addresses, or change where one of them stands."""
    shown = load(Sequence, sequence_id)
    if request.POST.get("deed") == "enrol":
        _enrol(request, shown)
    person_id, status = number_in(request.POST.get("person", "")), request.POST.get("status", "")
    if person_id and status in set(EnrolmentStatus):
        word = EnrolmentStatus(status)
        if set_status(people=[person_id], sequence=shown, status=word, origin=Origin.MANUAL, user=request.user):
            messages.success(request, f"The status is {word.label.lower()} now.")
    return redirect("console:sequences-detail", shown.pk)


def _enrol(request: MemberRequest, shown: Sequence) -> None:
    try:
        named = people_named(request.POST.get("emails", ""))
        count = enrol(people=named.ids, sequence=shown, origin=Origin.MANUAL, user=request.user)
    except (TooMany, IsArchived) as error:
        messages.error(request, str(error))
        return
    if named.ids:
        messages.success(request, f"{count:,} enrolled." if count else "Everybody named is in it already.")
    if named.unknown:
        messages.error(request, named.missing_words)
    if not named.ids and not named.unknown:
        messages.error(request, "Enter at least one e-mail address.")
