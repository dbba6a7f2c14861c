"""How the sync does, and starting it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.errors import ApiError
from apps.api.fields import Flag, Input, Output
from apps.api.runs import RunDetailOutput, accepted, run_body
from apps.api.views import ApiView, KeyRequest
from apps.audience.models import Company, CustomRecord, Person, Record
from apps.integrations.models import Connection, ConnectionState, Health
from apps.integrations.services.oauth import live_connection
from apps.outbox.selectors import ChangeState, counts_by_state
from apps.sync.selectors.standing import standing_of
from apps.sync.selectors.why import why_not_now
from apps.sync.services import CannotStart, start_differential_sync, start_full_sync, sync_now
from apps.sync_errors.selectors import live_by_category
from apps.sync_settings.services import settings_of
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Sync"]


class ConnectionOutput(Output):
    """The connection with Salesforce."""

    state = serializers.ChoiceField(choices=[s.value for s in ConnectionState], help_text="Where the tie stands.")
    health = serializers.ChoiceField(choices=[h.value for h in Health], help_text="How it does, in a word.")
    health_reason = serializers.CharField(help_text="Why, where it does not do well; else blank.")
    org_id = serializers.CharField(help_text="The org's id.")
    org_name = serializers.CharField(help_text="The org's name.")
    instance_url = serializers.CharField(help_text="Where the org is.")
    username = serializers.CharField(help_text="The sync user.")
    is_sandbox = serializers.BooleanField(help_text="true: a sandbox.")


class QueueOutput(Output):
    """Changes for Salesforce, each counted up to 10,000."""

    waiting = serializers.IntegerField(help_text="Changes that wait for their turn.")
    in_flight = serializers.IntegerField(help_text="Changes that are on their way.")
    held = serializers.IntegerField(help_text="Changes that wait for somebody's decision.")


class StatusOutput(Output):
    """How the sync does. Without a connection only `connection` is there, as null."""

    connection = ConnectionOutput(allow_null=True, help_text="The connection; null: none.")
    syncs_enabled = serializers.BooleanField(help_text="Whether anything moves at all.")
    frequency_minutes = serializers.IntegerField(help_text="Minutes between differential syncs; 0: by hand only.")
    open_run = RunDetailOutput(allow_null=True, help_text="The pull that waits or runs; null: none.")
    last_run = RunDetailOutput(allow_null=True, help_text="The pull that ended last; null: none.")
    next_sync_at = serializers.DateTimeField(allow_null=True, help_text="When the next differential sync is due.")
    covered_to = serializers.DateTimeField(
        allow_null=True, help_text="Salesforce's time up to which every change is in; null before the first full sync."
    )
    queue = QueueOutput(help_text="What waits for Salesforce.")
    open_errors = serializers.DictField(
        child=serializers.IntegerField(), help_text="Sync errors that wait for somebody, by category."
    )


class StartInput(Input):
    """How to start."""

    turn_on = Flag(required=False, help_text="true: switch “Syncs Enabled” on first, where it is off.")


class StatusView(ApiView):
    """How the sync does."""

    scopes = {"GET": Scope.SYNC_READ}

    @extend_schema(operation_id="get_sync_status", summary="See how the sync does", tags=_TAG, responses=StatusOutput)
    def get(self, request: KeyRequest) -> Response:
        """Connection, last and next sync, what waits, and errors."""
        connection = live_connection()
        counts = {one.state: one.count for one in counts_by_state()}
        body: dict[str, Any] = {
            "connection": ConnectionOutput(connection).data if connection else None,
            "syncs_enabled": False,
            "frequency_minutes": 0,
            "open_run": None,
            "last_run": None,
            "next_sync_at": None,
            "covered_to": None,
            "queue": {state.value: counts.get(state, 0) for state in ChangeState},
            "open_errors": {one.category: one.count for one in live_by_category()},
        }
        if connection is not None:
            settings, standing = settings_of(connection), standing_of(connection)
            body |= {
                "syncs_enabled": settings.syncs_enabled,
                "frequency_minutes": settings.frequency_minutes,
                "open_run": run_body(standing.open_run) if standing.open_run else None,
                "last_run": run_body(standing.last_run) if standing.last_run else None,
                "next_sync_at": _moment(standing.next_at),
                "covered_to": _moment(standing.covered_to),
            }
        return Response(body)


class FullSyncView(ApiView):
    """Starting a full sync."""

    scopes = {"POST": Scope.SYNC_RUN}

    @extend_schema(
        operation_id="start_full_sync",
        summary="Run a full sync",
        tags=_TAG,
        request=StartInput,
        responses={202: RunDetailOutput},
    )
    def post(self, request: KeyRequest) -> Response:
        """Queue a full sync. One that is open already is answered instead."""
        form = StartInput(data=request.data)
        form.is_valid(raise_exception=True)
        turn_on = form.validated_data.get("turn_on", False)
        return accepted(start_full_sync(connection=connected(), user=request.user, turn_on=turn_on))


class DifferentialSyncView(ApiView):
    """Starting a differential sync."""

    scopes = {"POST": Scope.SYNC_RUN}

    @extend_schema(
        operation_id="start_differential_sync",
        summary="Run a differential sync",
        tags=_TAG,
        request=None,
        responses={202: RunDetailOutput},
    )
    def post(self, request: KeyRequest) -> Response:
        """Queue a sync of what has changed in Salesforce since the last one. Another pull that is open is 409."""
        run = start_differential_sync(connection=connected(), user=request.user)
        if run is None:
            raise CannotStart("Another sync is under way.")
        return accepted(run)


class SyncPersonView(ApiView):
    """Syncing one person."""

    scopes = {"POST": Scope.SYNC_RUN}

    @extend_schema(
        operation_id="sync_person",
        summary="Sync a person now",
        tags=["People"],
        request=None,
        responses={202: RunDetailOutput},
    )
    def post(self, request: KeyRequest, person_id: int) -> Response:
        """Sync one person at once, both ways. Answers the run: ask for it until `is_open` is false."""
        return _sync(request, "person", load(Person, person_id))


class SyncCompanyView(ApiView):
    """Syncing one company."""

    scopes = {"POST": Scope.SYNC_RUN}

    @extend_schema(
        operation_id="sync_company",
        summary="Sync a company now",
        tags=["Companies"],
        request=None,
        responses={202: RunDetailOutput},
    )
    def post(self, request: KeyRequest, company_id: int) -> Response:
        """Sync one company at once, both ways. Answers the run: ask for it until `is_open` is false."""
        return _sync(request, "company", load(Company, company_id))


class SyncRecordView(ApiView):
    """Syncing one custom record."""

    scopes = {"POST": Scope.SYNC_RUN}

    @extend_schema(
        operation_id="sync_record",
        summary="Sync a custom record now",
        tags=["Custom records"],
        request=None,
        responses={202: RunDetailOutput},
    )
    def post(self, request: KeyRequest, record_id: int) -> Response:
        """Sync one custom record at once, both ways. Answers the run: ask for it until `is_open` is false."""
        record = load(CustomRecord, record_id)
        return _sync(request, record.local_type, record)


def _sync(request: KeyRequest, local_type: str, record: Record) -> Response:
    connection = connected()
    if refusal := why_not_now(connection, local_type=local_type, record=record):
        raise CannotStart(refusal)
    return accepted(sync_now(connection=connection, local_type=local_type, record_id=record.pk, user=request.user))


def connected() -> Connection:
    """The live connection; raises where there is none."""
    connection = live_connection()
    if connection is None:
        raise ApiError(409, "not_connected", "The account is not connected with Salesforce.")
    return connection


def _moment(at: Any) -> Any:
    return serializers.DateTimeField().to_representation(at) if at is not None else None
