"""Importing people and companies from CSV: upload, columns, progress, rows that could not be taken (I03)."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from apps.audience.models import List
from apps.audience.services.lists import create_list
from apps.audience.services.names import BadName
from apps.console.downloads import csv_download
from apps.console.imports.forms import NEW_LIST, ColumnsForm, UploadForm
from apps.console.listing import listing
from apps.core.paging import Order
from apps.imports.columns import guess, targets_of
from apps.imports.models import Import, ImportProblem, ImportState, Mode
from apps.imports.reading import DELIMITERS, BadFile, encoding_words
from apps.imports.services import BadMapping, choose_delimiter, first_records, start, upload
from apps.imports.services import cancel as cancel_import
from apps.imports.values import SKIP_WORDS
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_NEWEST = Order("newest", ("id",), (int,), descending=True)
_OLDEST = Order("oldest", ("id",), (int,))
_PREVIEW = 5
_PLURALS = {"person": "people", "company": "companies"}
_TONES = {"completed": "ok", "failed": "bad", "cancelled": "warn", "cancelling": "warn", "uploaded": "off"}
_WORDS = {
    "uploaded": "Not started", "queued": "Waiting", "running": "Running", "cancelling": "Stopping",
    "cancelled": "Stopped", "completed": "Finished", "failed": "Failed",
}  # fmt: skip
_DELIMITER_NAMES = {",": "Comma", ";": "Semicolon", "\t": "Tab"}


@dataclass(frozen=True, slots=True)
class ImportView:
    """An import as pages show it."""

    row: Import
    state: str
    tone: str
    things: str
    percent: int
    rate: str
    left: str
    reasons: list[tuple[str, int]]
    result_url: str


def _view(row: Import) -> ImportView:
    end = row.finished_at or timezone.now()
    seconds = max((end - row.started_at).total_seconds(), 0.1) if row.started_at else 0.0
    done, whole = max(row.position - row.data_start, 0), max(row.size - row.data_start, 1)
    rate, left = "", ""
    if row.rows and seconds:
        rate = f"{row.rows / seconds:,.0f} rows a second"
        rest = seconds * (whole - done) / max(done, 1)
        left = _duration(rest) if row.is_open else ""
    plural = _PLURALS[row.record_type]
    result = reverse(f"console:{plural}-list")
    if row.record_type == "person":
        result += "?source=import"
        if row.list_id is not None:
            result = reverse("console:lists-detail", args=[row.list_id])
    return ImportView(
        row=row,
        state=_WORDS[row.state],
        tone=_TONES.get(row.state, "busy"),
        things=plural,
        percent=100 if row.state == ImportState.COMPLETED else min(100, done * 100 // whole),
        rate=rate,
        left=left,
        reasons=[(SKIP_WORDS.get(reason, reason), count) for reason, count in row.skip_reasons.items()],
        result_url=result,
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s left"
    return f"about {round(seconds / 60)} min left"


@require_GET
@member_page(Right.EDIT_RECORDS)
def imports_list(request: MemberRequest) -> HttpResponse:
    """All imports, the newest first."""
    found = listing(request, Import.objects.all(), _NEWEST)
    return render(request, "console/imports/list.html", {"found": found, "views": [_view(row) for row in found.rows]})


def upload_page(request: MemberRequest, record_type: str) -> HttpResponse:
    """Take a file, then ask what its columns mean."""
    form = UploadForm(request.POST or None, request.FILES or None) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            row = upload(
                record_type=record_type, filename=file.name, source=file.file, size=file.size, user=request.user
            )
        except BadFile as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("console:imports-columns", row.pk)
    context = {"form": form, "things": _PLURALS[record_type]}
    status = 422 if request.method == "POST" else 200
    return render(request, "console/imports/upload.html", context, status=status)


@member_page(Right.EDIT_RECORDS)
def import_people(request: MemberRequest) -> HttpResponse:
    """Import people: the file."""
    return upload_page(request, "person")


@member_page(Right.EDIT_RECORDS)
def import_companies(request: MemberRequest) -> HttpResponse:
    """Import companies: the file."""
    return upload_page(request, "company")


@member_page(Right.EDIT_RECORDS)
def columns(request: MemberRequest, import_id: int) -> HttpResponse:
    """What the columns mean, with the first rows; then start."""
    row = load(Import, import_id)
    if row.state != ImportState.UPLOADED:
        return redirect("console:imports-detail", row.pk)
    preview, problem = _first_cells(row, request.GET.get("delimiter", ""))
    targets = targets_of(row.record_type)
    guessed = guess(row.record_type, row.header, targets)
    said = request.POST if request.method == "POST" else None
    form = ColumnsForm(said, header=row.header, targets=targets, guessed=guessed, record_type=row.record_type)
    if request.method == "POST" and form.is_valid():
        try:
            _start(row, form, request)
        except (BadMapping, BadName) as refusal:
            problem = str(refusal)
        else:
            return redirect("console:imports-detail", row.pk)
    context = {
        "row": row,
        "form": form,
        "things": _PLURALS[row.record_type],
        "problem": problem,
        "columns": [
            (form[name], [cells[number] if number < len(cells) else "" for cells in preview])
            for number, name in enumerate(form.columns)
        ],
        "encoding": encoding_words(row.encoding),
        "delimiters": [(one, _DELIMITER_NAMES[one], one == row.delimiter) for one in DELIMITERS],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "console/imports/columns.html", context, status=status)


def _first_cells(row: Import, wanted: str) -> tuple[list[list[str]], str]:
    """The first rows, read with the delimiter that is wanted, and why they cannot be read."""
    try:
        if wanted in DELIMITERS and wanted != row.delimiter:
            choose_delimiter(row=row, delimiter=wanted)
        return [record.cells for record in first_records(row, _PREVIEW)], ""
    except BadFile as refusal:
        return [], str(refusal)


def _start(row: Import, form: ColumnsForm, request: MemberRequest) -> None:
    """Begin as the form says. Raises BadMapping or BadName."""
    start(
        row=row,
        mapping=form.mapping,
        mode=Mode(form.cleaned_data["mode"]),
        reactivates=form.cleaned_data["reactivates"],
        to=_list(form, request),
        user=request.user,
    )


def _list(form: ColumnsForm, request: MemberRequest) -> List | None:
    """The list that was chosen, made where it is a new one. Raises BadName."""
    chosen = form.cleaned_data.get("to", "")
    if not chosen:
        return None
    if chosen == NEW_LIST:
        return create_list(name=form.cleaned_data["list_name"], user=request.user)
    return load(List, int(chosen))


@require_GET
@member_page(Right.EDIT_RECORDS)
def detail(request: MemberRequest, import_id: int) -> HttpResponse:
    """How far an import is; asks for itself every two seconds until it has ended."""
    row = load(Import, import_id)
    if row.state == ImportState.UPLOADED:
        return redirect("console:imports-columns", row.pk)
    problems = ImportProblem.objects.filter(source_id=row.pk).order_by("id")[:20] if row.failed else []
    return render(request, "console/imports/detail.html", {"view": _view(row), "row": row, "problems": problems})


@require_POST
@member_page(Right.EDIT_RECORDS)
def cancel(request: MemberRequest, import_id: int) -> HttpResponse:
    """Stop an import."""
    row = load(Import, import_id)
    cancel_import(row=row, user=request.user)
    messages.success(request, "The import stops. What it has taken in stays.")
    if row.state == ImportState.UPLOADED:
        return redirect("console:imports-list")
    return redirect("console:imports-detail", row.pk)


@require_GET
@member_page(Right.EDIT_RECORDS)
def errors_csv(request: MemberRequest, import_id: int) -> HttpResponse:
    """The rows that could not be taken, with their reasons, to be corrected and imported again."""
    row = load(Import, import_id)
    return csv_download(
        filename=f"import-{row.pk}-errors.csv",
        header=("Row", "Reason", *row.header),
        tenant_id=request.tenant.pk,
        rows=lambda: ImportProblem.objects.filter(source_id=row.pk),
        order=_OLDEST,
        line=lambda problem: (problem.row, problem.reason, *problem.cells),
    )
