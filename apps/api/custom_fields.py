"""Definitions of custom fields."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.crowds import checked
from apps.api.errors import invalid
from apps.api.fields import Input, Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.people import OLDEST
from apps.api.views import ApiView, KeyRequest
from apps.audience.models import CustomField
from apps.audience.selectors.types import custom_type
from apps.audience.services.custom_fields import (
    KINDS,
    MOST_OPTIONS,
    create_custom_field,
    remove_custom_field,
    rename_custom_field,
)
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Custom fields"]
_KINDS = [kind.value for kind in KINDS]
_BUILT_IN = frozenset({"person", "company", "opportunity"})
_OPTIONS = f"What can be chosen in a picklist; at most {MOST_OPTIONS:,}."


class CustomFieldOutput(Output):
    """A field that the account added to one kind of record."""

    id = serializers.IntegerField(help_text="The field's id.")
    record_type = serializers.CharField(help_text="person, company, opportunity, or a custom record type.")
    key = serializers.CharField(help_text="Its name under `custom`; it never changes.")
    label = serializers.CharField(help_text="Its name in words.")  # type: ignore[assignment]  # the name is the API's
    kind = serializers.CharField(help_text=f"What it holds: {', '.join(_KINDS)}.")
    options = serializers.ListField(child=serializers.CharField(), help_text="What can be chosen in a picklist.")
    created_at = serializers.DateTimeField(help_text="When it was defined.")


class CustomFieldInput(Input):
    """A new field."""

    record_type = fields.Text(
        max_length=96,
        help_text="person, company, opportunity, or what a custom record type is called, such as custom:3.",
    )
    label = fields.Text(max_length=120, help_text="Its name in words.")  # type: ignore[assignment]  # the name is the API's
    kind = fields.Choice(choices=_KINDS, help_text="What it holds; it never changes.")
    key = fields.Text(
        required=False,
        allow_blank=True,
        max_length=80,
        help_text="Its name under `custom`, such as shoe_size; left out, it is made of the label.",
    )
    options = serializers.ListField(
        child=fields.Text(max_length=255), required=False, max_length=MOST_OPTIONS, help_text=_OPTIONS
    )


class CustomFieldUpdateInput(Input):
    """What changes of a field. Key and kind never do."""

    label = fields.Text(required=False, max_length=120, help_text="Another name.")  # type: ignore[assignment]  # the name is the API's
    options = serializers.ListField(
        child=fields.Text(max_length=255), required=False, max_length=MOST_OPTIONS, help_text=_OPTIONS
    )


class CustomFieldsQuery(PageQuery):
    """Which fields."""

    record_type = serializers.CharField(required=False, max_length=96, help_text="Of this kind of record.")


class CustomFieldsView(ApiView):
    """All custom fields of the account."""

    scopes = {"GET": Scope.FIELDS_READ, "POST": Scope.FIELDS_WRITE}

    @extend_schema(
        operation_id="list_custom_fields",
        summary="List custom fields",
        tags=_TAG,
        parameters=[CustomFieldsQuery],
        responses=page_output(CustomFieldOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """Custom fields, in the order in which they were defined."""
        wanted = asked(CustomFieldsQuery, request)
        rows = CustomField.objects.all()
        if "record_type" in wanted:
            rows = rows.filter(record_type=wanted["record_type"])
        return page_answer(
            rows, order=OLDEST, wanted=wanted, show=lambda found: CustomFieldOutput(found, many=True).data
        )

    @extend_schema(
        operation_id="create_custom_field",
        summary="Define a custom field",
        tags=_TAG,
        request=CustomFieldInput,
        responses={201: CustomFieldOutput},
        examples=[
            OpenApiExample(
                "Shoe size",
                value={"record_type": "person", "label": "Shoe size", "kind": "integer"},
                request_only=True,
            )
        ],
    )
    def post(self, request: KeyRequest) -> Response:
        """Define a custom field."""
        given = checked(CustomFieldInput, request.data)
        if not _is_type(given["record_type"]):
            raise invalid({"record_type": "There is no such kind of record."})
        made = create_custom_field(user=request.user, **given)
        headers = {"Location": f"/api/v1/custom-fields/{made.pk}/"}
        return Response(CustomFieldOutput(made).data, status=201, headers=headers)


class CustomFieldView(ApiView):
    """One custom field."""

    scopes = {"GET": Scope.FIELDS_READ, "PATCH": Scope.FIELDS_WRITE, "DELETE": Scope.FIELDS_WRITE}

    @extend_schema(
        operation_id="get_custom_field", summary="Read a custom field", tags=_TAG, responses=CustomFieldOutput
    )
    def get(self, request: KeyRequest, field_id: int) -> Response:
        """One custom field."""
        return Response(CustomFieldOutput(load(CustomField, field_id)).data)

    @extend_schema(
        operation_id="update_custom_field",
        summary="Rename a custom field",
        tags=_TAG,
        request=CustomFieldUpdateInput,
        responses=CustomFieldOutput,
    )
    def patch(self, request: KeyRequest, field_id: int) -> Response:
        """Change the label, or the options of a picklist."""
        row = load(CustomField, field_id)
        given: dict[str, Any] = {"label": row.label} | checked(CustomFieldUpdateInput, request.data)
        changed = rename_custom_field(field=row, user=request.user, **given)
        return Response(CustomFieldOutput(changed).data)

    @extend_schema(
        operation_id="remove_custom_field", summary="Remove a custom field", tags=_TAG, responses={204: None}
    )
    def delete(self, request: KeyRequest, field_id: int) -> Response:
        """Take a field away. Records keep what they hold, unseen; defined again, it comes back with the values."""
        remove_custom_field(field=load(CustomField, field_id), user=request.user)
        return Response(status=204)


def _is_type(name: str) -> bool:
    found = custom_type(name)
    return name in _BUILT_IN or (found is not None and found.local_type == name)
