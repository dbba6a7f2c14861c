"""Sequences, and who is led through them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.crowds import PeopleChangedOutput, PeopleInput, changed_answer, checked
from apps.api.fields import Input, Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.records import ORIGIN
from apps.api.views import ApiView, KeyRequest
from apps.audience.models import EnrolmentStatus, Sequence, SequenceEnrolment
from apps.audience.services.names import LONGEST_NAME
from apps.audience.services.sequences import create_sequence, enrol, move, set_status, update_sequence
from apps.core.paging import Order
from apps.tenants.access import load
from apps.tenants.models import Scope

_BY_NAME = Order("name", ("name_key", "id"), (str, int))
_BY_PERSON = Order("person", ("person_id",), (int,))
_TAG = ["Sequences"]
_LONGEST_DESCRIPTION = 5_000
_STATUSES = [status.value for status in EnrolmentStatus]


class SequenceOutput(Output):
    """A sequence: a series of steps that people are led through."""

    id = serializers.IntegerField(help_text="The sequence's id.")
    name = serializers.CharField(help_text="Its name.")
    description = serializers.CharField(help_text="What it is for; blank for nothing.")
    is_active = serializers.BooleanField(help_text="false: archived, nobody is enrolled any more.")
    created_at = serializers.DateTimeField(help_text="When it was made.")
    updated_at = serializers.DateTimeField(help_text="When it was last changed.")


class SequenceInput(Input):
    """A new sequence."""

    name = fields.Text(max_length=LONGEST_NAME, help_text="Its name; no other sequence may have it.")
    description = fields.Text(
        required=False, allow_blank=True, max_length=_LONGEST_DESCRIPTION, help_text="What it is for."
    )


class SequenceUpdateInput(Input):
    """What changes of a sequence."""

    name = fields.Text(required=False, max_length=LONGEST_NAME, help_text="Another name.")
    description = fields.Text(
        required=False, allow_blank=True, max_length=_LONGEST_DESCRIPTION, help_text="What it is for."
    )
    is_active = fields.Flag(required=False, help_text="false: archive it; true: take it up again.")


class EnrolmentOutput(Output):
    """A person in a sequence."""

    person_id = serializers.IntegerField(help_text="Id of the person.")
    status = serializers.ChoiceField(choices=_STATUSES, help_text="Where they stand.")
    enrolled_at = serializers.DateTimeField(help_text="When they were enrolled.")
    changed_at = serializers.DateTimeField(help_text="When the status last changed.")


class EnrolmentsQuery(PageQuery):
    """Which enrolments."""

    status = serializers.ChoiceField(required=False, choices=_STATUSES, help_text="In this status.")


class EnrolInput(PeopleInput):
    """Who is enrolled."""

    moves = fields.Flag(required=False, help_text="true: they leave every other sequence that they are in.")


class EnrolmentStatusInput(PeopleInput):
    """Whose status changes, and to what."""

    status = fields.Choice(choices=_STATUSES, help_text="The new status.")


class SequencesView(ApiView):
    """All sequences of the account."""

    scopes = {"GET": Scope.SEQUENCES_READ, "POST": Scope.SEQUENCES_WRITE}

    @extend_schema(
        operation_id="list_sequences",
        summary="List sequences",
        tags=_TAG,
        parameters=[PageQuery],
        responses=page_output(SequenceOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """All sequences, by name."""
        return page_answer(
            Sequence.objects.all(),
            order=_BY_NAME,
            wanted=asked(PageQuery, request),
            show=lambda found: SequenceOutput(found, many=True).data,
        )

    @extend_schema(
        operation_id="create_sequence",
        summary="Make a sequence",
        tags=_TAG,
        request=SequenceInput,
        responses={201: SequenceOutput},
        examples=[OpenApiExample("Welcome", value={"name": "Welcome"}, request_only=True)],
    )
    def post(self, request: KeyRequest) -> Response:
        """Make a sequence."""
        given = checked(SequenceInput, request.data)
        made = create_sequence(name=given["name"], description=given.get("description", ""), user=request.user)
        headers = {"Location": f"/api/v1/sequences/{made.pk}/"}
        return Response(SequenceOutput(made).data, status=201, headers=headers)


class SequenceView(ApiView):
    """One sequence."""

    scopes = {"GET": Scope.SEQUENCES_READ, "PATCH": Scope.SEQUENCES_WRITE}

    @extend_schema(operation_id="get_sequence", summary="Read a sequence", tags=_TAG, responses=SequenceOutput)
    def get(self, request: KeyRequest, sequence_id: int) -> Response:
        """One sequence."""
        return Response(SequenceOutput(load(Sequence, sequence_id)).data)

    @extend_schema(
        operation_id="update_sequence",
        summary="Change a sequence",
        tags=_TAG,
        request=SequenceUpdateInput,
        responses=SequenceOutput,
    )
    def patch(self, request: KeyRequest, sequence_id: int) -> Response:
        """Rename, describe, archive or take up again."""
        row = load(Sequence, sequence_id)
        given: dict[str, Any] = {"name": row.name, "description": row.description, "is_active": row.is_active}
        given |= checked(SequenceUpdateInput, request.data)
        return Response(SequenceOutput(update_sequence(sequence=row, user=request.user, **given)).data)


class EnrolmentsView(ApiView):
    """Who is in a sequence."""

    scopes = {"GET": Scope.SEQUENCES_READ, "POST": Scope.SEQUENCES_WRITE}

    @extend_schema(
        operation_id="list_enrolments",
        summary="List the people in a sequence",
        tags=_TAG,
        parameters=[EnrolmentsQuery],
        responses=page_output(EnrolmentOutput),
    )
    def get(self, request: KeyRequest, sequence_id: int) -> Response:
        """The people in a sequence, in the order of their ids."""
        wanted = asked(EnrolmentsQuery, request)
        rows = SequenceEnrolment.objects.filter(sequence_id=load(Sequence, sequence_id).pk)
        if "status" in wanted:
            rows = rows.filter(status=wanted["status"])
        return page_answer(
            rows, order=_BY_PERSON, wanted=wanted, show=lambda found: EnrolmentOutput(found, many=True).data
        )

    @extend_schema(
        operation_id="enrol_people",
        summary="Enrol people in a sequence",
        tags=_TAG,
        request=EnrolInput,
        responses=PeopleChangedOutput,
    )
    def post(self, request: KeyRequest, sequence_id: int) -> Response:
        """Enrol people; those who are in it already stay where they are. An archived sequence takes nobody: 409."""
        row = load(Sequence, sequence_id)
        given = checked(EnrolInput, request.data)
        ids = given["person_ids"]
        if given.get("moves"):
            changed = move(people=ids, to=row, origin=ORIGIN, user=request.user)
        else:
            changed = enrol(people=ids, sequence=row, origin=ORIGIN, user=request.user)
        return changed_answer(changed, ids)


class EnrolmentStatusView(ApiView):
    """The status of people in a sequence."""

    scopes = {"POST": Scope.SEQUENCES_WRITE}

    @extend_schema(
        operation_id="set_enrolment_status",
        summary="Pause, finish or remove people in a sequence",
        tags=_TAG,
        request=EnrolmentStatusInput,
        responses=PeopleChangedOutput,
    )
    def post(self, request: KeyRequest, sequence_id: int) -> Response:
        """Change where people in a sequence stand; those who are not in it stay out."""
        row = load(Sequence, sequence_id)
        given = checked(EnrolmentStatusInput, request.data)
        ids = given["person_ids"]
        status = EnrolmentStatus(given["status"])
        return changed_answer(
            set_status(people=ids, sequence=row, status=status, origin=ORIGIN, user=request.user), ids
        )
