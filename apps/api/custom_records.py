"""Custom records: records of types that the account added, such as projects or subscriptions."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.fields import AnyField, Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.people import OLDEST, based_on
from apps.api.records import ORIGIN, RecordInput, RecordOutput, VersionInput
from apps.api.views import ApiView, KeyRequest, seen_version, with_etag
from apps.audience.fields import LocalField
from apps.audience.models import CustomRecord, CustomRecordType, Record, Source
from apps.audience.selectors.custom_records import CustomRecordFilter, custom_records
from apps.audience.services.custom_records import create_custom_record, switch_custom_record, update_custom_record
from apps.audience.services.values import fields_of
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Custom records"]


class RecordTypeOutput(Output):
    """A type of record that the account added."""

    id = serializers.IntegerField(help_text="The type's id.")
    key = serializers.CharField(help_text="Its name in addresses of pages; it never changes.")
    label = serializers.CharField(help_text="One of them, in words.")  # type: ignore[assignment]  # the API's name
    label_plural = serializers.CharField(help_text="Many of them, in words.")
    object = serializers.CharField(source="sobject", help_text="The sObject that it was made for; blank for none.")
    record_type = serializers.CharField(source="local_type", help_text="What errors, runs and custom fields call it.")


class CustomRecordOutput(RecordOutput):
    """A record of such a type."""

    record_type = "custom"

    type_id = serializers.IntegerField(source="record_type_id", help_text="Id of its type.")

    def get_fields(self) -> dict[str, AnyField]:
        return {name: field for name, field in super().get_fields().items() if name != "external_key"}

    def definitions_of(self, record: Record) -> dict[str, LocalField]:
        assert isinstance(record, CustomRecord)
        return fields_of(record.local_type)


class CustomRecordInput(RecordInput):
    """A new record. It needs a name."""

    record_type = "custom"

    def get_fields(self) -> dict[str, AnyField]:
        return {name: field for name, field in super().get_fields().items() if name != "external_key"}


class CustomRecordUpdateInput(CustomRecordInput, VersionInput):
    """What changes of a record; what is left out stays as it is."""


class CustomRecordsQuery(PageQuery):
    """Which records."""

    updated_since = fields.Moment(required=False, help_text="Changed here at this moment or later.")
    linked = fields.QueryFlag(required=False, help_text="true: with a row in Salesforce; false: without.")
    is_active = fields.QueryFlag(required=False, help_text="true: in use; false: deactivated.")
    person = fields.QueryId(required=False, help_text="Of the person with this id.")
    company = fields.QueryId(required=False, help_text="Of the company with this id.")


class RecordTypesView(ApiView):
    """The types of custom records."""

    scopes = {"GET": Scope.RECORDS_READ}

    @extend_schema(
        operation_id="list_record_types",
        summary="List types of custom records",
        tags=_TAG,
        parameters=[PageQuery],
        responses=page_output(RecordTypeOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """The types of records that the account added, in the order in which they came."""
        return page_answer(
            CustomRecordType.objects.all(),
            order=OLDEST,
            wanted=asked(PageQuery, request),
            show=lambda found: RecordTypeOutput(found, many=True).data,
        )


class CustomRecordsView(ApiView):
    """All records of a type."""

    scopes = {"GET": Scope.RECORDS_READ, "POST": Scope.RECORDS_WRITE}

    @extend_schema(
        operation_id="list_records",
        summary="List custom records of a type",
        tags=_TAG,
        parameters=[CustomRecordsQuery],
        responses=page_output(CustomRecordOutput),
    )
    def get(self, request: KeyRequest, type_id: int) -> Response:
        """Records of a type under the filters, in the order in which they came."""
        wanted = asked(CustomRecordsQuery, request)
        of = CustomRecordFilter(linked=wanted.get("linked"), active=wanted.get("is_active"))
        rows = custom_records(load(CustomRecordType, type_id), of)
        if "updated_since" in wanted:
            rows = rows.filter(updated_at__gte=wanted["updated_since"])
        parents = {f"{name}_id": wanted[name] for name in ("person", "company") if name in wanted}
        return page_answer(
            rows.filter(**parents),
            order=OLDEST,
            wanted=wanted,
            show=lambda found: CustomRecordOutput(found, many=True).data,
        )

    @extend_schema(
        operation_id="create_record",
        summary="Add a custom record",
        tags=_TAG,
        request=CustomRecordInput,
        responses={201: CustomRecordOutput},
        examples=[OpenApiExample("A project", value={"name": "New roof", "person": 12}, request_only=True)],
    )
    def post(self, request: KeyRequest, type_id: int) -> Response:
        """Add a record of a type."""
        kind = load(CustomRecordType, type_id)
        form = CustomRecordInput(data=request.data)
        form.is_valid(raise_exception=True)
        made = create_custom_record(
            record_type=kind,
            values=form.texts(kind.local_type),
            user=request.user,
            source=Source.API,
            origin=ORIGIN,
        )
        return _shown(made, status=201)


class CustomRecordView(ApiView):
    """One custom record."""

    scopes = {"GET": Scope.RECORDS_READ, "PATCH": Scope.RECORDS_WRITE}
    has_versions = True

    @extend_schema(operation_id="get_record", summary="Read a custom record", tags=_TAG, responses=CustomRecordOutput)
    def get(self, request: KeyRequest, record_id: int) -> Response:
        """A record with all fields. The header ETag is the version."""
        return _shown(load(CustomRecord, record_id))

    @extend_schema(
        operation_id="update_record",
        summary="Change a custom record",
        tags=_TAG,
        request=CustomRecordUpdateInput,
        responses=CustomRecordOutput,
    )
    def patch(self, request: KeyRequest, record_id: int) -> Response:
        """Change the fields that are sent. With a version, nothing is changed where the record has moved since: 409."""
        record = load(CustomRecord, record_id)
        form = CustomRecordUpdateInput(data=request.data)
        form.is_valid(raise_exception=True)
        changed = update_custom_record(
            record=record,
            values=form.texts(record.local_type),
            seen_version=seen_version(request, form.validated_data.get("version")),
            user=request.user,
            origin=ORIGIN,
        )
        return _shown(changed)


class DeactivateRecordView(ApiView):
    """Taking a custom record out of use."""

    scopes = {"POST": Scope.RECORDS_WRITE}

    @extend_schema(
        operation_id="deactivate_record",
        summary="Deactivate a custom record",
        tags=_TAG,
        request=VersionInput,
        responses=CustomRecordOutput,
    )
    def post(self, request: KeyRequest, record_id: int) -> Response:
        """Take a record out of use here. Its row in Salesforce stays as it is."""
        return _switched(request, record_id, is_active=False)


class ReactivateRecordView(ApiView):
    """Taking a custom record into use again."""

    scopes = {"POST": Scope.RECORDS_WRITE}

    @extend_schema(
        operation_id="reactivate_record",
        summary="Reactivate a custom record",
        tags=_TAG,
        request=VersionInput,
        responses=CustomRecordOutput,
    )
    def post(self, request: KeyRequest, record_id: int) -> Response:
        """Take a record into use again."""
        return _switched(request, record_id, is_active=True)


def _switched(request: KeyRequest, record_id: int, *, is_active: bool) -> Response:
    record, version = load(CustomRecord, record_id), based_on(request, VersionInput)
    return _shown(
        switch_custom_record(record=record, is_active=is_active, user=request.user, seen_version=version, origin=ORIGIN)
    )


def _shown(record: Any, status: int = 200) -> Response:
    location = f"/api/v1/records/{record.pk}/" if status == 201 else ""
    return with_etag(CustomRecordOutput(record).data, record.version, status=status, location=location)
