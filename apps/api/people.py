"""People."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.fields import Input
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.records import ORIGIN, RecordInput, RecordOutput, VersionInput
from apps.api.views import ApiView, KeyRequest, seen_version, with_etag
from apps.audience.models import ListMembership, Person, Source
from apps.audience.selectors.people import PeopleFilter, people
from apps.audience.services.people import (
    create_person,
    deactivate_person,
    reactivate_person,
    set_opt_out,
    update_person,
)
from apps.audience.services.records import set_external_key
from apps.core.paging import Order
from apps.tenants.access import load
from apps.tenants.models import Scope

OLDEST = Order("oldest", ("id",), (int,))
_TAG = ["People"]
_GRACE = OpenApiExample(
    "Grace",
    value={
        "email": "grace@example.com",
        "first_name": "Grace",
        "last_name": "Hopper",
        "company_name": "Eckert-Mauchly",
        "external_key": "crm-1906",
    },
    request_only=True,
)


class PersonOutput(RecordOutput):
    """A person: one human being, whatever they are in Salesforce."""

    record_type = "person"

    score = serializers.IntegerField(help_text="The lead score.")
    email_opt_out = serializers.BooleanField(help_text="true: they want no marketing e-mail.")


class PersonInput(RecordInput):
    """A new person. A first name, a last name or an e-mail address is needed."""

    record_type = "person"


class PersonUpdateInput(PersonInput, VersionInput):
    """What changes of a person; what is left out stays as it is."""


class ConsentInput(VersionInput):
    """An opt-out, or an opt-in by the person's own wish."""

    email_opt_out = fields.Flag(help_text="true: no marketing e-mail any more; false: again.")
    source = fields.Text(  # type: ignore[assignment]  # the name is the API's
        required=False,
        allow_blank=True,
        max_length=1000,
        help_text="Who said so, and where; without it nobody is opted in again.",
    )


class PeopleQuery(PageQuery):
    """Which people."""

    email = serializers.CharField(required=False, max_length=254, help_text="Exactly this e-mail address.")
    external_key = serializers.CharField(required=False, max_length=120, help_text="Exactly this external key.")
    updated_since = fields.Moment(required=False, help_text="Changed here at this moment or later.")
    linked = fields.QueryFlag(required=False, help_text="true: with a row in Salesforce; false: without.")
    is_active = fields.QueryFlag(required=False, help_text="true: in use; false: deactivated.")
    list = fields.QueryId(required=False, help_text="On the list with this id.")


