"""Doing one thing with many records: what is asked first, and how far it is."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import List
from apps.audience.selectors.companies import companies
from apps.audience.selectors.companies import matching_ids as matching_companies
from apps.audience.selectors.people import matching_ids as matching_people
from apps.audience.selectors.people import people
from apps.audience.selectors.saved_filters import saved_filters
from apps.console.companies.forms import CompanyFilterForm
from apps.console.listing import count_words
from apps.console.people.forms import PeopleFilterForm
from apps.console.record_lists import AREAS, FILTER, number_in
from apps.core.search import search_text
from apps.integrations.services.oauth import live_connection
from apps.sync.bulk import MOST_CHOSEN, Criteria, cancel_bulk, start_bulk
from apps.sync.models import BulkAction, BulkKind, BulkState
from apps.sync.selectors.links import ids_behind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_MANY = {"people": ("person", "people"), "companies": ("company", "companies")}
_LONGEST_QUERY = 2_000
_MOST_LISTS = 500


@dataclass(frozen=True, slots=True)
class Deed:
    """An action in words."""

    kind: BulkKind
    label: str
    explained: str
    icon: str
    is_danger: bool = False


_DEEDS = {
    deed.kind: deed
    for deed in (
        Deed(
            BulkKind.PUSH,
            "Push",
            "What these records hold is sent to Salesforce, as far as steps and mappings allow. It is read "
            "first: only fields that differ are written, and what somebody has changed there meanwhile is kept.",
            "send",
        ),
        Deed(
            BulkKind.SYNC,
            "Sync now",
            "Each record is compared with Salesforce and brought in line, both ways, with as few calls as possible.",
            "refresh-cw",
        ),
        Deed(
            BulkKind.ADD_TO_LIST,
            "Add to list",
            "They join the list; whoever is on it already stays. A Campaign's new members are told to Salesforce.",
            "list-plus",
        ),
        Deed(
            BulkKind.DEACTIVATE,
            "Deactivate",
            "They are taken out of use here and can be reactivated one by one. Nothing is deleted in Salesforce.",
            "circle-off",
            is_danger=True,
        ),
    )
}


def deeds_of(area: str) -> list[Deed]:
    """What can be done with many records of an area."""
    return [deed for deed in _DEEDS.values() if area == "people" or deed.kind is not BulkKind.ADD_TO_LIST]


@require_POST
@member_page(Right.EDIT_RECORDS)
def ask(request: MemberRequest, area: str) -> HttpResponse:
    """The question before the deed: what is done, and with how many."""
    deed = _deed(area, request.POST.get("action", ""))
    chosen = _chosen(request)
    if not chosen.is_all and not chosen.ids:
        messages.info(request, f"Tick the {_MANY[area][1]} first.")
        return redirect(_back(area, chosen.query))
    count = f"{len(chosen.ids):,}" if not chosen.is_all else _count(area, chosen)
    one, many = _MANY[area]
    context = {
        "area": area,
        "deed": deed,
        "chosen": chosen,
        "count": count,
        "things": one if count == "1" else many,
        "back": _back(area, chosen.query),
        "lists": _lists()[:_MOST_LISTS] if deed.kind is BulkKind.ADD_TO_LIST else None,
        "is_connected": live_connection() is not None,
    }
    return render(request, "console/bulk/ask.html", context)


@require_POST
@member_page(Right.EDIT_RECORDS)
def start(request: MemberRequest, area: str) -> HttpResponse:
    """Queue the deed, and show how far it is."""
    deed = _deed(area, request.POST.get("action", ""))
    chosen = _chosen(request)
    list_id = number_in(request.POST.get("list", "")) or None
    if deed.kind is BulkKind.ADD_TO_LIST and not _lists().filter(id=list_id).exists():
        messages.error(request, "Choose a list.")
        return redirect(_back(area, chosen.query))
    if not chosen.is_all and not chosen.ids:
        messages.info(request, f"Tick the {_MANY[area][1]} first.")
        return redirect(_back(area, chosen.query))
    is_to_list = deed.kind is BulkKind.ADD_TO_LIST
    criteria = _criteria(area, chosen)
    action = start_bulk(kind=deed.kind, criteria=criteria, user=request.user, list_id=list_id if is_to_list else None)
    return redirect("console:bulk-detail", action.pk)


@require_GET
@member_page(Right.VIEW)
def detail(request: MemberRequest, action_id: int) -> HttpResponse:
    """How far an action is, and what it has come to."""
    action = load(BulkAction, action_id)
    area = next(area for area, record_type in AREAS.items() if record_type == action.record_type)
    tones = {BulkState.DONE: "ok", BulkState.CANCELLED: "warn"}
    words = {
        BulkState.WAITING: "Waiting for a worker",
        BulkState.RUNNING: "Under way",
        BulkState.DONE: "Done",
        BulkState.CANCELLED: "Stopped",
    }
    context: dict[str, Any] = {
        "action": action,
        "area": area,
        "deed": _DEEDS[BulkKind(action.kind)],
        "things": _MANY[area][1],
        "tone": tones.get(BulkState(action.state), "busy"),
        "state": words[BulkState(action.state)],
        "expected": len(action.criteria["ids"]) if "ids" in action.criteria else None,
        "list": List.objects.filter(id=action.list_id).first() if action.list_id else None,
        "may_cancel": action.is_open and request.membership.may(Right.EDIT_RECORDS),
    }
    return render(request, "console/bulk/detail.html", context)


@require_POST
@member_page(Right.EDIT_RECORDS)
def cancel(request: MemberRequest, action_id: int) -> HttpResponse:
    """Stop an action; what it has done stays."""
    if cancel_bulk(action=load(BulkAction, action_id), user=request.user):
        messages.success(request, "Stopped. What was done so far stays.")
    else:
        messages.info(request, "It was over already.")
    return redirect("console:bulk-detail", action_id)


# -- what was chosen ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """The records that were ticked, or all that match the list's address."""

    ids: list[int]
    is_all: bool
    query: str

    @property
    def said(self) -> QueryDict:
        """The list's address as the list page reads it."""
        said = QueryDict(mutable=True)
        for name, value in parse_qsl(self.query):
            said[name] = value.replace("\0", "")
        return said


