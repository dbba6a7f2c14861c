"""Webhooks: endpoints, their secrets, and the log of what was delivered (I04, K08)."""

import json

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.console.listing import listing
from apps.console.webhooks.forms import EndpointForm
from apps.core.paging import Order
from apps.domain.webhooks import WebhookEvent
from apps.notifications.models import Attempt, Delivery, DeliveryState, EndpointKind, WebhookEndpoint
from apps.notifications.webhooks.delivering import body_of
from apps.notifications.webhooks.endpoints import (
    TooManyEndpoints,
    create_endpoint,
    delete_endpoint,
    replay,
    rotate_secret,
    send_test,
    switch_endpoint,
    update_endpoint,
)
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_NEWEST = Order("newest", ("id",), (int,), descending=True)
_TONES = {DeliveryState.WAITING: "busy", DeliveryState.DELIVERED: "ok", DeliveryState.FAILED: "bad"}
_MOST_ATTEMPTS_SHOWN = 50


def _words(names: list[str]) -> list[str]:
    known = {event.value: event.label for event in WebhookEvent}
    return [known[name] for name in names if name in known]


def _health(endpoint: WebhookEndpoint) -> tuple[str, str]:
    """The colour and the word for how an endpoint is doing."""
    if not endpoint.is_enabled:
        return ("bad", "Switched off by Syncline") if endpoint.disabled_reason else ("off", "Off")
    if endpoint.failing_since is not None:
        return "warn", "Failing"
    return ("ok", "Healthy") if endpoint.last_success_at else ("off", "Nothing sent yet")


def _shown(row: Delivery) -> dict[str, object]:
    known = {event.value: event.label for event in WebhookEvent}
    state = DeliveryState(row.state)
    return {
        "row": row,
        "event": known.get(row.event, row.event),
        "title": row.payload.get("title", ""),
        "tone": "warn" if state is DeliveryState.WAITING and row.attempts else _TONES[state],
        "state": "Failed, tried again" if state is DeliveryState.WAITING and row.attempts else state.value.capitalize(),
    }


@require_GET
@member_page(Right.EDIT_SETTINGS)
def webhooks_list(request: MemberRequest) -> HttpResponse:
    """Every endpoint and how it is doing."""
    rows = [
        {"endpoint": row, "health": _health(row), "events": _words(row.events), "kind": EndpointKind(row.kind).label}
        for row in WebhookEndpoint.objects.order_by("name", "id")
    ]
    return render(request, "console/webhooks/list.html", {"rows": rows})


@member_page(Right.EDIT_SETTINGS)
def new(request: MemberRequest) -> HttpResponse:
    """Add an endpoint; its secret is shown in the answer, once."""
    if request.method != "POST":
        return render(request, "console/webhooks/form.html", {"form": EndpointForm()})
    form = EndpointForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            endpoint, secret = create_endpoint(
                name=said["name"],
                kind=EndpointKind(said["kind"]),
                url=said["url"],
                events=said["events"],
                with_bulk=said["with_bulk"],
                user=request.user,
            )
        except TooManyEndpoints as refusal:
            form.add_error(None, str(refusal))
        else:
            if endpoint.kind == EndpointKind.SLACK:
                messages.success(request, f"{endpoint.name} is added. Send a test to see it work.")
                return redirect("console:webhooks-detail", endpoint.pk)
            return _secret_page(request, endpoint, secret, is_new=True)
    return render(request, "console/webhooks/form.html", {"form": form}, status=422)


