"""The lead score."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.response import Response

from apps.api import fields
from apps.api.crowds import checked
from apps.api.errors import invalid
from apps.api.fields import Input
from apps.api.people import PersonOutput, shown
from apps.api.records import ORIGIN
from apps.api.views import ApiView, KeyRequest
from apps.audience.models import Person
from apps.audience.services.scores import change_score
from apps.tenants.access import load
from apps.tenants.models import Scope


class ScoreInput(Input):
    """Either points to add, or the score itself."""

    by = fields.Whole(
        required=False, min_value=-1_000_000, max_value=1_000_000, help_text="Points to add; negative ones are taken."
    )
    to = fields.Whole(required=False, min_value=0, max_value=1_000_000, help_text="The score itself.")
    reason = fields.Text(required=False, allow_blank=True, max_length=200, help_text="Why, for the timeline.")


class ScoreView(ApiView):
    """A person's score."""

    scopes = {"POST": Scope.PEOPLE_WRITE}

    @extend_schema(
        operation_id="change_score",
        summary="Add to a score, or set it",
        tags=["People"],
        request=ScoreInput,
        responses=PersonOutput,
        examples=[OpenApiExample("Ten more", value={"by": 10, "reason": "Asked for a demo"}, request_only=True)],
    )
    def post(self, request: KeyRequest, person_id: int) -> Response:
        """Add points to a person's score, or set it; never below zero. It goes to Salesforce where its field exists."""
        person = load(Person, person_id)
        given = checked(ScoreInput, request.data)
        if ("by" in given) == ("to" in given):
            raise invalid({"by": "Send either `by` or `to`."})
        changed = change_score(
            person=person,
            by=given.get("by", 0),
            to=given.get("to"),
            origin=ORIGIN,
            reason=given.get("reason", ""),
            user=request.user,
        )
        return shown(changed)