def _chosen(request: MemberRequest) -> Chosen:
    query = request.POST.get("query", "")[:_LONGEST_QUERY]
    ids = [number for text in request.POST.getlist("id")[:MOST_CHOSEN] if (number := number_in(text))]
    return Chosen(sorted(set(ids)), request.POST.get("scope") == "all", query)


def _deed(area: str, action: str) -> Deed:
    if area not in _MANY:
        raise Http404
    found = next((deed for deed in deeds_of(area) if deed.kind.value == action), None)
    if found is None:
        raise Http404
    return found


def _back(area: str, query: str) -> str:
    path = reverse(f"console:{area}-list")
    safe = Chosen([], False, query).said.urlencode()
    return f"{path}?{safe}" if safe else path


def _criteria(area: str, chosen: Chosen) -> Criteria:
    """What the worker is told. A search is answered now: its ids are frozen."""
    record_type = AREAS[area]
    if not chosen.is_all:
        return Criteria(record_type, ids=chosen.ids)
    wanted = _wanted(area, chosen)
    saved = saved_filters(record_type).filter(id=number_in(chosen.said.get(FILTER, ""))).first()
    tree = saved.tree if saved else None
    if search_text(wanted.search):
        return Criteria(record_type, ids=_searched(area, wanted), tree=tree)
    return Criteria(record_type, wanted=wanted, tree=tree)


def _searched(area: str, wanted: Any) -> list[int]:
    finder: Any = matching_people if area == "people" else matching_companies
    return list(finder(wanted, also=ids_behind(wanted.search, AREAS[area])))


def _wanted(area: str, chosen: Chosen) -> Any:
    return (PeopleFilterForm if area == "people" else CompanyFilterForm)(chosen.said).wanted()


def _count(area: str, chosen: Chosen) -> str:
    wanted = _wanted(area, chosen)
    if chosen.said.get(FILTER):
        return ""
    if search_text(wanted.search):
        return f"{len(_searched(area, wanted)):,}"
    rows: Any = people(wanted) if area == "people" else companies(wanted)
    return count_words(rows)


def _lists() -> Any:
    return List.objects.filter(is_active=True, is_archived=False).order_by("name_key", "id")
