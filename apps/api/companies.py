"""Companies."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.api import fields
from apps.api.paging import PageQuery, asked, page_answer, page_output
from apps.api.people import OLDEST, based_on
from apps.api.records import ORIGIN, RecordInput, RecordOutput, VersionInput
from apps.api.views import ApiView, KeyRequest, seen_version, with_etag
from apps.audience.models import Company, Source
from apps.audience.selectors.companies import CompanyFilter, companies
from apps.audience.services.companies import (
    create_company,
    deactivate_company,
    reactivate_company,
    update_company,
)
from apps.audience.services.records import set_external_key
from apps.tenants.access import load
from apps.tenants.models import Scope

_TAG = ["Companies"]


class CompanyOutput(RecordOutput):
    """A company."""

    record_type = "company"

    domain = serializers.CharField(help_text="Made of the website; it finds the company while it is not linked.")


class CompanyInput(RecordInput):
    """A new company. It needs a name."""

    record_type = "company"


class CompanyUpdateInput(CompanyInput, VersionInput):
    """What changes of a company; what is left out stays as it is."""


class CompaniesQuery(PageQuery):
    """Which companies."""

    domain = serializers.CharField(required=False, max_length=253, help_text="Exactly this domain, without www.")
    external_key = serializers.CharField(required=False, max_length=120, help_text="Exactly this external key.")
    updated_since = fields.Moment(required=False, help_text="Changed here at this moment or later.")
    linked = fields.QueryFlag(required=False, help_text="true: with a row in Salesforce; false: without.")
    is_active = fields.QueryFlag(required=False, help_text="true: in use; false: deactivated.")


class CompaniesView(ApiView):
    """All companies of the account."""

    scopes = {"GET": Scope.COMPANIES_READ, "POST": Scope.COMPANIES_WRITE}

    @extend_schema(
        operation_id="list_companies",
        summary="List companies",
        tags=_TAG,
        parameters=[CompaniesQuery],
        responses=page_output(CompanyOutput),
    )
    def get(self, request: KeyRequest) -> Response:
        """Companies under the filters, in the order in which they came."""
        wanted = asked(CompaniesQuery, request)
        rows = companies(CompanyFilter(linked=wanted.get("linked"), active=wanted.get("is_active")))
        if "domain" in wanted:
            rows = rows.filter(domain=wanted["domain"].lower().removeprefix("www."))
        if "external_key" in wanted:
            rows = rows.filter(external_key=wanted["external_key"])
        if "updated_since" in wanted:
            rows = rows.filter(updated_at__gte=wanted["updated_since"])
        return page_answer(rows, order=OLDEST, wanted=wanted, show=lambda found: CompanyOutput(found, many=True).data)

    @extend_schema(
        operation_id="create_company",
        summary="Add a company",
        tags=_TAG,
        request=CompanyInput,
        responses={201: CompanyOutput},
        examples=[
            OpenApiExample(
                "Analytical Engines",
                value={"name": "Analytical Engines", "website": "https://engines.example", "employees": 12},
                request_only=True,
            )
        ],
    )
    def post(self, request: KeyRequest) -> Response:
        """Add a company."""
        form = CompanyInput(data=request.data)
        form.is_valid(raise_exception=True)
        company = create_company(
            values=form.texts(),
            user=request.user,
            source=Source.API,
            origin=ORIGIN,
            external_key=form.validated_data.get("external_key", ""),
        )
        return shown(company, status=201)


class CompanyView(ApiView):
    """One company."""

    scopes = {"GET": Scope.COMPANIES_READ, "PATCH": Scope.COMPANIES_WRITE}
    has_versions = True

    @extend_schema(operation_id="get_company", summary="Read a company", tags=_TAG, responses=CompanyOutput)
    def get(self, request: KeyRequest, company_id: int) -> Response:
        """A company with all fields. The header ETag is the version."""
        return shown(load(Company, company_id))

    @extend_schema(
        operation_id="update_company",
        summary="Change a company",
        tags=_TAG,
        request=CompanyUpdateInput,
        responses=CompanyOutput,
    )
    def patch(self, request: KeyRequest, company_id: int) -> Response:
        """Change the fields that are sent. With a version, nothing is changed where the company has moved since."""
        company = load(Company, company_id)
        form = CompanyUpdateInput(data=request.data)
        form.is_valid(raise_exception=True)
        version = seen_version(request, form.validated_data.get("version"))
        changed = update_company(
            company=company, values=form.texts(), seen_version=version, user=request.user, origin=ORIGIN
        )
        if "external_key" in form.validated_data:
            key = form.validated_data["external_key"]
            changed = set_external_key(changed, external_key=key, seen_version=None, user=request.user, origin=ORIGIN)
        return shown(changed)


class DeactivateCompanyView(ApiView):
    """Taking a company out of use."""

    scopes = {"POST": Scope.COMPANIES_WRITE}

    @extend_schema(
        operation_id="deactivate_company", summary="Deactivate a company", tags=_TAG, request=VersionInput,
        responses=CompanyOutput,
    )  # fmt: skip
    def post(self, request: KeyRequest, company_id: int) -> Response:
        """Take a company out of use here. Its account in Salesforce stays as it is."""
        company, version = load(Company, company_id), based_on(request, VersionInput)
        return shown(deactivate_company(company=company, user=request.user, seen_version=version, origin=ORIGIN))


class ReactivateCompanyView(ApiView):
    """Taking a company into use again."""

    scopes = {"POST": Scope.COMPANIES_WRITE}

    @extend_schema(
        operation_id="reactivate_company", summary="Reactivate a company", tags=_TAG, request=VersionInput,
        responses=CompanyOutput,
    )  # fmt: skip
    def post(self, request: KeyRequest, company_id: int) -> Response:
        """Take a company into use again."""
        company, version = load(Company, company_id), based_on(request, VersionInput)
        return shown(reactivate_company(company=company, user=request.user, seen_version=version, origin=ORIGIN))


def shown(company: Any, status: int = 200) -> Response:
    """A company, as an answer."""
    location = f"/api/v1/companies/{company.pk}/" if status == 201 else ""
    return with_etag(CompanyOutput(company).data, company.version, status=status, location=location)
