"""Adding and changing companies, and syncing one at once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import Company
from apps.audience.services.companies import create_company, deactivate_company, reactivate_company, update_company
from apps.console import linking
from apps.console.record_editing import Kind, edit_record, new_record
from apps.console.record_sync import show_progress, start
from apps.console.why.pages import record_page
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

COMPANIES = Kind("company", "company", "Companies", "companies", create_company, update_company)


@member_page(Right.EDIT_RECORDS)
def new(request: MemberRequest) -> HttpResponse:
    """Add a company."""
    return new_record(request, COMPANIES)


@member_page(Right.EDIT_RECORDS)
def edit(request: MemberRequest, company_id: int) -> HttpResponse:
    """Change a company."""
    return edit_record(request, COMPANIES, load(Company, company_id))


@require_POST
@member_page(Right.EDIT_RECORDS)
def active(request: MemberRequest, company_id: int) -> HttpResponse:
    """Deactivate or reactivate a company."""
    company = load(Company, company_id)
    if request.POST.get("active") == "yes":
        reactivate_company(company=company, user=request.user)
        messages.success(request, f"{company.display_name} is active again.")
    else:
        deactivate_company(company=company, user=request.user)
        messages.success(request, f"{company.display_name} is deactivated. Nothing is deleted in Salesforce.")
    return redirect("console:companies-detail", company.pk)


@require_POST
@member_page(Right.RUN_SYNC)
def sync(request: MemberRequest, company_id: int) -> HttpResponse:
    """Sync this company now, both ways."""
    return start(request, "companies", "company", load(Company, company_id))


@require_GET
@member_page(Right.VIEW)
def sync_run(request: MemberRequest, company_id: int, run_id: int) -> HttpResponse:
    """How far the company's sync is."""
    return show_progress(request, "companies", "company", load(Company, company_id), run_id)


@require_GET
@member_page(Right.VIEW)
def why(request: MemberRequest, company_id: int) -> HttpResponse:
    """Why did this company not sync?"""
    return render(request, "console/why/why.html", record_page("company", load(Company, company_id)))


@require_POST
@member_page(Right.EDIT_RECORDS)
def link(request: MemberRequest, company_id: int) -> HttpResponse:
    """Link this company with a row of Salesforce by hand."""
    return linking.link(request, "companies", load(Company, company_id))


@require_POST
@member_page(Right.EDIT_RECORDS)
def unlink(request: MemberRequest, company_id: int) -> HttpResponse:
    """Unlink this company from a row of Salesforce by hand."""
    return linking.take_apart(request, "companies", load(Company, company_id))
