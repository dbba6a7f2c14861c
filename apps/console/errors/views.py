"""Sync errors: what happened, why, what helps; and clearing them."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.console.downloads import csv_download
from apps.console.errors.forms import ErrorFilterForm
from apps.console.errors.remedies import error_view
from apps.console.linking import settle as settle_error
from apps.console.linking import settlement_of
from apps.console.listing import count_words, listing
from apps.domain.remedies import words_for
from apps.integrations.services.oauth import live_connection
from apps.sync.selectors.hints import why_nothing_synced
from apps.sync.selectors.links import instance_urls
from apps.sync.services import CannotStart, start_differential_sync
from apps.sync_actions.models import COMMAND_WAY, CrmAction
from apps.sync_actions.services import release_commands
from apps.sync_errors.models import LIVE_STATES, SyncError
from apps.sync_errors.selectors import ErrorFilter, live_by_category, sync_errors
from apps.sync_errors.services import clear_errors, retry_errors
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_LARGEST_ID = 2**63 - 1
_MOST_SELECTED = 500


@member_page(Right.VIEW)
def errors_list(request: MemberRequest) -> HttpResponse:
    """Live errors, the last seen first; closed ones on request."""
    counts = live_by_category()
    form = ErrorFilterForm(request.GET, counts=counts)
    wanted = form.wanted(timezone.now())
    found = listing(request, sync_errors(wanted).defer("raw", "details"), form.order())
    addresses = instance_urls()
    context = {
        "form": form,
        "found": found,
        "rows": [error_view(error, addresses.get(error.connection_id, "")) for error in found.rows],
        "counts": [(row.category, words_for(row.category).title, row.count) for row in counts],
        "is_filtered": wanted != ErrorFilter(),
        "may_clear": request.membership.may(Right.CLEAR_ERRORS),
        "hint": None if found.rows else why_nothing_synced(),
    }
    return render(request, "console/errors/list.html", context)


@member_page(Right.VIEW)
def error_detail(request: MemberRequest, error_id: int) -> HttpResponse:
    """One error with all that is known about it."""
    error = load(SyncError, error_id)
    instance_url = instance_urls().get(error.connection_id, "")
    settlement = settlement_of(error, instance_url)
    known = error.details.items() if settlement is None else ()
    context = {
        "view": error_view(error, instance_url),
        "error": error,
        "details": [(name.replace("_", " ").capitalize(), value) for name, value in known],
        "settlement": settlement,
        "may_settle": request.membership.may(Right.EDIT_RECORDS),
        "may_clear": request.membership.may(Right.CLEAR_ERRORS) and error.is_live,
    }
    return render(request, "console/errors/detail.html", context)


@require_POST
@member_page(Right.EDIT_RECORDS)
def settle(request: MemberRequest, error_id: int) -> HttpResponse:
    """Settle by hand what could not be matched."""
    return settle_error(request, load(SyncError, error_id))


@require_POST
@member_page(Right.CLEAR_ERRORS)
def clear(request: MemberRequest) -> HttpResponse:
    """Clear one error, or the ones that are ticked."""
    ids = _ticked(request)
    if not ids:
        messages.info(request, "Tick the errors to clear first.")
        return redirect("console:errors-list")
    _say_cleared(request, clear_errors(errors=SyncError.objects.filter(id__in=ids), user=request.user))
    return redirect("console:errors-list")


@require_POST
@member_page(Right.CLEAR_ERRORS)
def retry(request: MemberRequest) -> HttpResponse:
    """Try one error again, or the ones that are ticked."""
    ids = _ticked(request)
    if not ids:
        messages.info(request, "Tick the errors to try again first.")
        return redirect("console:errors-list")
    _try_again(request, SyncError.objects.filter(id__in=ids))
    return redirect("console:errors-list")


@require_http_methods(["GET", "POST"])
@member_page(Right.CLEAR_ERRORS)
def retry_all(request: MemberRequest) -> HttpResponse:
    """Try all errors again that match: the question with their number first, then the deed."""
    rows, form = _matching(request)
    if request.method == "POST":
        _try_again(request, rows)
        return redirect("console:errors-list")
    context = {"form": form, "count": count_words(rows), "is_any": rows.exists(), "query": request.GET.urlencode()}
    return render(request, "console/errors/retry_all.html", context)


def _try_again(request: MemberRequest, rows: "QuerySet[SyncError]") -> None:
    """Put the errors into the retry ledger, and begin a sync that takes them up, where one can begin now."""
    commands = list(rows.filter(way=COMMAND_WAY).values_list("details__command", flat=True))
    count = retry_errors(errors=rows, user=request.user)
    release_commands(commands=CrmAction.objects.filter(id__in=[one for one in commands if one]), user=request.user)
    connection = live_connection()
    when = "with the next sync"
    if connection is not None:
        try:
            start_differential_sync(connection=connection, user=request.user)
            when = "now"
        except CannotStart as reason:
            when = f"with the next sync ({str(reason).rstrip('.').lower()})"
    words = {0: "Nothing was left to try again.", 1: f"1 error is tried again {when}."}
    messages.success(request, words.get(count, f"{count:,} errors are tried again {when}."))


def _ticked(request: MemberRequest) -> list[int]:
    chosen = [text for text in request.POST.getlist("error")[:_MOST_SELECTED] if text.isascii() and text.isdecimal()]
    return [number for number in map(int, (text[:20] for text in chosen)) if number <= _LARGEST_ID]


@require_http_methods(["GET", "POST"])
@member_page(Right.CLEAR_ERRORS)
def clear_all(request: MemberRequest) -> HttpResponse:
    """Clear all errors that match: the question with their number first, then the deed."""
    rows, form = _matching(request)
    if request.method == "POST":
        _say_cleared(request, clear_errors(errors=rows, user=request.user))
        return redirect("console:errors-list")
    context = {"form": form, "count": count_words(rows), "is_any": rows.exists(), "query": request.GET.urlencode()}
    return render(request, "console/errors/clear_all.html", context)


def _matching(request: MemberRequest) -> "tuple[QuerySet[SyncError], ErrorFilterForm]":
    """The errors not closed yet that the filters in the address name."""
    form = ErrorFilterForm(request.GET, counts=live_by_category())
    return sync_errors(form.wanted(timezone.now())).filter(state__in=LIVE_STATES), form


def _say_cleared(request: MemberRequest, count: int) -> None:
    words = {0: "Nothing was left to clear.", 1: "1 error is cleared."}
    messages.success(request, words.get(count, f"{count:,} errors are cleared."))


@member_page(Right.VIEW)
def errors_csv(request: MemberRequest) -> HttpResponse:
    """All errors that match, as CSV."""
    form = ErrorFilterForm(request.GET, counts=live_by_category())
    wanted = form.wanted(timezone.now())
    return csv_download(
        filename="syncline-errors.csv",
        header=(
            "What happened", "Message", "What helps", "State", "Object", "Salesforce id", "Record", "Field",
            "Occurrences", "First seen", "Last seen",
        ),
        tenant_id=request.tenant.pk,
        rows=lambda: sync_errors(wanted),
        order=form.order(),
        line=_error_line,
    )  # fmt: skip


def _error_line(error: SyncError) -> tuple[object, ...]:
    view = error_view(error, "")
    return (
        view.words.title, error.message, view.words.help, view.state, error.sobject, error.remote_id,
        error.record_label, error.field, error.occurrences, error.first_seen.isoformat(), error.last_seen.isoformat(),
    )  # fmt: skip
