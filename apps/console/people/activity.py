"""What a person did and what was done with them: events with icons, the score, lists and sequences."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import Engagement, EnrolmentStatus, EventKind, List, Origin, Person, Sequence, TaskState
from apps.audience.selectors.engagements import BY_TIME, POINTS, engagements_of, latest_engagements
from apps.audience.selectors.lists import open_lists
from apps.audience.selectors.sequences import enrolments_of, open_sequences
from apps.audience.services.lists import add_to_list, remove_from_list
from apps.audience.services.scores import LARGEST_POINTS, change_score
from apps.audience.services.sequences import IsArchived, enrol, set_status
from apps.console.listing import listing, tabs
from apps.console.record_lists import number_in
from apps.console.sequences.views import STATUS_TONES
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

SHOWN_FIRST = 6
_POINTS_SHOWN = 5
_LONGEST_REASON = 200
_ICONS: dict[str, tuple[str, str]] = {
    EventKind.FORM_SUBMITTED: ("clipboard-list", "brand"),
    EventKind.EMAIL_SENT: ("send", ""),
    EventKind.EMAIL_OPENED: ("mail-open", "busy"),
    EventKind.EMAIL_CLICKED: ("mouse-pointer-click", "busy"),
    EventKind.EMAIL_BOUNCED: ("mail-x", "bad"),
    EventKind.UNSUBSCRIBED: ("bell-off", "bad"),
    EventKind.PAGE_VISITED: ("globe", ""),
    EventKind.CALL_LOGGED: ("phone", "brand"),
    EventKind.TASK_LOGGED: ("square-check", "brand"),
    EventKind.REPLIED: ("reply", "ok"),
    EventKind.LIST_JOINED: ("list-plus", ""),
    EventKind.LIST_LEFT: ("list-x", ""),
    EventKind.SCORE_CHANGED: ("trending-up", ""),
    EventKind.SEQUENCE_CHANGED: ("list-ordered", ""),
    EventKind.PERSON_CREATED: ("user-plus", ""),
}
_LINES = ("body", "url", "link")
_FACTS = {"form": "Form", "email": "E-mail", "channel": "Channel", "source": "Source", "by": "By"}
_TABS: dict[str, dict[str, str]] = {
    "Everything": {},
    "E-mail": {"show": "email"},
    "Forms and visits": {"show": "web"},
    "Calls and tasks": {"show": "sales"},
    "Done here": {"show": "here"},
    "Points": {"show": POINTS},
}
_TASK_WORDS: dict[str, tuple[str, str]] = {
    TaskState.WAITING: ("Waits to be a task", "busy"),
    TaskState.SENT: ("Task in Salesforce", "ok"),
    TaskState.REFUSED: ("Refused as a task", "bad"),
}


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as the page shows it. ``link`` is an address that may be opened."""

    event: Engagement
    title: str
    icon: str
    tone: str
    lines: list[str]
    link: str
    task: str
    task_tone: str

    @property
    def subject(self) -> str:
        """What is told beside the title."""
        said = self.event.subject
        return "" if said == self.title else said.removeprefix(f"{self.title}: ")

    @property
    def points(self) -> str:
        return f"{self.event.points:+d}" if self.event.points else ""


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """A person's place in a sequence."""

    enrolment: Any
    status: EnrolmentStatus
    tone: str

    @property
    def is_running(self) -> bool:
        return self.status in {EnrolmentStatus.ACTIVE, EnrolmentStatus.PAUSED}

    @property
    def is_paused(self) -> bool:
        return self.status is EnrolmentStatus.PAUSED


def event_view(event: Engagement) -> EventView:
    """An event in words; details are text, whatever was sent."""
    icon, tone = _ICONS.get(event.kind, ("circle", ""))
    kind = EventKind(event.kind) if event.kind in set(EventKind) else None
    task, task_tone = _TASK_WORDS.get(event.task_state, ("", ""))
    link = str(event.details.get("link") or event.details.get("url") or "")
    lines = [text for name in _LINES if (text := _line(event, name))]
    facts = [f"{label}: {text}" for name, label in _FACTS.items() if (text := _line(event, name))]
    lines += [" · ".join(facts)] if facts else []
    return EventView(event, kind.label if kind else event.kind, icon, tone, lines, _safe(link), task, task_tone)


