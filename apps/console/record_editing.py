"""Adding and editing people and companies: one road for both, with a page for what was overtaken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.audience.models import Record
from apps.audience.services.people import EmailTaken
from apps.audience.services.records import RecordMoved
from apps.audience.services.values import BadValues
from apps.console.record_forms import RecordForm, clashes, kept_values, to_values
from apps.console.records import name_of
from apps.tenants.access import MemberRequest


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the kinds of records: names, and the services that write. ``parameter`` is what the
    services call a record; ``place`` stands in addresses before its id."""

    local_type: str
    noun: str
    title: str
    area: str
    create: Callable[..., Record]
    update: Callable[..., Record]
    parameter: str = ""
    place: tuple[str, ...] = ()

    @property
    def list_url(self) -> str:
        return reverse(f"console:{self.area}-list", args=self.place)

    def url(self, page: str, record: Record) -> str:
        """The address of a page about a record."""
        return reverse(f"console:{self.area}-{page}", args=[*self.place, record.pk])


def new_record(request: MemberRequest, kind: Kind) -> HttpResponse:
    """The empty form; posted, the record is made."""
    form = RecordForm(request.POST if request.method == "POST" else None, local_type=kind.local_type)
    if request.method == "POST" and form.is_valid():
        try:
            made = kind.create(values=to_values(form.typed()), user=request.user)
        except BadValues as error:
            form.show_errors(error.errors)
        except EmailTaken as error:
            return _taken(request, kind, form, error)
        else:
            messages.success(request, f"{name_of(made)} is added.")
            return redirect(kind.url("detail", made))
    return _page(request, kind, form)


def edit_record(request: MemberRequest, kind: Kind, record: Record) -> HttpResponse:
    """The record's form; posted, what its user touched is changed. A form that was overtaken shows both values."""
    form = RecordForm(request.POST if request.method == "POST" else None, local_type=kind.local_type, record=record)
    if request.method != "POST" or not form.is_valid():
        return _page(request, kind, form, record)
    try:
        saved = kind.update(
            **{kind.parameter or kind.local_type: record},
            values=to_values(form.touched()),
            seen_version=form.seen_version(),
            user=request.user,
        )
    except BadValues as error:
        form.show_errors(error.errors)
        return _page(request, kind, form, record)
    except EmailTaken as error:
        return _taken(request, kind, form, error, record)
    except RecordMoved as error:
        return _conflict(request, kind, form, error)
    words = "is saved." if saved.version != form.seen_version() else "is as it was: nothing was changed."
    messages.success(request, f"{name_of(saved)} {words}")
    return redirect(kind.url("detail", saved))


def _page(
    request: MemberRequest, kind: Kind, form: RecordForm, record: Record | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"kind": kind, "form": form, "record": record, "name": name_of(record) if record else "", **more}
    context |= {"detail_url": kind.url("detail", record)} if record else {}
    return render(request, "console/records/edit.html", context, status=status)


def _taken(
    request: MemberRequest, kind: Kind, form: RecordForm, error: EmailTaken, record: Record | None = None
) -> HttpResponse:
    form.show_errors({"email": str(error)})
    return _page(request, kind, form, record, taken=error.person)


def _conflict(request: MemberRequest, kind: Kind, form: RecordForm, error: RecordMoved) -> HttpResponse:
    found = clashes(form, error.record)
    moves = [
        (move.who, move.at, ", ".join(target.label for name, target in form.known.items() if name in move.fields))
        for move in error.moves
    ]
    context = {
        "kind": kind,
        "detail_url": kind.url("detail", error.record),
        "edit_url": kind.url("edit", error.record),
        "record": error.record,
        "name": name_of(error.record),
        "moves": moves,
        "asked": [clash for clash in found if clash.mine is not None],
        "taken_over": [clash for clash in found if clash.mine is None],
        "mine_only": [form.known[name].label for name in form.touched() if name not in {c.name for c in found}],
        "kept": kept_values(form, error.record, found),
    }
    return render(request, "console/records/conflict.html", context, status=409)
