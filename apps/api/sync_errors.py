"""Sync errors: what stopped a record, what helps, and clearing or retrying them."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.fields import Input, Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.runs import RecordRefOutput
from apps.api.views import ApiView, KeyRequest
from apps.domain.remedies import words_for
from apps.sync_errors.models import ErrorState, SyncError
from apps.sync_errors.selectors import LIVE, NEWEST, ErrorFilter, sync_errors
from apps.sync_errors.services import clear_errors, retry_errors
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Sync errors"]
MOST_IDS = 500


class SyncErrorOutput(Output):
    """What stopped a record, in words, with what helps."""

    id = serializers.IntegerField(help_text="The error's id.")
    state = serializers.ChoiceField(choices=[s.value for s in ErrorState], help_text="Where it stands.")
    category = serializers.CharField(help_text="What kind of error, as a word for programs.")
    title = serializers.SerializerMethodField(help_text="What kind of error, in words.")
    message = serializers.CharField(help_text="What happened to this record.")
    help = serializers.SerializerMethodField(help_text="What helps.")
    way = serializers.ChoiceField(choices=["in", "out"], help_text="in: from Salesforce; out: to Salesforce.")
    object = serializers.CharField(source="sobject", help_text="The sObject; blank for none.")
    remote_id = serializers.CharField(help_text="The row in Salesforce; blank for none.")
    record = serializers.SerializerMethodField(help_text="The record here; null for none.")
    record_label = serializers.CharField(help_text="Name or e-mail address of the record.")
    field = serializers.CharField(help_text="The field that it is about; blank for none.")
    occurrences = serializers.IntegerField(help_text="In how many runs it happened.")
    first_seen = serializers.DateTimeField(help_text="When it happened first.")
    last_seen = serializers.DateTimeField(help_text="When it happened last.")
    next_attempt_at = serializers.DateTimeField(
        allow_null=True, help_text="When it is tried again; null: not by itself."
    )
    run_id = serializers.IntegerField(allow_null=True, help_text="The run in which it happened last.")

    def get_title(self, error: SyncError) -> str:
        return words_for(error.category).title

    def get_help(self, error: SyncError) -> str:
        return words_for(error.category).help

    @extend_schema_field(RecordRefOutput(allow_null=True))
    def get_record(self, error: SyncError) -> dict[str, Any] | None:
        return {"type": error.local_type, "id": error.local_id} if error.local_id is not None else None


class SyncErrorsQuery(PageQuery):
    """Which errors."""

    state = serializers.ChoiceField(
        required=False,
        choices=[LIVE, *(s.value for s in ErrorState)],
        default=LIVE,
        help_text="live: open, retrying and blocked together.",
    )
    category = serializers.CharField(required=False, max_length=40, help_text="Of this category.")
    object = serializers.CharField(required=False, max_length=80, help_text="About this sObject.")
    way = serializers.ChoiceField(required=False, choices=["in", "out"], help_text="This way only.")
    person = fields.QueryId(required=False, help_text="About the person with this id.")
    company = fields.QueryId(required=False, help_text="About the company with this id.")


class ErrorIdsInput(Input):
    """Which errors."""

    ids = serializers.ListField(
        child=fields.Id(),
        min_length=1,
        max_length=MOST_IDS,
        help_text=f"Ids of errors, at most {MOST_IDS}; those of nobody, or closed already, are passed over.",
    )


class CountOutput(Output):
    """How many were changed."""

    count = serializers.IntegerField(help_text="How many errors were changed.")


class SyncErrorsView(ApiView):
    """The errors of the account."""

    scopes = {"GET": Scope.ERRORS_READ}

    @extend_schema(
        operation_id="list_sync_errors",
        summary="List sync errors",
        tags=_TAG,
        parameters=[SyncErrorsQuery],
        responses=page_output(SyncErrorOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """Errors under the filters, the newest first; closed ones only where the state asks for them."""
        wanted = asked(SyncErrorsQuery, request)
        about = next(((name, wanted[name]) for name in ("person", "company") if name in wanted), ("", None))
        rows = sync_errors(
            ErrorFilter(
                state=wanted["state"],
                category=wanted.get("category", ""),
                sobject=wanted.get("object", ""),
                way=wanted.get("way", ""),
                local_type=about[0],
                local_id=about[1],
            )
        )
        return page_answer(
            rows.defer("raw", "details"),
            order=NEWEST,
            wanted=wanted,
            show=lambda found: SyncErrorOutput(found, many=True).data,
        )


class SyncErrorView(ApiView):
    """One error."""

    scopes = {"GET": Scope.ERRORS_READ}

    @extend_schema(operation_id="get_sync_error", summary="Read a sync error", tags=_TAG, responses=SyncErrorOutput)
    def get(self, request: KeyRequest, error_id: int) -> Response:
        """One error with what helps."""
        return Response(SyncErrorOutput(load(SyncError, error_id)).data)


class ClearErrorsView(ApiView):
    """Clearing errors."""

    scopes = {"POST": Scope.ERRORS_WRITE}

    @extend_schema(
        operation_id="clear_sync_errors",
        summary="Clear sync errors",
        tags=_TAG,
        request=ErrorIdsInput,
        responses=CountOutput,
        examples=[OpenApiExample("Two of them", value={"ids": [12, 13]}, request_only=True)],
    )
    def post(self, request: KeyRequest) -> Response:
        """Clear errors: they leave the table until they happen again."""
        return Response({"count": clear_errors(errors=_chosen(request), user=request.user)})


class RetryErrorsView(ApiView):
    """Retrying errors."""

    scopes = {"POST": Scope.ERRORS_WRITE}

    @extend_schema(
        operation_id="retry_sync_errors",
        summary="Retry sync errors",
        tags=_TAG,
        request=ErrorIdsInput,
        responses=CountOutput,
    )
    def post(self, request: KeyRequest) -> Response:
        """Have errors tried again by the next sync, or at once where our change was held."""
        return Response({"count": retry_errors(errors=_chosen(request), user=request.user)})


def _chosen(request: KeyRequest) -> "QuerySet[SyncError]":
    form = ErrorIdsInput(data=request.data)
    form.is_valid(raise_exception=True)
    found: QuerySet[SyncError] = SyncError.objects.filter(id__in=form.validated_data["ids"])
    return found
