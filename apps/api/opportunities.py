"""Opportunities: pulled from Salesforce, read-only here, since sales work is done there."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.people import OLDEST
from apps.api.records import RecordOutput
from apps.api.views import ApiView, KeyRequest, with_etag
from apps.audience.models import Opportunity
from apps.audience.selectors.opportunities import OpportunityFilter, opportunities
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Opportunities"]


class OpportunityOutput(RecordOutput):
    """An opportunity: a deal of the sales team."""

    record_type = "opportunity"


class OpportunitiesQuery(PageQuery):
    """Which opportunities."""

    stage = serializers.CharField(required=False, max_length=255, help_text="Exactly this stage.")
    is_closed = fields.QueryFlag(required=False, help_text="true: won or lost; false: open.")
    company = fields.QueryId(required=False, help_text="Of the company with this id.")
    updated_since = fields.Moment(required=False, help_text="Changed here at this moment or later.")


class OpportunitiesView(ApiView):
    """All opportunities of the account."""

    scopes = {"GET": Scope.OPPORTUNITIES_READ}

    @extend_schema(
        operation_id="list_opportunities",
        summary="List opportunities",
        tags=_TAG,
        parameters=[OpportunitiesQuery],
        responses=page_output(OpportunityOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """Opportunities under the filters, in the order in which they came."""
        wanted = asked(OpportunitiesQuery, request)
        rows = opportunities(
            OpportunityFilter(
                stage=wanted.get("stage", ""), closed=wanted.get("is_closed"), company_id=wanted.get("company")
            )
        )
        if "updated_since" in wanted:
            rows = rows.filter(updated_at__gte=wanted["updated_since"])
        return page_answer(
            rows, order=OLDEST, wanted=wanted, show=lambda found: OpportunityOutput(found, many=True).data
        )


class OpportunityView(ApiView):
    """One opportunity."""

    scopes = {"GET": Scope.OPPORTUNITIES_READ}

    @extend_schema(
        operation_id="get_opportunity", summary="Read an opportunity", tags=_TAG, responses=OpportunityOutput
    )
    def get(self, request: KeyRequest, opportunity_id: int) -> Response:
        """An opportunity with all fields."""
        opportunity = load(Opportunity, opportunity_id)
        return with_etag(OpportunityOutput(opportunity).data, opportunity.version)
