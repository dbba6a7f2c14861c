"""The panel: the page that Salesforce frames, and its parts, which the page asks for with its token."""

from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import List, Origin, Sequence
from apps.audience.services.lists import add_to_list
from apps.audience.services.people import set_opt_out
from apps.audience.services.sequences import IsArchived, enrol
from apps.embedded.framing import any_salesforce, frame_ancestors, framed
from apps.embedded.looking import (
    TOKEN_LIFETIME,
    Onlooker,
    mint,
    panel_part,
    refusal,
    take_signed_request,
)
from apps.embedded.refusals import REFUSALS
from apps.embedded.shown import panel_of, person_of, run_of, sync_state
from apps.embedded.signed_request import Reason, Refused
from apps.integrations.models import Connection
from apps.sync.models import SyncRun
from apps.sync.services import CannotStart, sync_row_now
from apps.tenants.scope import tenant_transaction

Row = TypeVar("Row", List, Sequence)


@csrf_exempt
def canvas(request: HttpRequest) -> HttpResponse:
    """What Salesforce Canvas loads: a POST with a signed request opens the panel, anything else is explained.

    No cookie is read or set: the signed request says who is looking, and the token in the page goes on from there.
    """
    if request.method != "POST":
        reason = Reason.NOT_APPROVED if "_sfdc_canvas_auth" in request.GET else Reason.NOT_FRAMED
        return framed(refusal(request, reason), any_salesforce())
    try:
        onlooker = take_signed_request(request)
    except Refused as refused:
        return framed(refusal(request, refused.reason), any_salesforce())
    with tenant_transaction(onlooker.tenant_id):
        connection = Connection.objects.get(id=onlooker.connection_id)
        context = {
            "panel": panel_of(connection, onlooker),
            "onlooker": onlooker,
            "token": mint(onlooker),
            "lifetime": int(TOKEN_LIFETIME.total_seconds()),
            "expired": REFUSALS[Reason.STALE],
        }
        return framed(render(request, "embedded/panel.html", context), frame_ancestors(connection.instance_url))


def _body(
    request: HttpRequest, onlooker: Onlooker, connection: Connection, *, run: SyncRun | None = None, said: str = ""
) -> HttpResponse:
    """Everything below the panel's head, anew. ``said`` is what just happened."""
    context = {"panel": panel_of(connection, onlooker, run), "onlooker": onlooker, "said": said}
    return render(request, "embedded/_body.html", context)


@require_POST
@panel_part
def sync(request: HttpRequest, onlooker: Onlooker, connection: Connection) -> HttpResponse:
    """Sync this record now, both ways; one that is not here yet is brought in first."""
    refused = sync_state(connection, onlooker, person_of(connection, onlooker)).refusal
    if refused:
        return _body(request, onlooker, connection, said=refused)
    try:
        run = sync_row_now(connection=connection, sobject=onlooker.sobject, remote_id=onlooker.remote_id, user=onlooker)
    except CannotStart as error:
        return _body(request, onlooker, connection, said=str(error))
    return _body(request, onlooker, connection, run=run)


@require_GET
@panel_part
def sync_run(request: HttpRequest, onlooker: Onlooker, connection: Connection) -> HttpResponse:
    """How far the run is: its card alone while it is open, then everything, for it may have changed anything."""
    run = run_of(connection, onlooker, request.GET.get("run", ""))
    if run is None or not run.is_open:
        return _body(request, onlooker, connection, run=run)
    state = sync_state(connection, onlooker, person_of(connection, onlooker), run)
    return render(request, "embedded/_sync.html", {"sync": state})


@require_POST
@panel_part
def opt_out(request: HttpRequest, onlooker: Onlooker, connection: Connection) -> HttpResponse:
    """Opt the person out of e-mail; opting in again needs the person's own wish, and a member here."""
    person = person_of(connection, onlooker)
    if person is None:
        return _body(request, onlooker, connection, said="This person is not in Syncline.")
    set_opt_out(person=person, opted_out=True, source=onlooker.display_name, user=onlooker, origin=Origin.PANEL)
    return _body(request, onlooker, connection, said=f"{person.display_name} is opted out of e-mail.")


@require_POST
@panel_part
def add_to_a_list(request: HttpRequest, onlooker: Onlooker, connection: Connection) -> HttpResponse:
    """Put the person on the list that is chosen."""
    person, chosen = person_of(connection, onlooker), _chosen(List, request, "list")
    if person is None or chosen is None:
        return _body(request, onlooker, connection, said="Choose a list first.")
    added = add_to_list(people=[person], to=chosen, origin=Origin.PANEL, user=onlooker)
    words = "is on" if added else "was on"
    return _body(request, onlooker, connection, said=f"{person.display_name} {words} {chosen.name}.")


@require_POST
@panel_part
def enrol_in_sequence(request: HttpRequest, onlooker: Onlooker, connection: Connection) -> HttpResponse:
    """Enrol the person in the sequence that is chosen."""
    person, chosen = person_of(connection, onlooker), _chosen(Sequence, request, "sequence")
    if person is None or chosen is None:
        return _body(request, onlooker, connection, said="Choose a sequence first.")
    try:
        enrol(people=[person], sequence=chosen, origin=Origin.PANEL, user=onlooker)
    except IsArchived as error:
        return _body(request, onlooker, connection, said=str(error))
    return _body(request, onlooker, connection, said=f"{person.display_name} is in {chosen.name}.")


def _chosen(model: type[Row], request: HttpRequest, name: str) -> Row | None:
    """The tenant's row that a form names; None for anything else."""
    text = request.POST.get(name, "")
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:20]) < 2**63:
        return None
    found: Row | None = model.objects.filter(id=int(text)).first()
    return found
