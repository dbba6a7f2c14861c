"""Lists of custom records, and the page of one."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from apps.audience.models import CustomRecord
from apps.audience.selectors.custom_records import MOST_MATCHES, CustomRecordFilter, custom_records, matching_ids
from apps.console.custom_records.forms import CustomRecordFilterForm
from apps.console.custom_records.loading import load_record, load_type
from apps.console.listing import listing, number_words, tabs
from apps.console.record_sync import sync_card
from apps.console.records import owner_name, place_of, record_view
from apps.console.why.pages import record_page
from apps.core.search import search_text
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import ids_behind
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_SAVED_VIEWS: dict[str, dict[str, str]] = {
    "All": {},
    "Linked with Salesforce": {"linked": "yes"},
    "Not in Salesforce": {"linked": "no"},
    "Inactive": {"status": "no"},
}


@require_GET
@member_page(Right.VIEW)
def records_list(request: MemberRequest, key: str) -> HttpResponse:
    """Records of one type by search and filters."""
    record_type = load_type(key)
    form = CustomRecordFilterForm(request.GET)
    wanted = form.wanted()
    rows, count = custom_records(record_type, wanted).select_related("person", "company"), ""
    if search_text(wanted.search):
        ids = matching_ids(record_type, wanted, also=ids_behind(wanted.search, record_type.local_type))
        rows, count = rows.filter(id__in=ids), number_words(len(ids), len(ids) >= MOST_MATCHES)
    found = listing(request, rows, form.order(), count=count)
    context = {
        "type": record_type,
        "things": record_type.label_plural.lower(),
        "form": form,
        "found": found,
        "tabs": tabs(request, _SAVED_VIEWS),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "is_filtered": wanted != CustomRecordFilter(),
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/custom_records/list.html", context)


@require_GET
@member_page(Right.VIEW)
def record_detail(request: MemberRequest, key: str, record_id: int) -> HttpResponse:
    """One record: what is known, whom it belongs to, its place in Salesforce, what happened."""
    record = load_record(key, record_id)
    context = {
        "record": record,
        "type": record.record_type,
        "person": record.person,
        "company": record.company,
        "view": record_view(record.local_type, record),
        "sync": sync_card(request, "records", record.local_type, record),
        "may_edit": request.membership.may(Right.EDIT_RECORDS),
        "owner": owner_name(record),
    }
    return render(request, "console/custom_records/detail.html", context)


@require_GET
@member_page(Right.VIEW)
def why(request: MemberRequest, key: str, record_id: int) -> HttpResponse:
    """Why did this record not sync?"""
    record = load_record(key, record_id)
    return render(request, "console/why/why.html", record_page(record.local_type, record))


@require_GET
@member_page(Right.VIEW)
def open_record(request: MemberRequest, record_id: int) -> HttpResponse:
    """The page of a record of which only the id is known."""
    return redirect("console:records-detail", *place_of(load(CustomRecord, record_id)))


@require_GET
@member_page(Right.VIEW)
def open_why(request: MemberRequest, record_id: int) -> HttpResponse:
    """Why a record did not sync of which only the id is known."""
    return redirect("console:records-why", *place_of(load(CustomRecord, record_id)))