class PeopleView(ApiView):
    """All people of the account."""

    scopes = {"GET": Scope.PEOPLE_READ, "POST": Scope.PEOPLE_WRITE}

    @extend_schema(
        operation_id="list_people",
        summary="List people",
        tags=_TAG,
        parameters=[PeopleQuery],
        responses=page_output(PersonOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """People under the filters, in the order in which they came."""
        wanted = asked(PeopleQuery, request)
        rows = people(PeopleFilter(linked=wanted.get("linked"), active=wanted.get("is_active")))
        if "email" in wanted:
            rows = rows.filter(email_key=wanted["email"].lower())
        if "external_key" in wanted:
            rows = rows.filter(external_key=wanted["external_key"])
        if "updated_since" in wanted:
            rows = rows.filter(updated_at__gte=wanted["updated_since"])
        if "list" in wanted:
            members = ListMembership.objects.filter(list_id=wanted["list"], is_active=True)
            rows = rows.filter(id__in=members.values("person_id"))
        return page_answer(rows, order=OLDEST, wanted=wanted, show=lambda found: PersonOutput(found, many=True).data)

    @extend_schema(
        operation_id="create_person",
        summary="Add a person",
        tags=_TAG,
        request=PersonInput,
        responses={201: PersonOutput},
        examples=[_GRACE],
    )
    def post(self, request: KeyRequest) -> Response:
        """Add a person. An e-mail address or external key that somebody has already is 409, and names their id."""
        form = PersonInput(data=request.data)
        form.is_valid(raise_exception=True)
        person = create_person(
            values=form.texts(),
            user=request.user,
            source=Source.API,
            origin=ORIGIN,
            external_key=form.validated_data.get("external_key", ""),
        )
        return shown(person, status=201)


class PersonView(ApiView):
    """One person."""

    scopes = {"GET": Scope.PEOPLE_READ, "PATCH": Scope.PEOPLE_WRITE}
    has_versions = True

    @extend_schema(operation_id="get_person", summary="Read a person", tags=_TAG, responses=PersonOutput)
    def get(self, request: KeyRequest, person_id: int) -> Response:
        """A person with all fields. The header ETag is the version."""
        return shown(load(Person, person_id))

    @extend_schema(
        operation_id="update_person",
        summary="Change a person",
        tags=_TAG,
        request=PersonUpdateInput,
        responses=PersonOutput,
        examples=[OpenApiExample("A new title", value={"title": "Countess", "version": 1}, request_only=True)],
    )
    def patch(self, request: KeyRequest, person_id: int) -> Response:
        """Change the fields that are sent. With a version, nothing is changed where the person has moved since: 409."""
        person = load(Person, person_id)
        form = PersonUpdateInput(data=request.data)
        form.is_valid(raise_exception=True)
        version = seen_version(request, form.validated_data.get("version"))
        changed = update_person(
            person=person, values=form.texts(), seen_version=version, user=request.user, origin=ORIGIN
        )
        if "external_key" in form.validated_data:
            key = form.validated_data["external_key"]
            changed = set_external_key(changed, external_key=key, seen_version=None, user=request.user, origin=ORIGIN)
        return shown(changed)


class DeactivatePersonView(ApiView):
    """Taking a person out of use."""

    scopes = {"POST": Scope.PEOPLE_WRITE}

    @extend_schema(
        operation_id="deactivate_person", summary="Deactivate a person", tags=_TAG, request=VersionInput,
        responses=PersonOutput,
    )  # fmt: skip
    def post(self, request: KeyRequest, person_id: int) -> Response:
        """Take a person out of use here. Their row in Salesforce stays as it is."""
        person, version = load(Person, person_id), based_on(request, VersionInput)
        return shown(deactivate_person(person=person, user=request.user, seen_version=version, origin=ORIGIN))


class ReactivatePersonView(ApiView):
    """Taking a person into use again."""

    scopes = {"POST": Scope.PEOPLE_WRITE}

    @extend_schema(
        operation_id="reactivate_person", summary="Reactivate a person", tags=_TAG, request=VersionInput,
        responses=PersonOutput,
    )  # fmt: skip
    def post(self, request: KeyRequest, person_id: int) -> Response:
        """Take a person into use again. One who is not in Salesforce yet goes there, where the mappings say so."""
        person, version = load(Person, person_id), based_on(request, VersionInput)
        return shown(reactivate_person(person=person, user=request.user, seen_version=version, origin=ORIGIN))


class ConsentView(ApiView):
    """A person's consent to marketing e-mail."""

    scopes = {"POST": Scope.PEOPLE_WRITE}

    @extend_schema(
        operation_id="set_consent",
        summary="Opt a person out, or in again",
        tags=_TAG,
        request=ConsentInput,
        responses=PersonOutput,
        examples=[
            OpenApiExample("Opt out", value={"email_opt_out": True, "source": "Preference page"}, request_only=True)
        ],
    )
    def post(self, request: KeyRequest, person_id: int) -> Response:
        """Write down what the person said about being mailed. It goes to Salesforce whatever the mappings say."""
        person = load(Person, person_id)
        form = ConsentInput(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        changed = set_opt_out(
            person=person,
            opted_out=given["email_opt_out"],
            source=given.get("source", ""),
            user=request.user,
            seen_version=seen_version(request, given.get("version")),
            origin=ORIGIN,
        )
        return shown(changed)


def based_on(request: KeyRequest, form_class: type[Input]) -> int | None:
    """The version that a request without further fields is based on."""
    form = form_class(data=request.data)
    form.is_valid(raise_exception=True)
    return seen_version(request, form.validated_data.get("version"))


def shown(person: Any, status: int = 200) -> Response:
    """A person, as an answer."""
    location = f"/api/v1/people/{person.pk}/" if status == 201 else ""
    return with_etag(PersonOutput(person).data, person.version, status=status, location=location)
