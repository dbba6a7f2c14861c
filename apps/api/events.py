"""Events: what people did and what was done with them, taken in by the batch."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.crowds import checked
from apps.api.fields import Input, Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.people import PersonInput
from apps.api.records import LONGEST_KEY, ORIGIN, custom_texts, plain
from apps.api.views import ApiView, KeyRequest
from apps.audience.fields import LocalField
from apps.audience.models import RECEIVED_KINDS, Engagement, EventKind, Person
from apps.audience.services.engagements import EventDraft, EventOutcome, EventState, record_engagements
from apps.audience.services.values import fields_of
from apps.core.paging import Order
from apps.tenants.access import load
from apps.tenants.models import Scope

MOST_EVENTS = 1_000
_LATEST = Order("latest", ("happened_at", "id"), (datetime, int), descending=True)
_TAG = ["Events"]


class PersonValuesInput(PersonInput):
    """Fields of a person who is made for an event."""

    def get_fields(self) -> dict[str, fields.AnyField]:
        return {name: field for name, field in super().get_fields().items() if name not in {"email", "external_key"}}


class EventInput(Input):
    """One event. Whose it is, is said by `person_id`, `external_key` or `email`; the first that is there counts."""

    kind = fields.Choice(choices=[kind.value for kind in RECEIVED_KINDS], help_text="What happened.")
    person_id = fields.Id(required=False, allow_null=True, help_text="Id of the person.")
    external_key = fields.Text(
        required=False, allow_blank=True, max_length=LONGEST_KEY, help_text="What your own systems call the person."
    )
    email = fields.Text(required=False, allow_blank=True, max_length=254, help_text="E-mail address of the person.")
    happened_at = fields.Moment(required=False, allow_null=True, help_text="When it happened; left out: now.")
    external_id = fields.Text(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="Your own id of the event: sent ten times, it is one event.",
    )
    subject = fields.Text(
        required=False, allow_blank=True, max_length=2000, help_text="One line about it; left out, it is made."
    )
    details = serializers.DictField(
        required=False,
        help_text="What else is known: url, form, email, link, channel, source, bounce (hard or soft), body, …",
    )
    create_person = fields.Flag(required=False, help_text="true: somebody who is not known yet is made.")
    person = PersonValuesInput(required=False, help_text="Fields of a person who is made; for one who is known, none.")


class EventsInput(Input):
    """Events, in the order in which they happened or not."""

    events: Any = serializers.ListSerializer(
        child=EventInput(), help_text=f"1 to {MOST_EVENTS:,} events.", min_length=1, max_length=MOST_EVENTS
    )


class EventOutcomeOutput(Output):
    """What became of one event."""

    state = serializers.ChoiceField(
        choices=[state.value for state in EventState],
        help_text="recorded; duplicate: its external_id is known already; refused: `message` says why.",
    )
    event_id = serializers.IntegerField(
        source="engagement_id", allow_null=True, help_text="Id of the event; null where there is none."
    )
    person_id = serializers.IntegerField(allow_null=True, help_text="Id of the person; null where there is none.")
    is_new_person = serializers.BooleanField(help_text="true: the person was made for it.")
    message = serializers.CharField(source="words", help_text="Why it was refused; else blank.")


class EventOutcomesOutput(Output):
    """What became of the events, each in the place in which it was sent."""

    recorded = serializers.IntegerField(help_text="How many were recorded.")
    duplicates = serializers.IntegerField(help_text="How many were known already.")
    refused = serializers.IntegerField(help_text="How many were refused.")
    results = EventOutcomeOutput(many=True, help_text="One outcome for each event.")


class EventOutput(Output):
    """An event in a person's timeline."""

    id = serializers.IntegerField(help_text="The event's id.")
    kind = serializers.ChoiceField(choices=[kind.value for kind in EventKind], help_text="What happened.")
    happened_at = serializers.DateTimeField(help_text="When it happened.")
    received_at = serializers.DateTimeField(help_text="When it came here.")
    subject = serializers.CharField(help_text="One line about it.")
    details = serializers.DictField(help_text="What else is known.")
    external_id = serializers.CharField(help_text="Your own id of the event; blank for none.")
    origin = serializers.CharField(help_text="Where it came from: api, import, manual, panel, rule or sync.")
    points = serializers.IntegerField(help_text="What it added to the score.")
    score = serializers.IntegerField(help_text="The person's score after it.")


class EventsView(ApiView):
    """Taking in events."""

    scopes = {"POST": Scope.EVENTS_WRITE}

    @extend_schema(
        operation_id="record_events",
        summary="Report events",
        tags=_TAG,
        request=EventsInput,
        responses=EventOutcomesOutput,
        examples=[
            OpenApiExample(
                "A form",
                value={
                    "events": [
                        {
                            "kind": "form_submitted",
                            "email": "grace@example.com",
                            "external_id": "form-7-row-12",
                            "details": {"form": "Newsletter", "channel": "search"},
                            "create_person": True,
                            "person": {"first_name": "Grace", "last_name": "Hopper"},
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: KeyRequest) -> Response:
        """Report up to 1,000 events. One that cannot be taken stops no other: each has its own outcome.

        A request that is not in the form that this document says is refused whole, with 400.
        """
        known: dict[str, LocalField] = {}
        drafts = [_draft(event, known) for event in checked(EventsInput, request.data)["events"]]
        outcomes = record_engagements(events=drafts, origin=ORIGIN, actor=request.user)
        return Response(
            {
                "recorded": _count(outcomes, EventState.RECORDED),
                "duplicates": _count(outcomes, EventState.DUPLICATE),
                "refused": _count(outcomes, EventState.REFUSED),
                "results": EventOutcomeOutput(outcomes, many=True).data,
            }
        )


class PersonEventsView(ApiView):
    """A person's timeline."""

    scopes = {"GET": Scope.EVENTS_READ}

    @extend_schema(
        operation_id="list_person_events",
        summary="List a person's events",
        tags=_TAG,
        parameters=[PageQuery],
        responses=page_output(EventOutput),
    )
    def get(self, request: KeyRequest, person_id: int) -> Response:
        """A person's events, the latest first."""
        rows = Engagement.objects.filter(person_id=load(Person, person_id).pk)
        return page_answer(
            rows,
            order=_LATEST,
            wanted=asked(PageQuery, request),
            show=lambda found: EventOutput(found, many=True).data,
        )


def _count(outcomes: list[EventOutcome], state: EventState) -> int:
    return sum(outcome.state is state for outcome in outcomes)


def _draft(event: dict[str, Any], known: dict[str, LocalField]) -> EventDraft:
    """An event as the service takes it. ``known`` keeps the definitions of custom fields for the whole batch."""
    given = dict(event.get("person", {}))
    custom = given.pop("custom", {})
    if custom and not known:
        known.update(fields_of("person"))
    return EventDraft(
        kind=event["kind"],
        person_id=event.get("person_id"),
        external_key=event.get("external_key", ""),
        email=event.get("email", ""),
        happened_at=event.get("happened_at"),
        external_id=event.get("external_id", ""),
        subject=event.get("subject", ""),
        details=event.get("details", {}),
        creates=event.get("create_person", False),
        values={name: plain(value) for name, value in given.items()} | custom_texts("person", custom, known),
    )
