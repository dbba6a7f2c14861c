"""Lists and campaigns, and who is on them."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.crowds import PeopleChangedOutput, PeopleInput, changed_answer, checked
from apps.api.fields import Input, Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.records import ORIGIN
from apps.api.views import ApiView, KeyRequest
from apps.audience.models import List, ListKind, ListMembership
from apps.audience.selectors.lists import BY_NAME, MEMBERS, lists, member_counts, members_of
from apps.audience.services.lists import (
    add_to_list,
    archive_list,
    create_list,
    remove_from_list,
    rename_list,
    set_member_status,
)
from apps.audience.services.names import LONGEST_NAME
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Lists"]
_LONGEST_STATUS = 40
_KINDS = [kind.value for kind in ListKind]


class ListOutput(Output):
    """A list of people; one of kind *campaign* is a Campaign in Salesforce, too."""

    id = serializers.IntegerField(help_text="The list's id.")
    name = serializers.CharField(help_text="Its name.")
    kind = serializers.ChoiceField(choices=_KINDS, help_text="What keeps it.")
    is_archived = serializers.BooleanField(help_text="true: out of the way; its people stay on it.")
    member_count = serializers.SerializerMethodField(help_text="How many people are on it.")
    remote_id = serializers.CharField(help_text="Id of the Campaign in Salesforce; blank for none.")
    status = serializers.CharField(help_text="Status of the Campaign; blank for none.")
    campaign_type = serializers.CharField(help_text="Type of the Campaign; blank for none.")
    starts_on = serializers.DateField(allow_null=True, help_text="First day of the Campaign; null for none.")
    ends_on = serializers.DateField(allow_null=True, help_text="Last day of the Campaign; null for none.")
    created_at = serializers.DateTimeField(help_text="When it was made here.")
    updated_at = serializers.DateTimeField(help_text="When it was last changed here.")

    def get_member_count(self, row: List) -> int:
        counts: dict[int, int] = self.context["counts"]
        return counts.get(row.pk, 0)


class ListInput(Input):
    """A new list."""

    name = fields.Text(max_length=LONGEST_NAME, help_text="Its name; no other list may have it.")
    is_campaign = fields.Flag(required=False, help_text="true: a Campaign is made of it in Salesforce, too.")


class ListUpdateInput(Input):
    """What changes of a list."""

    name = fields.Text(required=False, max_length=LONGEST_NAME, help_text="Another name. A Campaign keeps its own.")
    is_archived = fields.Flag(required=False, help_text="true: put it out of the way; false: take it back.")


class ListsQuery(PageQuery):
    """Which lists."""

    kind = serializers.ChoiceField(required=False, choices=_KINDS, help_text="Of this kind.")
    search = serializers.CharField(required=False, max_length=200, help_text="Whose name begins so.")


class MemberOutput(Output):
    """Somebody on a list."""

    person_id = serializers.IntegerField(help_text="Id of the person.")
    email = serializers.CharField(source="person.email", help_text="E-mail address of the person; blank for none.")
    status = serializers.CharField(help_text="Member status of the Campaign; blank for none.")
    has_responded = serializers.BooleanField(help_text="Whether the status counts as a response.")
    joined_at = serializers.DateTimeField(help_text="When they came on it.")


class MembersInput(PeopleInput):
    """Who comes onto a list."""

    status = fields.Text(
        required=False, allow_blank=True, max_length=_LONGEST_STATUS, help_text="Member status, for a Campaign."
    )


class MemberStatusInput(PeopleInput):
    """Whose member status changes, and to what."""

    status = fields.Text(max_length=_LONGEST_STATUS, help_text="The member status.")


class ListsView(ApiView):
    """All lists of the account."""

    scopes = {"GET": Scope.LISTS_READ, "POST": Scope.LISTS_WRITE}

    @extend_schema(
        operation_id="list_lists",
        summary="List lists",
        tags=_TAG,
        parameters=[ListsQuery],
        responses=page_output(ListOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """Lists and campaigns under the filters, by name."""
        wanted = asked(ListsQuery, request)
        rows = lists(search=wanted.get("search", ""), kind=wanted.get("kind", ""))
        return page_answer(rows, order=BY_NAME, wanted=wanted, show=_shown_many)

    @extend_schema(
        operation_id="create_list",
        summary="Make a list",
        tags=_TAG,
        request=ListInput,
        responses={201: ListOutput},
        examples=[OpenApiExample("Visitors", value={"name": "Visitors of the fair"}, request_only=True)],
    )
    def post(self, request: KeyRequest) -> Response:
        """Make a list."""
        given = checked(ListInput, request.data)
        made = create_list(name=given["name"], user=request.user, is_campaign=given.get("is_campaign", False))
        return Response(_shown(made), status=201, headers={"Location": f"/api/v1/lists/{made.pk}/"})


class ListView(ApiView):
    """One list."""

    scopes = {"GET": Scope.LISTS_READ, "PATCH": Scope.LISTS_WRITE}

    @extend_schema(operation_id="get_list", summary="Read a list", tags=_TAG, responses=ListOutput)
    def get(self, request: KeyRequest, list_id: int) -> Response:
        """A list with the number of its people."""
        return Response(_shown(load(List, list_id)))

    @extend_schema(
        operation_id="update_list",
        summary="Rename or archive a list",
        tags=_TAG,
        request=ListUpdateInput,
        responses=ListOutput,
    )
    def patch(self, request: KeyRequest, list_id: int) -> Response:
        """Rename a list, put it out of the way, or take it back."""
        row = load(List, list_id)
        given = checked(ListUpdateInput, request.data)
        if "name" in given:
            row = rename_list(shown=row, name=given["name"], user=request.user)
        if "is_archived" in given:
            row = archive_list(shown=row, is_archived=given["is_archived"], user=request.user)
        return Response(_shown(row))


class MembersView(ApiView):
    """Who is on a list."""

    scopes = {"GET": Scope.LISTS_READ, "POST": Scope.LISTS_WRITE}

    @extend_schema(
        operation_id="list_members",
        summary="List the people on a list",
        tags=_TAG,
        parameters=[PageQuery],
        responses=page_output(MemberOutput),
    )
    def get(self, request: KeyRequest, list_id: int) -> Response:
        """The people on a list, in the order of their ids."""
        row = load(List, list_id)
        return page_answer(
            members_of(row),
            order=MEMBERS,
            wanted=asked(PageQuery, request),
            show=lambda found: MemberOutput(found, many=True).data,
        )

    @extend_schema(
        operation_id="add_members",
        summary="Put people on a list",
        tags=_TAG,
        request=MembersInput,
        responses=PeopleChangedOutput,
    )
    def post(self, request: KeyRequest, list_id: int) -> Response:
        """Put people on a list; those who are on it already stay as they are."""
        row = load(List, list_id)
        given = checked(MembersInput, request.data)
        ids = given["person_ids"]
        added = add_to_list(people=ids, to=row, origin=ORIGIN, status=given.get("status", ""), user=request.user)
        return changed_answer(added, ids)


class RemoveMembersView(ApiView):
    """Taking many people off a list."""

    scopes = {"POST": Scope.LISTS_WRITE}

    @extend_schema(
        operation_id="remove_members",
        summary="Take people off a list",
        tags=_TAG,
        request=PeopleInput,
        responses=PeopleChangedOutput,
    )
    def post(self, request: KeyRequest, list_id: int) -> Response:
        """Take people off a list; of a Campaign they leave in Salesforce, too."""
        row = load(List, list_id)
        ids = checked(PeopleInput, request.data)["person_ids"]
        return changed_answer(remove_from_list(people=ids, of=row, origin=ORIGIN, user=request.user), ids)


class MemberStatusView(ApiView):
    """The member status of people on a list."""

    scopes = {"POST": Scope.LISTS_WRITE}

    @extend_schema(
        operation_id="set_member_status",
        summary="Change the member status of people",
        tags=_TAG,
        request=MemberStatusInput,
        responses=PeopleChangedOutput,
    )
    def post(self, request: KeyRequest, list_id: int) -> Response:
        """Change the member status of people on a list; of a Campaign it changes in Salesforce, too."""
        row = load(List, list_id)
        given = checked(MemberStatusInput, request.data)
        ids = given["person_ids"]
        changed = set_member_status(people=ids, of=row, status=given["status"], origin=ORIGIN, user=request.user)
        return changed_answer(changed, ids)


class MemberView(ApiView):
    """One person on a list."""

    scopes = {"GET": Scope.LISTS_READ, "DELETE": Scope.LISTS_WRITE}

    @extend_schema(operation_id="get_member", summary="See whether a person is on a list", tags=_TAG,
                   responses=MemberOutput)  # fmt: skip
    def get(self, request: KeyRequest, list_id: int, person_id: int) -> Response:
        """A person on a list; 404 where they are not on it."""
        return Response(MemberOutput(_member(list_id, person_id)).data)

    @extend_schema(operation_id="remove_member", summary="Take a person off a list", tags=_TAG, responses={204: None})
    def delete(self, request: KeyRequest, list_id: int, person_id: int) -> Response:
        """Take one person off a list; 404 where they are not on it."""
        member = _member(list_id, person_id)
        remove_from_list(people=[member.person_id], of=member.list, origin=ORIGIN, user=request.user)
        return Response(status=204)


def _member(list_id: int, person_id: int) -> ListMembership:
    row = load(List, list_id)
    member = members_of(row).filter(person_id=min(person_id, fields.LARGEST_ID)).first()
    if member is None:
        raise Http404
    return member


def _shown(row: List) -> Any:
    return ListOutput(row, context={"counts": member_counts([row])}).data


def _shown_many(rows: Any) -> Any:
    return ListOutput(rows, many=True, context={"counts": member_counts(rows)}).data