def _secret_page(request: MemberRequest, endpoint: WebhookEndpoint, secret: str, *, is_new: bool) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": secret, "is_new": is_new}
    answer = render(request, "console/webhooks/secret.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@require_GET
@member_page(Right.EDIT_SETTINGS)
def detail(request: MemberRequest, endpoint_id: int) -> HttpResponse:
    """An endpoint with its log."""
    endpoint = load(WebhookEndpoint, endpoint_id)
    rows = Delivery.objects.filter(endpoint=endpoint)
    wanted = request.GET.get("state", "")
    if wanted in set(DeliveryState):
        rows = rows.filter(state=wanted)
    found = listing(request, rows, _NEWEST)
    context = {
        "endpoint": endpoint,
        "health": _health(endpoint),
        "kind": EndpointKind(endpoint.kind).label,
        "is_slack": endpoint.kind == EndpointKind.SLACK,
        "events": _words(endpoint.events),
        "found": found,
        "deliveries": [_shown(row) for row in found.rows],
        "states": [("", "All"), *((state.value, state.value.capitalize()) for state in DeliveryState)],
        "wanted": wanted,
    }
    return render(request, "console/webhooks/detail.html", context)


@member_page(Right.EDIT_SETTINGS)
def edit(request: MemberRequest, endpoint_id: int) -> HttpResponse:
    """Change an endpoint."""
    endpoint = load(WebhookEndpoint, endpoint_id)
    is_slack = endpoint.kind == EndpointKind.SLACK
    if request.method != "POST":
        known = {"name": endpoint.name, "events": endpoint.events, "with_bulk": endpoint.with_bulk}
        form = EndpointForm(initial=known, is_new=False, is_slack=is_slack)
        return render(request, "console/webhooks/form.html", {"form": form, "endpoint": endpoint})
    form = EndpointForm(request.POST, is_new=False, is_slack=is_slack)
    if not form.is_valid():
        return render(request, "console/webhooks/form.html", {"form": form, "endpoint": endpoint}, status=422)
    said = form.cleaned_data
    update_endpoint(
        endpoint=endpoint, name=said["name"], url=said["url"], events=said["events"], with_bulk=said["with_bulk"],
        user=request.user,
    )  # fmt: skip
    messages.success(request, f"{endpoint.name} is saved.")
    return redirect("console:webhooks-detail", endpoint.pk)


@require_POST
@member_page(Right.EDIT_SETTINGS)
def switch(request: MemberRequest, endpoint_id: int) -> HttpResponse:
    """Switch an endpoint on or off."""
    endpoint = load(WebhookEndpoint, endpoint_id)
    is_on = request.POST.get("on") == "yes"
    switch_endpoint(endpoint=endpoint, is_enabled=is_on, user=request.user)
    messages.success(request, f"{endpoint.name} is {'on' if is_on else 'off'}.")
    return redirect("console:webhooks-detail", endpoint.pk)


@require_POST
@member_page(Right.EDIT_SETTINGS)
def test(request: MemberRequest, endpoint_id: int) -> HttpResponse:
    """Send a test event."""
    row = send_test(endpoint=load(WebhookEndpoint, endpoint_id), user=request.user)
    messages.success(request, "A test is on its way.")
    return redirect("console:webhooks-delivery", row.pk)


@require_POST
@member_page(Right.EDIT_SETTINGS)
def rotate(request: MemberRequest, endpoint_id: int) -> HttpResponse:
    """Give an endpoint a new secret, shown in the answer, once."""
    endpoint = load(WebhookEndpoint, endpoint_id)
    return _secret_page(request, endpoint, rotate_secret(endpoint=endpoint, user=request.user), is_new=False)


@member_page(Right.EDIT_SETTINGS)
def delete(request: MemberRequest, endpoint_id: int) -> HttpResponse:
    """Delete an endpoint with its log, after a question."""
    endpoint = load(WebhookEndpoint, endpoint_id)
    if request.method != "POST":
        return render(request, "console/webhooks/delete.html", {"endpoint": endpoint})
    delete_endpoint(endpoint=endpoint, user=request.user)
    messages.success(request, f"{endpoint.name} is deleted.")
    return redirect("console:webhooks-list")


@require_GET
@member_page(Right.EDIT_SETTINGS)
def delivery(request: MemberRequest, delivery_id: int) -> HttpResponse:
    """One delivery: what was sent, each attempt, and what came back."""
    row = load(Delivery, delivery_id)
    context = {
        "view": _shown(row),
        "row": row,
        "body": json.dumps(json.loads(body_of(row)), indent=2, ensure_ascii=False),
        "attempts": Attempt.objects.filter(delivery=row).order_by("-id")[:_MOST_ATTEMPTS_SHOWN],
    }
    return render(request, "console/webhooks/delivery.html", context)


@require_POST
@member_page(Right.EDIT_SETTINGS)
def replay_one(request: MemberRequest, delivery_id: int) -> HttpResponse:
    """Deliver again."""
    row = load(Delivery, delivery_id)
    if row.endpoint is not None and not row.endpoint.is_enabled:
        messages.error(request, "The webhook is off. Switch it on first.")
    else:
        replay(delivery=row, user=request.user)
        messages.success(request, "It is on its way again, with the same event id.")
    return redirect("console:webhooks-delivery", row.pk)
