"""Adding and changing custom records, and syncing one at once."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import CustomRecordType
from apps.audience.services.custom_records import create_custom_record, switch_custom_record, update_custom_record
from apps.console.custom_records.loading import load_record, load_type
from apps.console.record_editing import Kind, edit_record, new_record
from apps.console.record_sync import show_progress, start
from apps.console.records import name_of
from apps.tenants.access import MemberRequest, member_page
from apps.tenants.roles import Right


def _kind(record_type: CustomRecordType) -> Kind:
    return Kind(
        record_type.local_type,
        record_type.label.lower(),
        record_type.label_plural,
        "records",
        partial(create_custom_record, record_type=record_type),
        update_custom_record,
        "record",
        (record_type.key,),
    )


@member_page(Right.EDIT_RECORDS)
def new(request: MemberRequest, key: str) -> HttpResponse:
    """Add a record."""
    return new_record(request, _kind(load_type(key)))


@member_page(Right.EDIT_RECORDS)
def edit(request: MemberRequest, key: str, record_id: int) -> HttpResponse:
    """Change a record."""
    record = load_record(key, record_id)
    return edit_record(request, _kind(record.record_type), record)


@require_POST
@member_page(Right.EDIT_RECORDS)
def active(request: MemberRequest, key: str, record_id: int) -> HttpResponse:
    """Deactivate or reactivate a record."""
    record = load_record(key, record_id)
    is_active = request.POST.get("active") == "yes"
    switch_custom_record(record=record, is_active=is_active, user=request.user)
    words = "is active again." if is_active else "is deactivated. Nothing is deleted in Salesforce."
    messages.success(request, f"{name_of(record)} {words}")
    return redirect("console:records-detail", key, record.pk)


@require_POST
@member_page(Right.RUN_SYNC)
def sync(request: MemberRequest, key: str, record_id: int) -> HttpResponse:
    """Sync this record now, both ways."""
    record = load_record(key, record_id)
    return start(request, "records", record.local_type, record)


@require_GET
@member_page(Right.VIEW)
def sync_run(request: MemberRequest, key: str, record_id: int, run_id: int) -> HttpResponse:
    """How far the record's sync is."""
    record = load_record(key, record_id)
    return show_progress(request, "records", record.local_type, record, run_id)
