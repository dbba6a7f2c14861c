"""Runs: the executions of the sync, with what they did."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from apps.api.fields import Output
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.views import ApiView, KeyRequest
from apps.core.paging import Order
from apps.sync.models import RunKind, RunState, SyncRun
from apps.sync.selectors.runs import ObjectView, RunView, Totals, object_views, run_view, run_views, runs, sum_of
from apps.sync.services import cancel_run
from apps.tenants.access import load
from apps.tenants.models import Scope

_NEWEST = Order("newest", ("queued_at", "id"), (datetime, int), descending=True)
_TAG = ["Sync"]
KINDS = [kind.value for kind in RunKind]
STATES = [state.value for state in RunState]


class TotalsOutput(Output):
    """What became of the rows of a run: `read` is the sum of the others."""

    read = serializers.IntegerField(help_text="Rows that were looked at.")
    created = serializers.IntegerField(help_text="Rows that became new records.")
    updated = serializers.IntegerField(help_text="Rows that changed something.")
    unchanged = serializers.IntegerField(help_text="Rows that changed nothing.")
    skipped = serializers.IntegerField(help_text="Rows that filters or switches left out.")
    failed = serializers.IntegerField(help_text="Rows that became sync errors.")


class RecordRefOutput(Output):
    """Which record."""

    type = serializers.CharField(help_text="person, company, opportunity, or a custom record type.")
    id = serializers.IntegerField(help_text="Its id.")


class RunOutput(Output):
    """A run."""

    id = serializers.IntegerField(source="run.pk", help_text="The run's id.")
    kind = serializers.ChoiceField(source="run.kind", choices=KINDS, help_text="What it covers.")
    state = serializers.ChoiceField(source="run.state", choices=STATES, help_text="Where it stands.")
    is_open = serializers.BooleanField(source="run.is_open", help_text="true: it waits, runs, or is stopping.")
    trigger = serializers.CharField(source="run.trigger", help_text="manual, schedule or system.")
    requested_by = serializers.CharField(source="run.requested_by_label", help_text="Who asked for it.")
    record = serializers.SerializerMethodField(help_text="The one record of a record run; null for other runs.")
    queued_at = serializers.DateTimeField(source="run.queued_at", help_text="When it was asked for.")
    started_at = serializers.DateTimeField(source="run.started_at", allow_null=True, help_text="When it began.")
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True, help_text="When it ended.")
    step = serializers.CharField(source="run.step", help_text="What it is doing, in words; blank when it has ended.")
    waiting_reason = serializers.CharField(source="run.waiting_reason", help_text="Why it waits, in words.")
    failure = serializers.CharField(source="run.failure", help_text="Why it failed or was stopped, in words.")
    warnings = serializers.SerializerMethodField(help_text="What else somebody should know.")
    totals = TotalsOutput(help_text="What became of its rows.")

    @extend_schema_field(RecordRefOutput(allow_null=True))
    def get_record(self, view: RunView) -> dict[str, Any] | None:
        run = view.run
        return {"type": run.local_type, "id": run.local_id} if run.local_id is not None else None

    def get_warnings(self, view: RunView) -> list[str]:
        return [str(words) for words in view.run.warnings]


class RunObjectOutput(Output):
    """One sObject of a run."""

    object = serializers.CharField(source="row.sobject", help_text="The sObject.")
    phase = serializers.CharField(help_text="What is happening with it, in words.")
    is_done = serializers.BooleanField(source="row.is_done", help_text="true: every fetched row has been applied.")
    percent = serializers.IntegerField(
        source="progress.percent", allow_null=True, help_text="How far it is; null while nobody can know."
    )
    totals = TotalsOutput(help_text="What became of its rows.")


class RunDetailOutput(RunOutput):
    """A run with its sObjects."""

    objects = serializers.SerializerMethodField(help_text="The sObjects of the run, parents first.")

    @extend_schema_field(RunObjectOutput(many=True))
    def get_objects(self, view: RunView) -> list[Any]:
        return list(RunObjectOutput(self.context["objects"], many=True).data)


class RunsQuery(PageQuery):
    """Which runs."""

    kind = serializers.ChoiceField(required=False, choices=KINDS, help_text="Of this kind.")
    state = serializers.ChoiceField(required=False, choices=STATES, help_text="In this state.")


class RunsView(ApiView):
    """The activity log."""

    scopes = {"GET": Scope.SYNC_READ}

    @extend_schema(
        operation_id="list_runs",
        summary="List runs",
        tags=_TAG,
        parameters=[RunsQuery],
        responses=page_output(RunOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """Runs under the filters, the newest first."""
        wanted = asked(RunsQuery, request)
        rows = runs(state=wanted.get("state", ""), kind=wanted.get("kind", ""))
        now = timezone.now()
        return page_answer(
            rows,
            order=_NEWEST,
            wanted=wanted,
            show=lambda found: RunOutput(run_views(found, now), many=True).data,
        )


class OneRunView(ApiView):
    """One run."""

    scopes = {"GET": Scope.SYNC_READ}

    @extend_schema(operation_id="get_run", summary="Read a run", tags=_TAG, responses=RunDetailOutput)
    def get(self, request: KeyRequest, run_id: int) -> Response:
        """A run with its sObjects and how far it is. Ask again while `is_open` is true."""
        return Response(run_body(load(SyncRun, run_id)))


class CancelRunView(ApiView):
    """Stopping a run."""

    scopes = {"POST": Scope.SYNC_RUN}

    @extend_schema(
        operation_id="cancel_run", summary="Stop a run", tags=_TAG, request=None, responses={202: RunDetailOutput}
    )
    def post(self, request: KeyRequest, run_id: int) -> Response:
        """Ask an open run to stop; what it has applied stays. One that has ended stays as it is."""
        run = load(SyncRun, run_id)
        cancel_run(run=run, user=request.user)
        run.refresh_from_db()
        return Response(run_body(run), status=202)


def run_body(run: SyncRun) -> Any:
    """A run with its sObjects, as an answer."""
    now = timezone.now()
    objects: list[ObjectView] = object_views(run, now)
    totals: Totals = sum_of(objects)
    return RunDetailOutput(run_view(run, totals, now), context={"objects": objects}).data


def accepted(run: SyncRun) -> Response:
    """The answer to what has only been queued: its run, and where to ask for it."""
    return Response(run_body(run), status=202, headers={"Location": f"/api/v1/runs/{run.pk}/"})
