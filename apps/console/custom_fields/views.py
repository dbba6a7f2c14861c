"""Custom fields: their definitions, and the pages that make, rename and remove them (I05)."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps.audience.fields import CUSTOM_PREFIX, Kind
from apps.audience.models import CustomField
from apps.audience.selectors.types import custom_types
from apps.audience.services.custom_fields import (
    CHOICES,
    KINDS,
    BadField,
    create_custom_field,
    remove_custom_field,
    rename_custom_field,
)
from apps.field_mappings.models import FieldMapping
from apps.tenants.access import MemberRequest, load, member_page
from apps.tenants.roles import Right

_TYPES = {"person": "People", "company": "Companies", "opportunity": "Opportunities"}


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field with its type in words, and whether mappings use it."""

    field: CustomField
    kind: str
    options: str
    mappings: int


class FieldForm(forms.Form):
    """A definition: for whom, what it is called, and what it holds."""

    record_type = forms.ChoiceField(label="Of")
    label = forms.CharField(label="Name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kind = forms.ChoiceField(label="Type", choices=[(kind.value, kind.label) for kind in KINDS])
    options = forms.CharField(
        label="Options",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Of a picklist only: one a line.",
    )
    key = forms.CharField(
        label="Key",
        required=False,
        max_length=80,
        help_text="Its name in the API and in imports, such as shoe_size. Left empty, it is made of the name; it never "
        "changes afterwards.",
    )

    def __init__(self, data: Any = None, *, record_type: str = "person") -> None:
        super().__init__(data, initial={"record_type": record_type})
        chooser = self.fields["record_type"]
        assert isinstance(chooser, forms.ChoiceField)
        chooser.choices = list(record_types().items())

    def show(self, error: BadField) -> None:
        """Put words beside their fields."""
        for name, words in error.errors.items():
            self.add_error(name, words)


def record_types() -> dict[str, str]:
    """Kinds of records that can have custom fields, in words."""
    return _TYPES | {one.local_type: one.label_plural for one in custom_types()}


@member_page(Right.VIEW)
def custom_fields(request: MemberRequest) -> HttpResponse:
    """Every custom field, by kind of record."""
    used: dict[tuple[str, str], int] = {}
    names = FieldMapping.objects.filter(local_field__startswith=CUSTOM_PREFIX)
    for local_type, name in names.values_list("step__local_type", "local_field"):
        used[local_type, name] = used.get((local_type, name), 0) + 1
    rows = list(CustomField.objects.order_by("label", "id"))
    groups = [
        (title, [_view(row, used) for row in rows if row.record_type == record_type], record_type)
        for record_type, title in record_types().items()
    ]
    context = {"groups": groups, "may_edit": request.membership.may(Right.EDIT_MAPPINGS)}
    return render(request, "console/custom_fields/list.html", context)


def _view(row: CustomField, used: dict[tuple[str, str], int]) -> FieldView:
    kind = Kind(row.kind).label if row.kind in set(Kind) else row.kind
    mappings = used.get((row.record_type, f"{CUSTOM_PREFIX}{row.key}"), 0)
    return FieldView(row, kind, ", ".join(str(option) for option in row.options[:8]), mappings)


def _lines(text: str) -> list[str]:
    return text.splitlines()


@member_page(Right.EDIT_MAPPINGS)
def new(request: MemberRequest) -> HttpResponse:
    """Define a field."""
    form = FieldForm(request.POST if request.method == "POST" else None, record_type=request.GET.get("of", "person"))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = create_custom_field(
                record_type=said["record_type"],
                label=said["label"],
                kind=said["kind"],
                key=said["key"],
                options=_lines(said["options"]),
                user=request.user,
            )
        except BadField as error:
            form.show(error)
        else:
            messages.success(request, f"The field “{made.label}” is made. It can be mapped now.")
            return redirect("console:custom-fields")
    return render(request, "console/custom_fields/new.html", {"form": form}, status=422 if form.errors else 200)


@member_page(Right.EDIT_MAPPINGS)
def edit(request: MemberRequest, field_id: int) -> HttpResponse:
    """Rename a field, or change the options of a picklist."""
    field = load(CustomField, field_id)
    has_options = field.kind in CHOICES
    errors: dict[str, str] = {}
    label, options = field.label, "\n".join(field.options)
    if request.method == "POST":
        label, options = request.POST.get("label", ""), request.POST.get("options", "")
        try:
            lines = _lines(options) if has_options else None
            rename_custom_field(field=field, label=label, options=lines, user=request.user)
        except BadField as error:
            errors = error.errors
        else:
            messages.success(request, "The field is saved.")
            return redirect("console:custom-fields")
    context = {"field": field, "label": label, "options": options, "has_options": has_options, "errors": errors}
    return render(request, "console/custom_fields/edit.html", context, status=422 if errors else 200)


@member_page(Right.EDIT_MAPPINGS)
def remove(request: MemberRequest, field_id: int) -> HttpResponse:
    """Confirm, then remove a field. One that mappings use stays until they are gone."""
    field = load(CustomField, field_id)
    name = f"{CUSTOM_PREFIX}{field.key}"
    mappings = FieldMapping.objects.filter(step__local_type=field.record_type, local_field=name).count()
    if request.method == "POST" and not mappings:
        remove_custom_field(field=field, user=request.user)
        messages.success(request, f"The field “{field.label}” is removed.")
        return redirect("console:custom-fields")
    context = {"field": field, "mappings": mappings}
    return render(
        request, "console/custom_fields/remove.html", context, status=409 if request.method == "POST" else 200
    )