def _line(event: Engagement, name: str) -> str:
    return " ".join(str(event.details.get(name) or "").split())[:300]


def _safe(link: str) -> str:
    """An address of the web; anything else is no link."""
    try:
        return link if urlsplit(link).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def activity_context(person: Person) -> dict[str, Any]:
    """What the person's page shows of this: the last events, the score, lists and sequences to choose from."""
    enrolments = [
        EnrolmentView(one, EnrolmentStatus(one.status), STATUS_TONES[one.status]) for one in enrolments_of(person)
    ]
    latest = latest_engagements(person, SHOWN_FIRST + 1)
    inside = {one.enrolment.sequence_id for one in enrolments if one.is_running}
    return {
        "events": [event_view(event) for event in latest[:SHOWN_FIRST]],
        "has_more_events": len(latest) > SHOWN_FIRST,
        "point_events": [event_view(event) for event in latest_engagements(person, _POINTS_SHOWN, POINTS)],
        "enrolments": enrolments,
        "open_sequences": [one for one in open_sequences() if one.pk not in inside],
        "open_lists": open_lists(),
    }


@require_GET
@member_page(Right.VIEW)
def activity(request: MemberRequest, person_id: int) -> HttpResponse:
    """Everything that happened with a person, filtered and paged."""
    person = load(Person, person_id)
    found = listing(request, engagements_of(person, request.GET.get("show", "")), BY_TIME)
    context = {
        "person": person,
        "found": found,
        "events": [event_view(event) for event in found.rows],
        "tabs": tabs(request, _TABS),
    }
    return render(request, "console/people/activity.html", context)


@require_POST
@member_page(Right.EDIT_RECORDS)
def score(request: MemberRequest, person_id: int) -> HttpResponse:
    """Add points to a person's score, or take some, with the reason."""
    person = load(Person, person_id)
    text = request.POST.get("points", "").strip().replace("\u2212", "-")
    reason = " ".join(request.POST.get("reason", "").replace("\0", "").split())[:_LONGEST_REASON]
    digits = text.removeprefix("+").removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 5 and 0 < int(digits) <= LARGEST_POINTS):
        messages.error(request, f"Enter a number of points between -{LARGEST_POINTS:,} and {LARGEST_POINTS:,}.")
        return redirect("console:people-detail", person.pk)
    by = -int(digits) if text.startswith("-") else int(digits)
    changed = change_score(person=person, by=by, origin=Origin.MANUAL, reason=reason, user=request.user)
    messages.success(request, f"The score is {changed.score:,} now.")
    return redirect("console:people-detail", person.pk)


@require_POST
@member_page(Right.EDIT_RECORDS)
def lists(request: MemberRequest, person_id: int) -> HttpResponse:
    """Put a person on a list, or take them off one."""
    person = load(Person, person_id)
    chosen = load(List, number_in(request.POST.get("list", "")))
    if request.POST.get("deed") == "remove":
        remove_from_list(people=[person], of=chosen, origin=Origin.MANUAL, user=request.user)
        messages.success(request, f"{person.display_name} is off the list “{chosen.name}”.")
    else:
        add_to_list(people=[person], to=chosen, origin=Origin.MANUAL, user=request.user)
        messages.success(request, f"{person.display_name} is on the list “{chosen.name}”.")
    return redirect("console:people-detail", person.pk)


@require_POST
@member_page(Right.EDIT_RECORDS)
def sequences(request: MemberRequest, person_id: int) -> HttpResponse:
    """Enrol a person in a sequence, or pause, go on with or end it."""
    person = load(Person, person_id)
    chosen = load(Sequence, number_in(request.POST.get("sequence", "")))
    status = request.POST.get("status", "")
    try:
        if status in set(EnrolmentStatus):
            word = EnrolmentStatus(status)
            set_status(people=[person], sequence=chosen, status=word, origin=Origin.MANUAL, user=request.user)
        else:
            enrol(people=[person], sequence=chosen, origin=Origin.MANUAL, user=request.user)
    except IsArchived as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{chosen.name}” is up to date.")
    return redirect("console:people-detail", person.pk)
